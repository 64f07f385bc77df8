/** A weight of a layer: a variable of the compiled module, with a value on this side until an engine holds it. */
import type { DType, TypedArray } from '../../runtime/contract/dtype.js'
import { allocate } from '../../runtime/contract/dtype.js'
import { ValueError } from '../../runtime/contract/errors.js'
import type { NestedArray, ShapedArray } from '../../runtime/contract/fit-types.js'
import type { Node } from '../ir/graph.js'
import { variable } from '../ops/build.js'
import type { Constraint } from './constraints.js'
import type { Regularizer } from './regularizers.js'
import { tupleText } from './python-text.js'

/** Where the values of weights live once a model runs. Names are those of the module's table. */
export type WeightStore = {
  readVariable(name: string): TypedArray
  writeVariable(name: string, value: TypedArray): void
}

/** A value with its shape, as `getWeights` returns and `setWeights` takes it (nested lists too). */
export type WeightValue = { readonly data: TypedArray; readonly shape: readonly number[]; readonly dtype: DType }
export type WeightInput = ShapedArray | NestedArray | number

export type WeightOptions = {
  readonly name: string
  readonly shape: readonly number[]
  readonly dtype: DType
  readonly trainable: boolean
  /** Draws the first value; called at most once. */
  readonly draw: () => TypedArray
  readonly regularizer: Regularizer | null
  readonly constraint: Constraint | null
}

export class Weight {
  readonly name: string
  readonly shape: readonly number[]
  readonly dtype: DType
  /** Whether the layer declares it trainable; a frozen layer lists it among the others all the same. */
  readonly trainable: boolean
  readonly regularizer: Regularizer | null
  readonly constraint: Constraint | null
  /** The value inside compiled functions. */
  readonly node: Node
  private readonly draw: () => TypedArray
  private held: TypedArray | null = null
  private store: { readonly at: WeightStore; readonly name: string } | null = null

  constructor(options: WeightOptions) {
    ({ name: this.name, shape: this.shape, dtype: this.dtype, trainable: this.trainable } = options)
    ;({ draw: this.draw, regularizer: this.regularizer, constraint: this.constraint } = options)
    this.node = variable(this.name, { dtype: this.dtype, shape: this.shape })
  }

  get size(): number { return this.shape.reduce((a, b) => a * b, 1) }
  /** The value on this side: drawn from the initializer at first use. The engine's, when one is attached. */
  get value(): TypedArray { return this.read() }

  read(): TypedArray {
    if (this.store) return this.store.at.readVariable(this.store.name)
    return (this.held ??= this.draw())
  }

  /** @throws ValueError when the number of elements differs. */
  write(value: TypedArray): void {
    if (value.length !== this.size) throw new ValueError(`Weight ${this.name} has shape ${tupleText(this.shape)} and ${this.size} elements; found ${value.length}.`)
    const copy = allocate(this.dtype, value.length)
    copy.set(value)
    if (this.store) this.store.at.writeVariable(this.store.name, copy)
    else this.held = copy
  }

  /** From now on the value lives in `at`, under `name`; it is written there first. */
  attach(at: WeightStore, name: string = this.name): void {
    if (this.store?.at === at) return
    const value = this.read()
    this.store = { at, name }
    at.writeVariable(name, value)
  }

  /** Takes the value back before `from` goes away; does nothing when the value lives elsewhere. */
  detach(from: WeightStore): void {
    if (this.store?.at !== from) return
    const value = this.read().slice()
    this.store = null
    this.held = value
  }

  toString(): string { return `<tf.Variable '${this.name}' shape=${tupleText(this.shape)} dtype=${this.dtype}>` }
}

/** A user's array with its shape. @throws ValueError for ragged lists. */
export function toWeightValue(input: WeightInput): { data: TypedArray; shape: readonly number[] } {
  if (typeof input === 'number') return { data: Float64Array.of(input), shape: [] }
  if (!('data' in input)) return fromNested(input)
  const { data, shape } = input
  if (data instanceof Float32Array || data instanceof Float64Array || data instanceof Int32Array || data instanceof Uint8Array) return { data, shape }
  return { data: Float64Array.from(data as ArrayLike<number | bigint>, Number), shape }
}

function fromNested(list: NestedArray): { data: TypedArray; shape: readonly number[] } {
  const shape: number[] = []
  for (let at: unknown = list; Array.isArray(at); at = at[0]) shape.push(at.length)
  const data: number[] = []
  const visit = (x: unknown, level: number): void => {
    if (!Array.isArray(x)) return void data.push(Number(x))
    if (x.length !== shape[level]) throw new ValueError(`Lists of one depth must be of equal length; found ${x.length} where the first has ${shape[level] ?? 0}.`)
    for (const item of x) visit(item, level + 1)
  }
  visit(list, 0)
  return { data: Float64Array.from(data), shape }
}
