/** Choices of one random function: seeded numbers, and the values made so far. */
import { equalDims, equalShapes, isStatic, type Shape } from '../../compiler/ir/dim.js'
import type { Node } from '../../compiler/ir/graph.js'
import * as b from '../../compiler/ops/build.js'
import { f32 } from '../../compiler/ops/samples.js'
import { randomSource } from '../ops/values.js'

const mostElements = 48

/** Small enough to evaluate plainly many times. */
export const isSmall = ({ type: { shape } }: Node): boolean =>
  shape.length <= 4 && shape.reduce<number>((p, d) => p * (isStatic(d) ? d : 2), 1) <= 400 && shape.every((d) => !isStatic(d) || d <= mostElements)

export class Draw {
  readonly pool: Node[]
  readonly variables: Node[] = []
  private streams = 0
  private readonly random: () => number

  constructor(seed: number, readonly inputs: readonly Node[], readonly labels: Node) {
    this.random = randomSource(seed)
    this.pool = [...inputs]
  }

  number(): number { return this.random() }
  whole(below: number): number { return Math.floor(this.random() * below) }
  chance(share: number): boolean { return this.random() < share }
  of<T>(list: readonly T[]): T { return list[this.whole(list.length)]! }

  /** A value made so far; later ones more often. */
  node(fits: (node: Node) => boolean = () => true): Node | null {
    const fitting = this.pool.filter(fits)
    return fitting[Math.floor(Math.sqrt(this.random()) * fitting.length)] ?? null
  }
  any(): Node { return this.node()! }
  matrix(): Node | null { return this.node((n) => n.type.shape.length === 2 && isStatic(n.type.shape[1]!)) }
  ranked(least = 1): Node | null { return this.node((n) => n.type.shape.length >= least) }

  /** Another value that broadcasts with `x` to its shape, or `x`. */
  beside(x: Node): Node {
    return this.node((n) => n !== x && fitsInto(n.type.shape, x.type.shape)) ?? x
  }
  /** Another value of the very shape of `x`, or `x`. */
  like(x: Node): Node { return this.node((n) => n !== x && equalShapes(n.type.shape, x.type.shape)) ?? x }

  axis(x: Node): number { return this.whole(x.type.shape.length) }
  /** Some axes, at least one. */
  axes(x: Node): number[] {
    const some = x.type.shape.map((_, i) => i).filter(() => this.chance(0.5))
    return some.length > 0 ? some : [this.axis(x)]
  }
  staticAxis(x: Node, least = 1): number | null {
    const fitting = x.type.shape.flatMap((d, i) => (isStatic(d) && d >= least ? [i] : []))
    return fitting.length > 0 ? this.of(fitting) : null
  }

  variable(shape: Shape): Node {
    const known = this.variables.filter((v) => equalShapes(v.type.shape, shape))
    if (known.length > 0 && this.chance(0.3)) return this.of(known)
    const made = b.variable(`w${this.variables.length}`, f32(...shape))
    this.variables.push(made)
    return made
  }
  /** A uniform tensor; now and then of a stream that exists already. */
  uniform(shape: Shape): Node {
    return b.randomUniform(shape, this.streams > 0 && this.chance(0.2) ? this.whole(this.streams) : this.streams++)
  }
}

function fitsInto(small: Shape, large: Shape): boolean {
  const skipped = large.length - small.length
  return skipped >= 0 && small.every((d, i) => d === 1 || equalDims(d, large[skipped + i]!))
}
