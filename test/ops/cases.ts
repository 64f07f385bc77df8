/**
 * One case per sample of every op record: a module with the function `value` and, where the op is differentiable, the
 * function `gradient`, plus values for their inputs. Used here against plain evaluation, and by the tests of compiled code.
 */
import { dataType } from '../../compiler/ir/element-type.js'
import { isStatic } from '../../compiler/ir/dim.js'
import type { Graph, Module, Node, Output } from '../../compiler/ir/graph.js'
import { input, makeNode } from '../../compiler/ops/build.js'
import type { OpDefinition, Sample } from '../../compiler/ops/define-op.js'
import { gradients } from '../../compiler/ops/gradients.js'
import type { Values } from '../../compiler/ops/interpret.js'
import { leafName } from '../../compiler/ops/leaf.js'
import { registry } from '../../compiler/ops/registry.js'
import { isOpName } from '../../compiler/ops/type-rules.js'
import { randomSource, randomTensor } from './values.js'

export type OpCase = {
  /** Unique, and an identifier: "matmul_12". */
  readonly name: string
  /** For people: "matmul f32[3,4] f32[4,5] {…}". */
  readonly title: string
  readonly op: OpDefinition
  readonly sample: Sample
  /** Functions `value` (output `y`) and maybe `gradient` (outputs `d0`, `d1`, … of inputs `x0`, `x1`, … and `seed`). */
  readonly module: Module
  /** Values of all inputs of both functions. */
  readonly inputs: (seed: number) => Values
  /** Values of the module's variables. */
  readonly variables: (seed: number) => Values
  /** Allowed error of compiled float32, as `errorInUlp` measures it. */
  readonly ulp: number
}

export const opCases = (): OpCase[] => registry.flatMap((op) => op.samples.map((sample, i) => opCase(op, sample, i)))

/** The case of one sample; `number` makes its name unique among those of the op. */
export function opCase(op: OpDefinition, sample: Sample, number: number): OpCase {
  const name = `${op.name}_${number}`
  const xs = sample.inputs.map((type, i) => input(`x${i}`, type))
  if (!isOpName(op.name)) throw new Error(`the record ${op.name} has no type rule`)
  const y = makeNode(op.name, xs, sample.attrs ?? {})
  const value = valueGraph(op, xs, y)
  const gradient = gradientGraph(op, xs, y)
  const module = moduleOf(name, y, [value, ...(gradient ? [gradient] : [])])
  const leaves = (gradient ?? value).inputs
  return {
    name, op, sample, module, ulp: sample.ulp ?? 4,
    title: `${op.name} ${JSON.stringify(sample.inputs.map((t) => [t.dtype, ...t.shape]))} ${JSON.stringify(sample.attrs ?? {})}`,
    inputs: (seed) => draw(leaves, seed, sample.range),
    variables: (seed) => draw(holds(op) === 'variable' ? [y] : [], seed, sample.range),
  }
}

/** Which kind of leaf the op is, if it is one. */
const holds = ({ lowering }: OpDefinition): 'input' | 'variable' | null => (lowering.kind === 'leaf' ? lowering.holds : null)

const valueGraph = (op: OpDefinition, xs: readonly Node[], y: Node): Graph =>
  ({ name: 'value', inputs: holds(op) === 'input' ? [y] : xs, outputs: [{ name: 'y', node: y }], updates: [] })

const isFloat = (node: Node): boolean => node.type.dtype.startsWith('float')

function gradientGraph(op: OpDefinition, xs: readonly Node[], y: Node): Graph | null {
  if (typeof op.gradient !== 'function' || !isFloat(y) || !xs.some(isFloat)) return null
  const seed = input('seed', y.type)
  const outputs = gradients(y, seed, xs).flatMap((node, i): Output[] => (node && isFloat(xs[i]!) ? [{ name: `d${i}`, node }] : []))
  return { name: 'gradient', inputs: [...xs, seed], outputs, updates: [] }
}

function moduleOf(name: string, y: Node, functions: readonly Graph[]): Module {
  const { kind } = registry.find((op) => op.name === y.op)!.lowering
  const variables = kind === 'leaf' && functions[0]!.inputs[0] !== y
    ? [{ name: leafName(y), dtype: dataType(y.type.dtype), shape: y.type.shape.filter(isStatic), role: 'weight' as const, trainable: true }] : []
  const scalars = kind === 'generate' && typeof y.attrs.name === 'string' ? [{ name: y.attrs.name, value: 0.5 }] : []
  return { name, variables, scalars, functions }
}

function draw(leaves: readonly Node[], seed: number, range: readonly [number, number] | undefined): Values {
  const random = randomSource(seed)
  return Object.fromEntries(leaves.map((leaf) => [leafName(leaf), randomTensor(leaf.type, random, leafName(leaf) === 'seed' ? [-1, 1] : range)]))
}
