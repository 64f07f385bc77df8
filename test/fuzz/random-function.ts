/** A random function for a seed: a model-like body with several outputs, maybe its gradient, maybe updates of variables. */
import { ValueError } from '../../runtime/contract/errors.js'
import { dataType } from '../../compiler/ir/element-type.js'
import { isStatic, symbol, type DimEnv } from '../../compiler/ir/dim.js'
import type { Graph, Module, Node, Variable } from '../../compiler/ir/graph.js'
import * as b from '../../compiler/ops/build.js'
import { gradients } from '../../compiler/ops/gradients.js'
import type { Values } from '../../compiler/ops/interpret.js'
import { leafName } from '../../compiler/ops/leaf.js'
import { f32, i32 } from '../../compiler/ops/samples.js'
import { randomSource, randomTensor } from '../ops/values.js'
import { Draw, isSmall } from './draw.js'
import { steps } from './steps.js'
import { drawUpdates } from './updates.js'

export type RandomFunction = {
  readonly seed: number
  readonly graph: Graph
  readonly variables: readonly Variable[]
  readonly scalars: Module['scalars']
  /** Values of inputs and variables for a batch size. */
  readonly values: (dims: DimEnv) => { readonly inputs: Values; readonly variables: Values }
}

const B = symbol('B')

const inputsOf = (seed: number): Node[] => {
  const random = randomSource(seed + 1)
  const shapes = [f32(B, 5), f32(B, 5), f32(B, 16), f32(B, 1), f32(1, 5), f32(B, 3, 4), f32(), f32(7), f32(1), f32(B, 1, 8), f32(B)]
  return [f32(B, 5), ...shapes.filter(() => random() < 0.35)].map((type, i) => b.input(`x${i}`, type))
}

export function randomFunction(seed: number): RandomFunction {
  const labels = b.input('labels', i32(B)), inputs = inputsOf(seed)
  const d = new Draw(seed, inputs, labels)
  const size = 3 + d.whole(9)
  for (let i = 0; i < size; i++) {
    const made = b.within({ location: null, path: `step_${i}` }, () => attempt(() => d.of(steps)(d)))
    if (made && isSmall(made)) d.pool.push(made)
  }
  return finished(seed, d, [...new Set([...d.pool.slice(-1 - d.whole(3)), ...(d.chance(0.3) ? [d.any()] : [])])])
}

/** The function with these results: their loss, maybe slopes of it, maybe updates, maybe further outputs. */
export function finished(seed: number, d: Draw, results: readonly Node[]): RandomFunction {
  const { inputs, labels } = d
  const loss = results.map((node) => b.mean(b.tanh(node))).reduce((s, t) => b.add(s, t))
  const slopes = d.chance(0.6) ? slopesOf(loss, [...inputs.filter(() => d.chance(0.3)), ...d.variables]) : new Map<Node, Node>()
  const updates = d.chance(0.5) ? b.within({ location: null, path: 'update' }, () => drawUpdates(d, slopes)) : []
  const shown = [...results, ...(updates.length > 0 || d.chance(0.5) ? [loss] : []), ...[...slopes.values()].filter(() => updates.length === 0 || d.chance(0.3)), ...oddOutputs(d)]
  const graph: Graph = { name: 'f', inputs: [...inputs, labels], outputs: shown.map((node, i) => ({ name: `y${i}`, node })), updates }
  return {
    seed, graph, scalars: [{ name: 's', value: 0.5 }],
    variables: d.variables.map((v) => ({ name: leafName(v), dtype: dataType(v.type.dtype), shape: v.type.shape.filter(isStatic), role: 'weight', trainable: true })),
    values: (dims) => {
      const random = randomSource(seed + 2)
      const draw = (leaves: readonly Node[], range: readonly [number, number]): Values => Object.fromEntries(leaves.map((leaf) => [leafName(leaf), randomTensor(leaf.type, random, range, dims)]))
      return { inputs: { ...draw(inputs, [-1.5, 1.5]), ...draw([labels], [0, 5]) }, variables: draw(d.variables, [-1, 1]) }
    },
  }
}

/** A step that an op refuses makes nothing. */
export function attempt(step: () => Node | null): Node | null {
  try {
    return step()
  } catch (error) {
    if (error instanceof ValueError) return null
    throw error
  }
}

function slopesOf(loss: Node, wrt: readonly Node[]): Map<Node, Node> {
  const found = gradients(loss, null, wrt)
  return new Map(wrt.flatMap((x, i) => (found[i] ? [[x, found[i]]] : [])))
}

/** Outputs that are no computed float: an input itself, an old variable, a view, bools and integers. */
function oddOutputs(d: Draw): Node[] {
  const x = d.any()
  const kinds: readonly (() => Node)[] = [
    () => d.of(d.inputs), () => (d.variables.length > 0 ? d.of(d.variables) : d.labels), () => b.reshape(x, [-1]), () => b.greater(d.of(d.inputs), 0.1),
    () => b.add(d.labels, 1), () => b.constant(0.25, f32(3)), () => b.cast(b.greater(d.of(d.inputs), 0), 'int32'), () => b.cast(d.labels, 'uint8'), () => b.broadcastTo(b.scalar('s'), [2, 3]),
  ]
  return kinds.filter(() => d.chance(0.08)).map((make) => make())
}
