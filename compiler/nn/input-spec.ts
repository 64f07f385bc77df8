/** What a layer demands of its inputs, checked with Keras' messages. */
import { ValueError } from '../../runtime/contract/errors.js'
import { tupleText } from './python-text.js'
import type { KShape } from './shape.js'
import { KTensor } from './tensor.js'

export type InputSpec = {
  readonly ndim?: number
  readonly minNdim?: number
  readonly maxNdim?: number
  readonly dtype?: string
  readonly shape?: KShape
  /** Size by axis; negative axes count from the last. */
  readonly axes?: Readonly<Record<number, number>>
}

type Complaint = string | null

/** @throws ValueError in Keras' words when the inputs do not fit. */
export function checkInputs(layerName: string, inputs: readonly KTensor[], spec: InputSpec | readonly (InputSpec | null)[] | null): void {
  if (spec === null) return
  const specs = Array.isArray(spec) ? (spec as readonly (InputSpec | null)[]) : [spec as InputSpec]
  if (specs.length !== inputs.length) {
    throw new ValueError(`Layer ${layerName} expects ${specs.length} inputs, but it received ${inputs.length} input tensors. Input received: [${inputs.map(String).join(', ')}]`)
  }
  inputs.forEach((tensor, i) => {
    const complaint = specs[i] ? complaintOf(tensor, specs[i]) : null
    if (complaint !== null) throw new ValueError(`Input ${i} is incompatible with layer ${layerName}: ${complaint}`)
  })
}

function complaintOf(x: KTensor, spec: InputSpec): Complaint {
  const { ndim, minNdim, maxNdim, dtype } = spec
  if (ndim !== undefined && x.ndim !== ndim) return `expected ndim=${ndim}, found ndim=${x.ndim}`
  if (maxNdim !== undefined && x.ndim > maxNdim) return `expected max_ndim=${maxNdim}, found ndim=${x.ndim}`
  if (minNdim !== undefined && x.ndim < minNdim) return `expected min_ndim=${minNdim}, found ndim=${x.ndim}`
  if (dtype !== undefined && x.dtype !== dtype) return `expected dtype=${dtype}, found dtype=${x.dtype}`
  return axesComplaint(x.shape, spec.axes ?? {}) ?? shapeComplaint(x.shape, spec.shape)
}

function axesComplaint(shape: KShape, axes: Readonly<Record<number, number>>): Complaint {
  for (const [axis, value] of Object.entries(axes)) {
    const found = shape.at(Number(axis))
    if (found !== null && found !== value) return `expected axis ${axis} of input shape to have value ${value} but got shape ${tupleText(shape)}`
  }
  return null
}

function shapeComplaint(shape: KShape, expected: KShape | undefined): Complaint {
  const differs = expected?.some((want, i) => want !== null && (shape[i] ?? null) !== null && want !== shape[i])
  return expected && differs ? `expected shape=${tupleText(expected)}, found shape=${tupleText(shape)}` : null
}
