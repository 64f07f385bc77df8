/**
 * Combinations over much that leave few results, as the gradient of a bias over all pictures: a thread or a block for each
 * result would leave most of a GPU idle. They are found for every part (the outermost reduced axis) first, then over the parts,
 * in an order that the sizes fix. `partial-sums.ts` is the same for vectors of a CPU.
 *
 *     for d3 < 64 {                                             for d0 < B {
 *       reduce v0: f32 = sum over d0 < B, d1 < 28, d2 < 28 {      for d3 < 64 {
 *         value …                                                   reduce t0: f32 = sum over d1 < 28, d2 < 28 { value … }
 *       }                                                  →        store part0[64*d0 + d3] = t0
 *       store out0[d3] = v0                                       …
 *     }                                                         for d3 < 64 {
 *                                                                 reduce v0: f32 = sum over d0 < B { value part0[64*d0 + d3] }
 *                                                                 store out0[d3] = v0
 */
import { atReference } from '../ir/cost.js'
import { axisIndex, linearIndex, loadExpr, localExpr } from '../ir/expr.js'
import { extentOf, type Axis, type Buffer, type Combination, type KernelProgram, type Stmt } from '../ir/loop.js'
import { isIndependent, sameAxes } from './partial-sums.js'
import { Names } from './straight-line.js'
import type { CudaTarget } from './target.js'

type Reduce = Stmt & { readonly kind: 'reduce' }

/** Parts, and elements of each, that are worth a second pass over what they leave. */
const leastParts = 8, leastElements = 64

/** What one statement combines: for each place of the `kept` axes over `parts` and the `rest`. */
type Shape = { readonly kept: readonly Axis[]; readonly inside: readonly Stmt[]; readonly reduces: readonly Reduce[]; readonly parts: Axis; readonly rest: readonly Axis[] }

export function sumsInParts(kernel: KernelProgram, target: CudaTarget): KernelProgram {
  const names = new Names(kernel), scratch = [...kernel.scratch]
  const body = statementsOf(kernel).flatMap((statements) => {
    const shape = shapeOf(statements, target)
    if (!shape) return statements
    const own = shape.reduces.flatMap((s) => s.results).map(({ dtype }, i): Buffer =>
      ({ name: `part${scratch.length + i}`, dtype, shape: [shape.parts, ...shape.kept].map((axis) => axis.extent) }))
    scratch.push(...own)
    return [...eachPart(shape, own, names), ...overParts(shape, own)]
  })
  return { ...kernel, scratch, body }
}

/** Loops one after the other, each by itself; statements outside of loops belong together. */
const statementsOf = ({ body }: KernelProgram): readonly (readonly Stmt[])[] =>
  (body.every((s) => s.kind === 'for' || s.kind === 'contract') ? body.map((s) => [s]) : [body])

function shapeOf(body: readonly Stmt[], target: CudaTarget): Shape | null {
  const { kept, inside } = keptAxes(body)
  const reduces = inside.filter((s) => s.kind === 'reduce'), [first] = reduces
  if (!first || !inside.every((s) => s.kind === 'reduce' || s.kind === 'let' || s.kind === 'store')) return null
  if (!reduces.every((s) => isIndependent(s) && sameAxes(s.axes, first.axes))) return null
  const [parts, ...rest] = first.axes
  const isMuch = parts !== undefined && atReference(parts.extent) >= leastParts && atReference(extentOf(rest)) >= leastElements
  return isMuch && atReference(extentOf(kept)) * leastElements < target.threads ? { kept, inside, reduces, parts, rest } : null
}

/** Loops directly in each other, and what is inside of them all. */
function keptAxes(body: readonly Stmt[]): { kept: readonly Axis[]; inside: readonly Stmt[] } {
  const [only] = body
  if (body.length !== 1 || only?.kind !== 'for') return { kept: [], inside: body }
  const { kept, inside } = keptAxes(only.body)
  return { kept: [only.axis, ...kept], inside }
}

const placeIn = (buffer: Buffer, { parts, kept }: Shape) => linearIndex([parts, ...kept].map((axis) => axisIndex(axis.name)), buffer.shape)

function eachPart(shape: Shape, scratch: readonly Buffer[], names: Names): readonly Stmt[] {
  let next = 0
  const found = shape.reduces.flatMap((s): Stmt[] => {
    const results = s.results.map((r): Combination => ({ ...r, name: names.fresh() }))
    const stores = results.map((r): Stmt => {
      const buffer = scratch[next++]!
      return { kind: 'store', buffer: buffer.name, index: placeIn(buffer, shape), value: localExpr(r.dtype, r.name), from: s.from }
    })
    return [{ ...s, axes: shape.rest, modes: shape.rest.map(() => 'serial'), results }, ...stores]
  })
  return nest([shape.parts, ...shape.kept], found)
}

/** The statements as they were, with what the parts gave in the place of what they were made of. */
function overParts(shape: Shape, scratch: readonly Buffer[]): readonly Stmt[] {
  let next = 0
  const ofParts = (r: Combination): Combination => {
    const buffer = scratch[next++]!
    return { ...r, value: loadExpr(r.dtype, buffer.name, placeIn(buffer, shape)) }
  }
  const replaced = shape.inside.map((s): Stmt => (s.kind === 'reduce' ? { ...s, axes: [shape.parts], modes: ['serial'], body: [], results: s.results.map(ofParts) } : s))
  return shape.kept.length === 0 ? [{ kind: 'for', axis: { name: 'one', extent: 1 }, mode: 'serial', body: replaced }] : nest(shape.kept, replaced)
}

const nest = (axes: readonly Axis[], body: readonly Stmt[]): readonly Stmt[] =>
  axes.reduceRight<readonly Stmt[]>((inner, axis) => [{ kind: 'for', axis, mode: 'serial', body: inner }], body)
