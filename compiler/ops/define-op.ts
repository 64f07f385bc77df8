/**
 * The contract of an op. One record is the op's only definition: every pass, the interpreter, the lowering, the tests
 * and the documentation read it, and none of them asks which op it has. All fields but those with a `?` are required; "none" is
 * written with its reason.
 */
import type { Dim, Shape } from '../ir/dim.js'
import type { Attrs, Node, TensorType } from '../ir/graph.js'
import type { Expr, Index, ReduceOp } from '../ir/loop.js'

/** A concrete tensor of the plain evaluation. All element types are held as doubles. */
export type Tensor = { readonly shape: readonly number[]; readonly data: Float64Array }

/** What an evaluation may use besides its inputs. */
export type EvaluateContext = {
  readonly attrs: Attrs
  /** Result type with all symbols replaced by their values. */
  readonly dtype: TensorType['dtype']
  readonly shape: readonly number[]
  readonly seed: number
  readonly step: number
  /** Value of a dimension under the symbols of this run. */
  readonly size: (dim: Shape[number]) => number
}

/** The axis that stands for a looked-up place in the index of a table. */
export const lookedUp = 'row'

/** How an op becomes loops. A schedule and fusion decide from this alone. */
export type Lowering =
  /** One result element from the elements of the inputs at the same position (all inputs have the result's shape). */
  | { readonly kind: 'pointwise'; readonly expr: (args: readonly Expr[], node: Node) => Expr }
  /** No inputs: an element from its own position. `index` has one entry per result dimension. */
  | { readonly kind: 'generate'; readonly expr: (index: readonly Index[], node: Node) => Expr }
  /** A result element is one input element elsewhere. `index` per input dimension, from the result's. */
  | { readonly kind: 'indexMap'; readonly map: (index: readonly Index[], node: Node) => readonly Index[] }
  /**
   * A result element is the element of input 0 at `table`, where the axis `lookedUp` stands for the int32
   * element of input 1 at `at`, a place along `axis` of input 0; 0 where there is no such place.
   */
  | { readonly kind: 'lookup'; readonly axis: (node: Node) => number; readonly table: (index: readonly Index[], node: Node) => readonly Index[]
      readonly at: (index: readonly Index[], node: Node) => readonly Index[] }
  /** The input element at `inside`, or `value` where that lies outside of the input; `assembled` is the same as a node that is stored. */
  | { readonly kind: 'border'; readonly inside: (index: readonly Index[], node: Node) => readonly Index[]; readonly value: (node: Node) => number
      readonly assembled: (node: Node) => Node }
  /** The same bytes under another shape: never a kernel. */
  | { readonly kind: 'view' }
  /** Input i fills the box of its own shape at `offset` of the result; the boxes cover the result exactly once. */
  | { readonly kind: 'tiles'; readonly offsets: (node: Node) => readonly Shape[] }
  /** Combination over the axes; reduced dimensions are dropped. */
  | { readonly kind: 'reduce'; readonly op: ReduceOp; readonly axes: (node: Node) => readonly number[] }
  /** Position of the first largest element along an axis. */
  | { readonly kind: 'argmax'; readonly axis: (node: Node) => number }
  /** result[rows, columns] = sum over the inner axes of lhs * rhs. */
  | { readonly kind: 'contract'; readonly axes: (node: Node) => ContractAxes }
  /** A result element is the sum, rising, of the elements of input 1 along `axis` where the rank-1 int32 input 0 is its place there. */
  | { readonly kind: 'collect'; readonly axis: (node: Node) => number }
  /** Other ops, which take its place once derivatives have been taken: it reaches no kernel. */
  | { readonly kind: 'composed'; readonly of: (node: Node) => Node }
  /** Bytes that exist outside: an input or a variable. (Constants and run-time scalars are `generate`.) */
  | { readonly kind: 'leaf'; readonly holds: 'input' | 'variable' }

