/**
 * The meaning of a function: every op evaluated plainly, one after the other. Slow and obvious; compiled code is
 * compared with it. With precision f32, results of float32 ops are rounded to float32 after each op (sums inside an op
 * are kept in double); with f64 they are not, which is what finite differences need.
 */
import { roundedTo, type ElementType } from '../ir/element-type.js'
import { evaluateDim, evaluateShape, type DimEnv } from '../ir/dim.js'
import { rootsOf, topological, type Graph, type Node } from '../ir/graph.js'
import type { Tensor } from './define-op.js'
import { leafName } from './leaf.js'
import { opOf } from './registry.js'
import { elementCount } from './strides.js'

export type Values = Readonly<Record<string, Tensor>>

export type Run = {
  readonly inputs: Values
  readonly variables?: Values
  readonly scalars?: Readonly<Record<string, number>>
  /** Values of the symbols in shapes. */
  readonly dims?: DimEnv
  readonly seed?: number
  readonly step?: number
  readonly precision?: 'f32' | 'f64'
}

export type RunResult = { readonly outputs: Record<string, Tensor>; readonly updates: Record<string, Tensor> }

/** @throws RangeError for a leaf or symbol without a value, or a value whose size is not that of its type. */
export function interpret(graph: Graph, run: Run): RunResult {
  const values = evaluateNodes(rootsOf(graph), run)
  return {
    outputs: Object.fromEntries(graph.outputs.map((o) => [o.name, values.get(o.node)!])),
    updates: Object.fromEntries(graph.updates.map((u) => [u.variable, values.get(u.node)!])),
  }
}

/** The values of `roots` and of all they need. */
export function evaluateNodes(roots: readonly Node[], run: Run): Map<Node, Tensor> {
  const values = new Map<Node, Tensor>()
  for (const node of topological(roots)) values.set(node, evaluateNode(node, node.inputs.map((x) => values.get(x)!), run))
  return values
}

/** The value of one node, given its inputs' values. */
export function evaluateNode(node: Node, inputs: readonly Tensor[], run: Run): Tensor {
  const shape = evaluateShape(node.type.shape, run.dims ?? {})
  const data = boundValue(node, shape, run) ?? evaluateOp(node, shape, inputs, run)
  return { shape, data: rounded(data, node.type.dtype, run.precision ?? 'f32') }
}

function evaluateOp(node: Node, shape: readonly number[], inputs: readonly Tensor[], run: Run): Float64Array {
  return opOf(node).evaluate(inputs, {
    attrs: node.attrs, dtype: node.type.dtype, shape, seed: run.seed ?? 0, step: run.step ?? 0,
    size: (dim) => evaluateDim(dim, run.dims ?? {}),
  })
}

/** The caller's value of an input, a variable or a run-time scalar; null for computed nodes. */
function boundValue(node: Node, shape: readonly number[], run: Run): Float64Array | null {
  const { lowering } = opOf(node)
  if (lowering.kind === 'generate' && typeof node.attrs.name === 'string') return Float64Array.of(named(run.scalars, node.attrs.name, 'scalar'))
  if (lowering.kind !== 'leaf') return null
  const name = leafName(node)
  const value = named(lowering.holds === 'input' ? run.inputs : run.variables, name, lowering.holds)
  if (value.data.length !== elementCount(shape)) {
    throw new RangeError(`expected ${elementCount(shape)} elements for ${lowering.holds} "${name}", found ${value.data.length}`)
  }
  return value.data
}

function named<T>(table: Readonly<Record<string, T>> | undefined, name: string, what: string): T {
  const value = table?.[name]
  if (value === undefined) throw new RangeError(`no value for the ${what} "${name}"`)
  return value
}

/** A copy of `data` with values that `dtype` has. */
function rounded(data: Float64Array, dtype: ElementType, precision: 'f32' | 'f64'): Float64Array {
  switch (dtype) {
    case 'float32': return precision === 'f32' ? data.map(Math.fround) : data
    case 'bfloat16': case 'tfloat32': return data.map((x) => roundedTo(dtype, x))
    case 'int32': return data.map((x) => x | 0)
    case 'float64': case 'bool': case 'uint8': return data
  }
}
