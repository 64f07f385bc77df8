/** The functions of a windowed case, their values, and the comparison with plain evaluation and its differences. */
import { expect } from 'vitest'
import { dataType } from '../../../compiler/ir/element-type.js'
import { isStatic, symbolsOf, type DimEnv } from '../../../compiler/ir/dim.js'
import type { Graph, Node, Variable } from '../../../compiler/ir/graph.js'
import * as b from '../../../compiler/ops/build.js'
import type { Tensor } from '../../../compiler/ops/define-op.js'
import { gradients } from '../../../compiler/ops/gradients.js'
import type { Values } from '../../../compiler/ops/interpret.js'
import { leafName } from '../../../compiler/ops/leaf.js'
import { randomSource, randomTensor } from '../../ops/values.js'
import { boundedResults, compareBounded, type Bounded } from '../error-bound.js'
import type { Callable, Task } from '../native-functions.js'
import type { Made, WindowedCase } from './cases.js'

/** A case with its functions: the value; the value with the gradient of sum(y * s); the gradient of that gradient. */
export type Prepared = { readonly c: WindowedCase; readonly made: Made; readonly seed: Node; readonly value: Graph; readonly gradient: Graph; readonly second: Graph; readonly name: string }

const graphOf = (name: string, inputs: readonly Node[], outputs: Readonly<Record<string, Node>>): Graph =>
  ({ name, inputs, outputs: Object.entries(outputs).map(([key, node]) => ({ name: key, node })), updates: [] })

const dot = (ys: readonly Node[], ws: readonly Node[]): Node => ys.map((y, i) => b.sum(b.mul(y, ws[i]!))).reduce((p, q) => b.add(p, q))

export function prepare(c: WindowedCase, i: number): Prepared {
  const made = c.make(), { x, y, weights } = made
  const seed = b.input('s', y.type), leaves = [x, ...weights]
  const slopes = gradients(y, seed, leaves).map((g, k) => g ?? b.zerosLike(leaves[k]!))
  const directions = leaves.map((leaf, k) => b.input(`v${k}`, leaf.type))
  const curves = gradients(dot(slopes, directions), null, [...leaves, seed])
  return {
    c, made, seed, name: `windowed_${i}`,
    value: graphOf('value', [x], { y }),
    gradient: graphOf('gradient', [x, seed], { y, ...Object.fromEntries(slopes.map((g, k) => [`d${k}`, g])) }),
    // To x, to each weight, to s.
    second: graphOf('second', [x, seed, ...directions], Object.fromEntries(curves.flatMap((g, k) => (g ? [[`c${k}`, g]] : [])))),
  }
}

const variablesOf = ({ made }: Prepared): Variable[] =>
  made.weights.map((w) => ({ name: leafName(w), dtype: dataType(w.type.dtype), shape: w.type.shape.filter(isStatic), role: 'weight', trainable: true }))

const taskName = (p: Prepared, graph: Graph): string => `${p.name}_${graph.name}`

export const tasksOf = (p: Prepared): Task[] => [p.value, p.gradient, p.second].filter((g) => g.outputs.length > 0)
  .map((graph): Task => ({ name: taskName(p, graph), graph, variables: variablesOf(p), scalars: [], fuse: true }))

/** Values of one call: everything that any of the functions reads. */
export type Run = { readonly dims: DimEnv; readonly inputs: Values; readonly variables: Values }

export function runOf(p: Prepared, batch: number): Run {
  const dims = Object.fromEntries(symbolsOf(p.made.x.type.shape[0]!).map((name) => [name, batch])), random = randomSource(batch + 11)
  const draw = (nodes: readonly Node[]): Values => Object.fromEntries(nodes.map((n) => [leafName(n), randomTensor(n.type, random, [-1, 1], dims)]))
  return { dims, inputs: draw([p.made.x, p.seed, ...p.second.inputs.filter((n) => leafName(n).startsWith('v'))]), variables: draw(p.made.weights) }
}

/** Calls of every function of the case at one batch size. */
export const callsOf = (p: Prepared, run: Run): { readonly task: string; readonly values: Run }[] =>
  [p.value, p.gradient, p.second].filter((g) => g.outputs.length > 0).map((graph) => ({ task: taskName(p, graph), values: run }))

/**
 * Steps are powers of two, which round no argument. A product of two arguments has exact differences whatever the step;
 * a maximum between its kinks, which are further away than a small step.
 */
const stepOf = ({ c }: Prepared): number => (c.smallSteps ? 2 ** -16 : 0.5)
/** Elements of each argument that are moved. */
const probes = 5

