/**
 * Random modules of many ops: `value` with several outputs and a loss, and `gradient`, its derivative to all variables.
 * Values stay of moderate size, and what is not continuous depends on inputs only, so that roundings cannot grow.
 * Used to compare passes, fusion and compiled code with the interpreter.
 */
import { equalShapes, isStatic, symbol, type DimEnv, type Shape } from '../../compiler/ir/dim.js'
import type { Module, Node } from '../../compiler/ir/graph.js'
import * as b from '../../compiler/ops/build.js'
import { gradients } from '../../compiler/ops/gradients.js'
import type { Values } from '../../compiler/ops/interpret.js'
import { leafName } from '../../compiler/ops/leaf.js'
import { f32 } from '../../compiler/ops/samples.js'
import { randomSource, randomTensor } from './values.js'

export type RandomCase = { readonly module: Module; readonly inputs: Values; readonly variables: Values; readonly scalars: Readonly<Record<string, number>>; readonly dims: DimEnv }

const B = symbol('B')

/** Choices of one random module. */
class Draw {
  readonly pool: Node[]
  readonly variables: Node[] = []
  streams = 0
  constructor(readonly random: () => number, readonly inputs: readonly Node[]) { this.pool = [...inputs] }

  whole(below: number): number { return Math.floor(this.random() * below) }
  of<T>(list: readonly T[]): T { return list[this.whole(list.length)]! }
  /** A node made so far; later ones more often. */
  node(fits: (node: Node) => boolean = () => true): Node | undefined {
    const fitting = this.pool.filter(fits)
    return fitting[Math.floor(Math.sqrt(this.random()) * fitting.length)]
  }
  any(): Node { return this.node()! }
  /** Another node of the shape of `x`, or `x`. */
  like(x: Node): Node { return this.node((n) => equalShapes(n.type.shape, x.type.shape)) ?? x }
  variable(shape: Shape): Node {
    const made = b.variable(`w${this.variables.length}`, f32(...shape))
    this.variables.push(made)
    return made
  }
}

const rank2 = (n: Node): boolean => n.type.shape.length === 2
const last = (x: Node): number => Number(x.type.shape.at(-1))
const hasLast = (n: Node): boolean => { const d = n.type.shape.at(-1); return d !== undefined && isStatic(d) && d > 1 }

/** What a step may add. Null when the pool has nothing to do it with. */
const steps: readonly ((d: Draw) => Node | null)[] = [
  (d) => { const x = d.any(); return d.of([b.add, b.sub, b.maximum, b.minimum])(x, d.like(x)) },
  (d) => { const x = d.any(); return b.mul(x, b.tanh(d.like(x))) },
  (d) => { const x = d.any(); return b.div(x, b.add(b.abs(d.like(x)), 1)) },
  (d) => d.of([b.tanh, b.sigmoid, b.relu, b.neg, b.abs])(d.any()),
  (d) => d.of([b.exp, b.expm1])(b.minimum(d.any(), 1)),
  (d) => d.of([b.log1p, b.sqrt])(b.add(b.relu(d.any()), d.of([0.5, 1]))),
  (d) => d.of([b.add, b.mul, b.sub])(d.any(), d.of([0, 1, -1, 0.5, 0.3, 2])),
  (d) => { const x = d.of(d.inputs); return b.select(b.greater(x, d.of([0, 0.25])), d.like(x), d.of<b.Operand>([0, d.like(x), b.neg(d.like(x))])) },
  // Dropout, in both spellings.
  (d) => { const x = d.any(), keep = b.greaterEqual(b.randomUniform(x.type.shape, d.streams++), 0.25); return d.of([b.select(keep, b.mul(x, 4 / 3), 0), b.div(b.mul(x, b.cast(keep, 'float32')), 0.75)]) },
  (d) => { const x = d.any(); return b.add(x, b.broadcastTo(b.scalar('s'), x.type.shape)) },
  // A bias, and a scale by column.
  (d) => { const x = d.node(hasLast); return x ? d.of([b.add, b.mul])(x, d.variable([last(x)])) : null },
  (d) => { const x = d.node((n) => rank2(n) && hasLast(n)); return x ? b.matmul(x, b.mul(d.variable([last(x), d.of([1, 3, 8, 17])]), 0.5)) : null },
  (d) => { const x = d.node((n) => rank2(n) && hasLast(n)); return x ? b.matmul(x, b.tanh(d.variable([d.of([2, 5, 16]), last(x)])), { transposeB: true }) : null },
  // Statistics over an axis, back on every element.
  (d) => { const x = d.node(hasLast); return x ? b.sub(x, d.of([b.mean, b.max, b.min])(x, -1, true)) : null },
  (d) => { const x = d.node((n) => n.type.shape.length > 0); return x ? d.of([b.mean(x, 0), b.max(x, -1), b.mean(x, -1, true)]) : null },
  (d) => { const x = d.node(hasLast); return x ? b.concat([x, d.like(x)], -1) : null },
  (d) => { const x = d.node(hasLast); return x ? b.slice(x, x.type.shape.map((_, i) => (i === x.type.shape.length - 1 ? 1 : 0)), [...x.type.shape.slice(0, -1), last(x) - 1]) : null },
  (d) => { const x = d.node(rank2); return x ? b.transpose(x) : null },
  (d) => { const x = d.any(); return b.expandDims(x, d.whole(x.type.shape.length + 1)) },
  (d) => { const x = d.node((n) => n.type.shape.length > 1); return x ? b.reshape(x, [-1]) : null },
]

const isSmall = (node: Node): boolean => node.type.shape.length <= 4 && node.type.shape.every((d) => !isStatic(d) || d <= 64)

/** The same module for the same seed; `size` ops are asked for. */
export function randomModule(seed: number, size = 14): RandomCase {
  const random = randomSource(seed)
  const inputs = [b.input('x', f32(B, 5)), b.input('y', f32(B, 5)), b.input('z', f32(B, 16))]
  const draw = new Draw(random, inputs)
  for (let i = 0; i < size; i++) {
    const made = b.within({ location: null, path: `step_${i}` }, () => draw.of(steps)(draw))
    if (made && isSmall(made)) draw.pool.push(made)
  }
  const outputs = [...new Set(draw.pool.slice(-3))].map((node, i) => ({ name: `y${i}`, node }))
  const loss = outputs.map((o) => b.mean(b.tanh(o.node))).reduce((s, t) => b.add(s, t))
  const slopes = gradients(loss, null, [...inputs, ...draw.variables]).flatMap((node, i) => (node ? [{ name: `d${i}`, node }] : []))
  const module: Module = {
    name: `random_${seed}`, scalars: [{ name: 's', value: 0.5 }],
    variables: draw.variables.map((v) => ({ name: leafName(v), dtype: 'float32', shape: v.type.shape.filter(isStatic), role: 'weight', trainable: true })),
    functions: [
      { name: 'value', inputs, outputs: [...outputs, { name: 'loss', node: loss }], updates: [] },
      { name: 'gradient', inputs, outputs: [{ name: 'loss', node: loss }, ...slopes], updates: [] },
    ],
  }
  const dims = { B: draw.of([1, 2, 3, 7, 16, 17]) }
  return { module, dims, scalars: { s: 0.5 }, inputs: drawAll(inputs, random, dims), variables: drawAll(draw.variables, random, dims) }
}

const drawAll = (leaves: readonly Node[], random: () => number, dims: DimEnv): Values =>
  Object.fromEntries(leaves.map((leaf) => [leafName(leaf), randomTensor(leaf.type, random, [-1.5, 1.5], dims)]))
