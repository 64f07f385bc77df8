/** Steps whose positions are computed: tables of variables and of values, indices of inputs, of positions and of other tables. */
import { equalDims } from '../../compiler/ir/dim.js'
import type { Node } from '../../compiler/ir/graph.js'
import * as b from '../../compiler/ops/build.js'
import type { Draw } from './draw.js'

const isFloat = (n: Node): boolean => n.type.dtype === 'float32'

/** Whole numbers that no rounding can change: some repeat, some are outside small tables. */
function indices(d: Draw): Node {
  const wide = d.of(d.inputs.filter((n) => isFloat(n) && n.type.shape.length > 0))
  return d.of<() => Node>([
    () => d.labels,
    () => b.sub(b.mul(d.labels, d.of([1, 2])), d.of([0, 1, 2])),
    () => b.cast(b.add(b.mul(b.cast(d.labels, 'float32'), 0.5), 0.25), 'int32'),
    () => b.broadcastTo(b.expandDims(d.labels, 1), [d.labels.type.shape[0]!, d.of([1, 3])]),
    () => b.add(b.broadcastTo(b.expandDims(d.labels, 1), [d.labels.type.shape[0]!, 4]), b.iota([d.labels.type.shape[0]!, 4], 1, 'int32')),
    () => b.cast(b.mul(wide, 4), 'int32'),
    () => b.iota([d.of([1, 3, 7])], 0, 'int32'),
    () => b.sum(d.labels),
    () => b.argmax(wide, 0),
    () => b.gather(b.iota([d.of([2, 6])], 0, 'int32'), d.labels),
  ])()
}

/** Rows of weights, as an embedding takes them. */
function embed(d: Draw): Node {
  const weights = d.variable([d.of([1, 3, 5, 6]), d.of([1, 3, 8, 16, 17])])
  return b.gather(d.chance(0.2) ? b.tanh(weights) : weights, indices(d))
}

function take(d: Draw, x: Node): Node {
  const table = d.of([x, x, b.tanh(x), b.iota(x.type.shape, 0, 'float32')])
  return b.mul(b.gather(table, indices(d), d.axis(x)), 0.5)
}

/** A value for each element of another, from a small table. */
function weigh(d: Draw, x: Node): Node {
  const table = d.variable([d.of([3, 5])])
  const fitting = d.node((n) => isFloat(n) && d.inputs.includes(n) && n.type.shape.length === x.type.shape.length)
  const at = fitting ? b.cast(b.add(b.mul(fitting, 2), 1), 'int32') : d.labels
  return b.mul(b.gather(table, at), 0.7)
}

/** Sums by label, or by position in a table of another size. */
function collect(d: Draw, x: Node): Node | null {
  const axes = x.type.shape.flatMap((s, i) => (equalDims(s, d.labels.type.shape[0]!) ? [i] : []))
  if (axes.length === 0) return null
  const at = d.of([d.labels, b.sub(b.mul(d.labels, 2), 1), b.cast(b.add(b.mul(b.cast(d.labels, 'float32'), 0.5), 0.25), 'int32')])
  const sums = b.scatterAdd(at, d.of([x, b.tanh(x), b.mul(x, 0.3)]), d.of([1, 3, 6]), d.of(axes))
  return d.chance(0.5) ? b.mul(b.tanh(sums), 0.5) : b.mul(sums, 0.2)
}

const orNull = (x: Node | null, make: (x: Node) => Node | null): Node | null => (x ? make(x) : null)

export const indexingSteps: readonly ((d: Draw) => Node | null)[] = [
  (d) => embed(d),
  (d) => orNull(d.ranked(), (x) => take(d, x)),
  (d) => weigh(d, d.any()),
  (d) => orNull(d.ranked(), (x) => collect(d, x)),
]