/** Axes of the operands of a contraction: outer ones are axes of the result (rows, then columns), inner ones are summed over. */
export type ContractAxes = {
  readonly lhs: { readonly outer: readonly number[]; readonly inner: readonly number[] }
  readonly rhs: { readonly outer: readonly number[]; readonly inner: readonly number[] }
}

/** Given the op's node and the gradient of its result: the gradient of each input, null where none flows. */
export type Gradient = (node: Node, grad: Node) => readonly (Node | null)[]

/** A tensor, or a number in each of its elements. */
export type Operand = Node | number
/** x · factor + offset. */
export type Affine = { readonly factor: Operand; readonly offset: Operand }
/** Of the operand at position `at`, the others being `others`, in their order. */
export type AffineIn = (at: number, others: readonly Operand[]) => Affine | null

/** A dimension that must not be negative, and what it is that would not fit: "windows of 3 elements". */
export type Demand = { readonly room: Dim; readonly what: string }

export type OpDefinition = {
  readonly name: string
  /** One sentence: the result in terms of inputs and attributes, dtypes, the rule for NaN where it is not obvious. */
  readonly doc: string
  readonly arity: number | 'any'
  /** Type-and-shape rule. @throws ValueError saying what was found and what was expected. */
  readonly infer: (inputs: readonly TensorType[], attrs: Attrs) => TensorType
  readonly gradient: Gradient | { readonly none: string }
  readonly lowering: Lowering
  /** Plain evaluation: the meaning of the op. float32 results are rounded by the interpreter, not here. */
  readonly evaluate: (inputs: readonly Tensor[], context: EvaluateContext) => Float64Array
  /** A cheaper equal node, or null. Inputs are already simplified. */
  readonly simplify: ((node: Node) => Node | null) | null
  /** The box of `size` elements of the result that starts at `begin`, without computing the rest; absent where that is no less work. */
  readonly sliced?: (node: Node, begin: Shape, size: Shape) => Node
  /**
   * Every `steps[axis]`-th element of the result along each axis, from the first on, where those of an input are `read(input, steps)`;
   * null where that is not what the op makes of fewer elements, absent where it never is.
   */
  readonly thinned?: (node: Node, steps: readonly number[], read: (input: Node, steps: readonly number[]) => Node) => Node | null
  /** The same elements in row-major order under another shape, of an op without inputs; absent where that is no other such node. */
  readonly reshaped?: (node: Node, shape: Shape) => Node
  /** Inputs may be swapped. */
  readonly commutative: boolean
  /** `free`: never worth storing; `cheap`: recompute rather than store; `costly`: compute once. */
  readonly cost: 'free' | 'cheap' | 'costly'
  /** The result as a multiple of one operand plus an offset; absent where it is not, null where it is not for this operand. */
  readonly affine?: AffineIn
  /** What must hold of sizes that are only known when the function is called; absent where all sizes will do. */
  readonly demands?: (node: Node) => readonly Demand[]
  /** Inputs of the function whose values this op takes as places along an axis of known size; absent where it takes none. */
  readonly indices?: (node: Node) => readonly { readonly input: Node; readonly rows: number }[]
  /** Cases the generated tests build. Inputs are drawn from `range`, away from kinks. */
  readonly samples: readonly Sample[]
  /** Inputs that must be refused. */
  readonly rejects: readonly Reject[]
}

export type Sample = {
  readonly inputs: readonly TensorType[]
  readonly attrs?: Attrs
  /** Inputs are uniform in [low, high); default [-2, 2). */
  readonly range?: readonly [number, number]
  /** Largest error of compiled float32 against the plain evaluation, in units of the last place; default 4. */
  readonly ulp?: number
}
export type Reject = { readonly inputs: readonly TensorType[]; readonly attrs?: Attrs; readonly message: RegExp }

export const defineOp = <const T extends OpDefinition>(definition: T): T => definition

/** Sizes at which shapes go wrong: empty, one, around a vector, around a tile. */
export const boundarySizes = [0, 1, 3, 15, 16, 17, 31, 33] as const
