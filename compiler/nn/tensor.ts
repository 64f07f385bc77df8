/** The symbolic tensor of Keras' API: a graph node, and which call of which layer made it. */
import type { DType } from '../../runtime/contract/dtype.js'
import type { Node } from '../ir/graph.js'
import type { Layer } from './layer.js'
import { toKShape, type KShape } from './shape.js'

/** The layer, its how-manieth call, and which of that call's outputs. */
export type History = { readonly layer: Layer; readonly nodeIndex: number; readonly tensorIndex: number }

/** A symbolic tensor: what `Input` gives, what layers take and give. It remembers the layer that made it. */
export class KTensor {
  /** `history` is null for tensors that no layer returned; a model cannot end in one. */
  constructor(readonly node: Node, readonly history: History | null = null) {}

  get shape(): KShape { return toKShape(this.node.type.shape) }
  get dtype(): DType { return this.node.type.dtype }
  get ndim(): number { return this.node.type.shape.length }

  /** `dense_1/add:0`, `b:0`, `Square:0`: layer and op, as TensorFlow names tensors. */
  get name(): string {
    const { op, from, attrs } = this.node
    if (op === 'input') return `${String(attrs['name'])}:0`
    const title = op.charAt(0).toUpperCase() + op.slice(1)
    return `${from.path === '' ? title : `${from.path}/${title}`}:0`
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
