/** Sizes that only a call knows, checked against what the compiled function can take. */
import { ValueError } from './contract/errors.js'
import type { DimConstraint, FunctionManifest } from './contract/manifest.js'
import { evaluateDim, symbolsIn } from './dims.js'
import type { NDArray } from './ndarray.js'
import { pythonTuple } from './python-text.js'

type ValueOf = (symbol: string) => number

/** @param arrays in the order of the function's inputs. @throws ValueError naming the input, its axis, the least size and the layer. */
export function checkConstraints({ inputs, constraints = [] }: FunctionManifest, arrays: readonly NDArray[], valueOf: ValueOf): void {
  const broken = constraints.find(({ room }) => evaluateDim(room, valueOf) < 0)
  if (!broken) return
  const symbol = symbolsIn(broken.room).find((name) => leastValue(name, constraints, valueOf) !== null)
  const at = inputs.findIndex(({ shape }) => shape.some((d) => d === symbol))
  const culprit = symbol !== undefined && at >= 0 ? { name: inputs[at]!.name, axis: inputs[at]!.shape.indexOf(symbol), least: leastValue(symbol, constraints, valueOf)! } : null
  if (culprit) throw tooSmall(culprit, arrays[at]!, broken)
  throw new ValueError(`Error when checking input: ${complaint(broken)} of arrays with the shapes ${arrays.map((a) => pythonTuple(a.shape)).join(', ')}`)
}

const complaint = ({ layer, what, room }: DimConstraint): string => `${layer === '' ? 'the model' : `layer ${layer}`} has no room for ${what} (${room} is below 0)`

const tooSmall = (culprit: { name: string; axis: number; least: number }, array: NDArray, broken: DimConstraint): ValueError =>
  new ValueError(`Error when checking input: expected ${culprit.name} to have at least ${culprit.least} elements along axis ${culprit.axis} but got array with shape ${pythonTuple(array.shape)}: ${complaint(broken)}`)

/** Beyond this no size is tried. */
const largest = 65536

/** The least size from the one given on that all constraints on this symbol accept, the other sizes being as they are. */
function leastValue(symbol: string, constraints: readonly DimConstraint[], valueOf: ValueOf): number | null {
  const own = constraints.filter(({ room }) => symbolsIn(room).includes(symbol))
  const fits = (size: number): boolean => own.every(({ room }) => evaluateDim(room, (name) => (name === symbol ? size : valueOf(name))) >= 0)
  for (let size = valueOf(symbol); size <= largest; size = size < 256 ? size + 1 : size + Math.ceil(size / 16)) if (fits(size)) return refine(size, valueOf(symbol), fits)
  return null
}

/** The first size that fits, below one that does. */
function refine(found: number, least: number, fits: (size: number) => boolean): number {
  let size = found
  while (size > least && fits(size - 1)) size--
  return size
}
