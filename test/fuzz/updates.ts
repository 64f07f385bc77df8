/** Updates of variables as optimizers make them, and in ways that are wrong when a value is overwritten too early. */
import { equalShapes } from '../../compiler/ir/dim.js'
import type { Node, Update } from '../../compiler/ir/graph.js'
import * as b from '../../compiler/ops/build.js'
import { softmax, square } from '../../compiler/ops/compositions.js'
import { leafName } from '../../compiler/ops/leaf.js'
import type { Draw } from './draw.js'

/** New values of `w` and of slots beside it, given its slope. */
type Rule = (d: Draw, w: Node, slope: Node) => Update[]

const to = (variable: Node, node: Node): Update => ({ variable: leafName(variable), node })

/** A new variable of the shape of `w`. */
function slot(d: Draw, w: Node): Node {
  const made = b.variable(`w${d.variables.length}`, w.type)
  d.variables.push(made)
  return made
}

const rules: readonly Rule[] = [
  (_, w, g) => [to(w, b.sub(w, b.mul(g, 0.1)))],
  (d, w, g) => { const m = slot(d, w), next = b.sub(b.mul(m, 0.9), b.mul(g, b.scalar('s'))); return [to(m, next), to(w, b.add(w, next))] },
  // Nesterov reads the old and the new momentum.
  (d, w, g) => { const m = slot(d, w), next = b.sub(b.mul(m, 0.9), b.mul(g, 0.1)); return [to(w, b.add(b.add(w, b.mul(next, 0.9)), m)), to(m, next)] },
  (d, w, g) => {
    const m = slot(d, w), v = slot(d, w)
    const mean = b.add(b.mul(m, 0.9), b.mul(g, 0.1)), power = b.add(b.mul(b.abs(v), 0.99), b.mul(square(g), 0.01))
    return [to(m, mean), to(v, power), to(w, b.sub(w, b.div(mean, b.add(b.sqrt(b.add(power, 0.01)), 0.1))))]
  },
  // Each reads the other's old value.
  (d, w, g) => { const u = slot(d, w); return [to(w, b.tanh(b.add(w, u))), to(u, b.sub(b.sub(w, u), g))] },
  (d, w) => { const u = slot(d, w), v = slot(d, w); return [to(w, u), to(u, v), to(v, w)] },
  (d, w, g) => { const u = slot(d, w); return [to(u, w), to(w, b.sub(w, g))] },
  (d, w, g) => { const u = slot(d, w), v = slot(d, w), next = b.add(w, g); return [to(u, next), to(v, next), to(w, b.mul(u, 0.5))] },
  (d, w) => { const u = slot(d, w); return [to(w, b.zerosLike(w)), to(u, b.add(u, w))] },
  // Elements of the old value are needed elsewhere.
  (_, w) => { const [m, n, ...more] = w.type.shape; return [to(w, m === n && m !== undefined && more.length === 0 ? b.mul(b.transpose(w), 0.5) : b.sub(w, b.mean(w)))] },
  (_, w) => [to(w, w.type.shape.length > 0 ? b.sub(w, b.max(w, -1, true)) : w)],
  (_, w) => [to(w, w.type.shape.length > 0 ? softmax(w, w.type.shape.length - 1) : b.tanh(w))],
  (_, w) => {
    const [first] = w.type.shape
    if (typeof first !== 'number' || first < 2) return [to(w, b.neg(w))]
    const rest = w.type.shape.slice(1), zeros = w.type.shape.map(() => 0)
    return [to(w, b.concat([b.slice(w, [1, ...zeros.slice(1)], [first - 1, ...rest]), b.slice(w, zeros, [1, ...rest])], 0))]
  },
]

/** Updates of some of the function's variables. `slopes` are values of their shapes. */
export function drawUpdates(d: Draw, slopes: ReadonlyMap<Node, Node>): Update[] {
  const updated = d.variables.filter(() => d.chance(0.6))
  const updates = updated.flatMap((w) => d.of(rules)(d, w, slopes.get(w) ?? b.mul(w, 0.01)))
  return d.chance(0.3) ? [...updates, ...counter(d)] : updates
}

/** A variable of its own that takes a value other than its function, read by an output. */
function counter(d: Draw): Update[] {
  const source = d.node((n) => n.type.shape.every((s) => typeof s === 'number'))
  if (!source) return []
  const made = slot(d, source)
  const pair = d.variables.find((v) => v !== made && equalShapes(v.type.shape, made.type.shape))
  return [to(made, b.add(b.mul(made, 0.9), pair ? b.sub(source, pair) : source))]
}
