/** Checks of what targets hold, where a wrong value would silently train nonsense or read outside an array. */
import { ValueError } from './contract/errors.js'
import type { TargetManifest } from './contract/manifest.js'
import type { NDArray } from './ndarray.js'

/**
 * Labels of a sparse loss must be integers in [0, classes); one-hot targets must not be NaN. Targets of other losses
 * may be anything: a custom loss may give NaN a meaning.
 */
export function checkLabels(array: NDArray, target: TargetManifest): void {
  switch (target.kind) {
    case 'sparse': return checkSparse(array, target)
    case 'categorical': return checkNumbers(array, target)
    case 'other': return
  }
}

function checkSparse({ data }: NDArray, { output, classes, loss }: TargetManifest): void {
  const limit = classes ?? Infinity
  for (let i = 0; i < data.length; i++) {
    const label = data[i]!
    if (label >= 0 && label < limit && Number.isInteger(label)) continue
    const range = classes === null ? 'non-negative integers' : `integers in [0, ${classes})`
    throw new ValueError(`Error when checking target: the labels of ${output} for the loss \`${loss}\` must be ${range}, but got ${label} at element ${i}`)
  }
}

function checkNumbers({ data }: NDArray, { output, loss }: TargetManifest): void {
  const i = data.findIndex((v) => Number.isNaN(v))
  if (i >= 0) throw new ValueError(`Error when checking target: the targets of ${output} for the loss \`${loss}\` must be numbers, but got nan at element ${i}`)
}