/** Leaves in the order of the gradients: x, then the weights. */
const leavesOf = (p: Prepared, run: Run): Tensor[] => [run.inputs[leafName(p.made.x)]!, ...p.made.weights.map((w) => run.variables[leafName(w)]!)]
const scoreOf = (p: Prepared, leaves: readonly Tensor[], s: Tensor): number =>
  p.c.plain(leaves[0]!, leaves.slice(1)).data.reduce((sum, y, i) => sum + y * s.data[i]!, 0)
const plus = (x: Tensor, by: number, direction: ArrayLike<number>): Tensor => ({ shape: x.shape, data: x.data.map((v, i) => v + by * direction[i]!) })
const unitAt = (x: Tensor, e: number): Float64Array => x.data.map((_, i) => Number(i === e))
const difference = (step: number, f: (by: number) => number): number => (f(step) - f(-step)) / (2 * step)
const probed = (x: Tensor): number[] => Array.from({ length: Math.min(probes, x.data.length) }, (_, i) => Math.floor(((i + 0.5) * x.data.length) / Math.min(probes, x.data.length)))

/** Compiled results within the bound of their roundings from plain values and from differences of plain values. */
export function checkRun(native: Callable, p: Prepared, run: Run): void {
  const call = (graph: Graph): { name: string; actual: ReturnType<Callable['call']>; bounds: Record<string, Bounded> } =>
    ({ name: graph.name, actual: native.call(taskName(p, graph), run), bounds: boundedResults(graph, run) })
  const leaves = leavesOf(p, run), s = run.inputs['s']!
  const y = p.c.plain(leaves[0]!, leaves.slice(1))
  for (const { name, actual, bounds } of [call(p.value), call(p.gradient)]) expectBounded(`${name}.y`, actual['y']!, { value: y, error: bounds['y']!.error })
  const first = call(p.gradient)
  leaves.forEach((leaf, k) => {
    expectWhole(`d${k}`, first.actual[`d${k}`]!, first.bounds[`d${k}`]!)
    for (const e of probed(leaf)) {
      const slope = difference(stepOf(p), (by) => scoreOf(p, leaves.with(k, plus(leaf, by, unitAt(leaf, e))), s))
      expectNear(`d${k}[${e}]`, first.actual[`d${k}`]![e]!, slope, first.bounds[`d${k}`]!.error[e]!, p.c.smallSteps ? 1e-9 : 1e-12)
    }
  })
  if (p.second.outputs.length > 0) checkSecond(call(p.second), p, leaves, s, run)
}

/** The gradient of the slope of the score in the direction v0, v1, …, against differences of differences. */
function checkSecond({ actual, bounds }: { actual: ReturnType<Callable['call']>; bounds: Record<string, Bounded> }, p: Prepared, leaves: readonly Tensor[], s: Tensor, run: Run): void {
  const along = (at: readonly Tensor[], seed: Tensor): number =>
    difference(stepOf(p), (by) => scoreOf(p, at.map((leaf, k) => plus(leaf, by, run.inputs[`v${k}`]!.data)), seed))
  for (const { name } of p.second.outputs) {
    expectWhole(name, actual[name]!, bounds[name]!)
    const k = Number(name.slice(1)), leaf = [...leaves, s][k]!
    for (const e of probed(leaf)) {
      const moved = (by: number): Tensor => plus(leaf, by, unitAt(leaf, e))
      const curve = difference(stepOf(p), (by) => (k === leaves.length ? along(leaves, moved(by)) : along(leaves.with(k, moved(by)), s)))
      expectNear(`${name}[${e}]`, actual[name]![e]!, curve, bounds[name]!.error[e]!, p.c.smallSteps ? 1e-5 : 1e-12)
    }
  }
}

function expectBounded(what: string, actual: ArrayLike<number>, bound: Bounded): void {
  expect(actual.length, what).toBe(bound.value.data.length)
  expectWhole(what, actual, bound)
}

function expectWhole(what: string, actual: ArrayLike<number>, bound: Bounded): void {
  const { worst, at, unknown } = compareBounded(actual, bound)
  expect(unknown, what).toBe(0)
  expect(worst, `${what}[${at}] = ${actual[at]}, expected ${bound.value.data[at]} ± ${bound.error[at]}`).toBeLessThanOrEqual(1)
}

/** `rounding`: of the differences. */
function expectNear(what: string, actual: number, expected: number, error: number, rounding: number): void {
  expect(Math.abs(actual - expected), `${what} = ${actual}, expected ${expected} ± ${error}`).toBeLessThanOrEqual(2 * error + rounding)
}
