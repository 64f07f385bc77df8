/** Keras' two ways of keeping gradients small. Given both, the norm comes first. */
import type { Node } from '../../ir/graph.js'
import { add, div, greaterEqual, mul, select, sqrt, sum } from '../../ops/build.js'
import { clip, square } from '../../ops/compositions.js'

export type ClipOptions = {
  /** Largest norm of all gradients together. */
  readonly clipnorm: number | null
  /** Largest absolute value of an element. */
  readonly clipvalue: number | null
}

export function clipGradients(gradients: readonly Node[], { clipnorm, clipvalue }: ClipOptions): readonly Node[] {
  const scaled = clipnorm !== null && clipnorm > 0 ? scaleToNorm(gradients, clipnorm) : gradients
  return clipvalue !== null && clipvalue > 0 ? scaled.map((g) => clip(g, -clipvalue, clipvalue)) : scaled
}

function scaleToNorm(gradients: readonly Node[], limit: number): readonly Node[] {
  const squares = gradients.map((g) => sum(square(g)))
  const norm = sqrt(squares.reduce(add))
  const scale = select(greaterEqual(norm, limit), div(limit, norm), 1)
  return gradients.map((g) => mul(g, scale))
}
