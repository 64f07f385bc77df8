/** `sampleWeightMode` of `compile`: whether the weights of an output are those of samples or of time steps. */
import { ArgumentTypeError, ValueError } from '../../runtime/contract/errors.js'
import { reprText, tupleText } from './python-text.js'
import type { KShape } from './shape.js'

type Mode = 'temporal' | null
/** One mode for all outputs, or one for each by position or by name. */
export type SampleWeightMode = Mode | readonly Mode[] | { readonly [output: string]: Mode }

type Outputs = { readonly outputNames: readonly string[]; readonly outputShapes: readonly KShape[] }

/**
 * Whether each output has weights of time steps.
 * @param isTrained outputs without a loss take no weights, so nothing is checked of theirs
 * @throws ValueError in Keras' words
 */
export function weightModesOf({ outputNames, outputShapes }: Outputs, isTrained: readonly boolean[], mode: SampleWeightMode): readonly boolean[] {
  const modes = perOutput(outputNames, isTrained, mode)
  return modes.map((m, i) => isTrained[i]! && isTemporal(m, outputShapes[i]!))
}

function perOutput(names: readonly string[], isTrained: readonly boolean[], mode: SampleWeightMode): readonly Mode[] {
  if (mode === null || typeof mode === 'string') return names.map(() => mode)
  if (isList(mode)) {
    if (mode.length !== names.length) throw new ValueError(`When passing a list as sample_weight_mode, it should have one entry per model output. The model has ${names.length} outputs, but you passed sample_weight_mode=${reprText(mode)}`)
    return mode
  }
  if (typeof mode !== 'object') throw new ArgumentTypeError(`Could not interpret sample_weight_mode argument: ${reprText(mode)}`)
  const unknown = Object.keys(mode).find((name) => !names.includes(name))
  if (unknown !== undefined) throw new ValueError(`Unknown entry in sample_weight_mode dictionary: "${unknown}". Only expected the following keys: ${reprText(names)}`)
  const missing = names.find((name, i) => isTrained[i] && !(name in mode))
  if (missing !== undefined) throw new ValueError(`Output "${missing}" missing from sample_weight_modes dictionary`)
  return names.map((name) => mode[name] ?? null)
}

const isList = (mode: SampleWeightMode): mode is readonly Mode[] => Array.isArray(mode)

function isTemporal(mode: Mode, shape: KShape): boolean {
  if (mode === null) return false
  if (mode !== 'temporal') throw new ValueError(`"sample_weight_mode should be None or "temporal". Found: ${String(mode)}`)
  if (shape.length < 3) {
    throw new ValueError(`Found a sample_weight array for an input with shape ${tupleText(shape)}. Timestep-wise sample weighting (use of sample_weight_mode="temporal") is restricted to outputs that are at least 3D, i.e. that have a time dimension.`)
  }
  return true
}
