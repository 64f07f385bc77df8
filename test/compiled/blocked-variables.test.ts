/**
 * Variables stored in blocks of columns: which they are, that hosts see rows, and that the layout changes no bit. The
 * same functions are compiled twice; in one copy every weight and slot is also summed up, which keeps it by rows.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { topological, rootsOf, type Graph, type Module } from '../../compiler/ir/graph.js'
import { Dense, Sequential, clearSession } from '../../compiler/index.js'
import { moduleSource } from '../../compiler/nn/module-source.js'
import { sum } from '../../compiler/ops/build.js'
import type { Values } from '../../compiler/ops/interpret.js'
import { assemble, layOutVariables, optimize, planGraph } from '../../compiler/pipeline.js'
import { cpu } from '../../compiler/schedule/target.js'
import { blockedVariables } from '../../compiler/plan/variable-layout.js'
import { Observer } from '../../compiler/observer.js'
import { compileTasks, emitTasks, type NativeFunctions, type Task } from './native-functions.js'

/** Products of every form: 100 rows are no whole number of tiles, 192 columns three blocks, 10 columns none. */
function module(): Module {
  clearSession()
  const model = Sequential([Dense(192, { activation: 'relu', inputShape: [100] }), Dense(128, { activation: 'tanh' }), Dense(10, { activation: 'softmax' })])
  model.compile({ optimizer: 'rmsprop', loss: 'categorical_crossentropy' })
  return optimize(assemble(moduleSource(model)), new Observer('blocked', () => undefined, () => ''))
}

/** The function with the sum of every matrix among its variables as a further output: a use that reads by rows. */
function readByRows(graph: Graph): Graph {
  const variables = topological(rootsOf(graph)).filter((node) => node.op === 'variable' && node.type.shape.length === 2)
  return { ...graph, outputs: [...graph.outputs, ...variables.map((node, i) => ({ name: `sum${i}`, node: sum(node, [0, 1], false) }))] }
}

const source = module()
const functions = source.functions.filter((f) => f.name !== 'evaluate')
const task = (graph: Graph, name: string): Task => ({ name, graph, variables: source.variables, scalars: source.scalars, fuse: true })
const planned = emitTasks('blocked', functions.flatMap((f) => [task(f, `${f.name}_blocks`), task(readByRows(f), `${f.name}_rows`)]))
let native: NativeFunctions

beforeAll(async () => { native = await compileTasks(planned) })
afterAll(() => native.close())

/** Repeatable values, large enough in the first places of each row that a wrong place shows. */
const fill = (shape: readonly number[], seed: number): Values[string] =>
  ({ shape, data: Float64Array.from({ length: shape.reduce((p, d) => p * d, 1) }, (_, i) => Math.fround((((i * 7919 + seed * 104729) % 2003) - 1001) / 8000)) })

const blockedIn = (graph: Graph): readonly string[] => [...blockedVariables([planGraph(graph, { fuse: true })])].sort()

describe('variables in blocks', () => {
  test('are the large matrices that only products use', () => {
    const train = functions.find((f) => f.name === 'trainStep')!
    const shapes = new Map(source.variables.map(({ name, shape }) => [name, shape.join('x')]))
    expect(blockedIn(train).map((name) => shapes.get(name)).sort()).toEqual(['100x192', '100x192', '192x128', '192x128'])
    expect(blockedIn(train)).toContain('dense_1/kernel:0')
    expect(blockedIn(readByRows(train))).toEqual([])
  })

  test('are by rows for all functions when one needs it', () => {
    const [predict, train] = [functions.find((f) => f.name === 'predict')!, functions.find((f) => f.name === 'trainStep')!]
    const plans = layOutVariables([readByRows(predict), train].map((graph) => ({ general: planGraph(graph, { fuse: true }), fixed: [] })), cpu)
    const stored = plans.flatMap((p) => p.general.kernels).flatMap((k) => k.bindings)
    const names = (blocked: boolean): string[] => [...new Set(stored.flatMap(({ buffer, home }) => (home.kind === 'variable' && (buffer.blocked === true) === blocked ? [home.name] : [])))]
    expect(names(false)).toContain('dense_1/kernel:0')
    expect(names(true).filter((name) => names(false).includes(name))).toEqual([])
    expect(names(true).length).toBe(2)
  })

  test.each(functions.flatMap((f) => [1, 3, 5, 37, 130].map((batch) => [f.name, batch] as const)))('%s gives the bits it gives by rows, batch %i', (name, batch) => {
    const graph = functions.find((f) => f.name === name)!
    const inputs = Object.fromEntries(graph.inputs.map((node, i) => [String(node.attrs['name']), fill(node.type.shape.map((d) => (typeof d === 'number' ? d : batch)), i + 1)]))
    const variables = Object.fromEntries(source.variables.filter((v) => v.dtype === 'float32').map((v, i) => [v.name, v.role === 'weight' ? fill(v.shape, 20 + i) : positive(fill(v.shape, 20 + i))]))
    const values = { inputs, variables, dims: { B: batch } }
    const blocks = native.call(`${name}_blocks`, values), rows = native.call(`${name}_rows`, values)
    expect(Object.keys(blocks).length).toBeGreaterThan(0)
    for (const [key, value] of Object.entries(blocks)) expect(value, key).toEqual(rows[key])
  })
})

/** Squares, as slots of optimizers hold. */
const positive = ({ shape, data }: Values[string]): Values[string] => ({ shape, data: Float64Array.from(data, (x) => Math.fround(x * x)) })
