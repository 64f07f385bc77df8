/** What the files of K functions share: operands, and the user's line on what a call makes. */
import type { Node } from '../ir/graph.js'
import { within } from '../ops/provenance.js'
import { captureLocation } from '../support/capture.js'
import { session } from './session.js'
import { KTensor, type TensorLike } from './tensor.js'

/** A symbolic tensor, or a number. */
export type TensorOrNumber = TensorLike | number

export const operand = (x: TensorOrNumber): Node | number => (typeof x === 'number' ? x : x.node)
export const tensor = (node: Node): KTensor => new KTensor(node)

/** Nodes made by a user's call carry the line of it, also deep inside a layer. */
export function atCall<T>(make: () => T): T {
  const location = captureLocation()
  return location ? within({ location }, make) : make()
}

/** The tensor of what `make` gives, on the user's line. */
export const made = (make: () => Node): KTensor => atCall(() => tensor(make()))

/** A random stream of the run in which a layer is called; of no run, stream 0. */
export const nextStream = (seed: number | null): number => session.currentRun?.nextStream(seed) ?? 0
/** Whether a training step is being made. */
export const isTraining = (): boolean => session.currentRun?.training ?? false
