/** The symbolic tensor of Keras' API: a graph node, and which call of which layer made it. */
import type { DType } from '../../runtime/contract/dtype.js'
import { ArgumentTypeError } from '../../runtime/contract/errors.js'
import { dataType } from '../ir/element-type.js'
import type { Node } from '../ir/graph.js'
import { captureLocation } from '../support/capture.js'
import { sliceNode, type TensorIndex } from './indexing.js'
import type { Layer } from './layer.js'
import { toKShape, type KShape } from './shape.js'

/** The layer, its how-manieth call, and which of that call's outputs. */
export type History = { readonly layer: Layer; readonly nodeIndex: number; readonly tensorIndex: number }

/** A symbolic tensor: what `Input` gives, what layers take and give. It remembers the layer that made it. */
export class KTensor {
  /** `history` is null for tensors that no layer returned; a model cannot end in one. */
  constructor(readonly node: Node, readonly history: History | null = null) {}

  get shape(): KShape { return toKShape(this.node.type.shape) }
  get dtype(): DType { return dataType(this.node.type.dtype) }
  get ndim(): number { return this.node.type.shape.length }

  /** `dense_1/add:0`, `b:0`, `Square:0`: layer and op, as TensorFlow names tensors. */
  get name(): string {
    const { op, from, attrs } = this.node
    if (op === 'input') return `${String(attrs['name'])}:0`
    const title = op.charAt(0).toUpperCase() + op.slice(1)
    return `${from.path === '' ? title : `${from.path}/${title}`}:0`
  }

  /** Part of the tensor: `x.slice([null, 0])` is Python's `x[:, 0]`, `x.slice([null, [1, -1]])` its `x[:, 1:-1]`. */
  slice(index: TensorIndex): KTensor { return new KTensor(sliceNode(this.node, index)) }

  /** A tensor has no number that JavaScript's own operators could use. @throws TypeError for all but its text. */
  [Symbol.toPrimitive](hint: string): string {
    if (hint === 'string') return this.toString()
    throw new ArgumentTypeError(`An operator of JavaScript was used on ${this.toString()}.`, captureLocation(),
      'Operators on tensors are understood in TypeScript files whose types kcc checks (`kcc run` and `kcc build` without --no-check). Elsewhere write the functions: K.add(a, b), K.pow(x, 2), …; and `${x}` for the text.')
  }

  toString(): string {
    const dims = this.shape.map((d) => d ?? '?')
    return `Tensor("${this.name}", shape=(${dims.join(', ')}${dims.length === 1 ? ',' : ''}), dtype=${this.dtype})`
  }
}

/** What K functions and layers accept as a tensor: anything with a node. */
export type TensorLike = { readonly node: Node }

/** A function over nodes made usable on tensors as well; the result is of the kind of the first argument. */
export const liftNodes = <A extends readonly unknown[]>(f: (x: Node, ...args: A) => Node) =>
  (x: TensorLike, ...args: A): KTensor => new KTensor(f(x.node, ...args))
