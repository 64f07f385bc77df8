/** `model.save` and `model.save_weights`: files that Python Keras reads. Written beside and renamed. */
import { existsSync } from 'node:fs'
import { KccError } from '../../runtime/contract/errors.js'
import { writeFileAtomic } from '../support/files.js'
import type { CompiledTraining } from '../nn/compile.js'
import { writeKerasH5, writeKerasWeights } from './keras-h5.js'
import type { KerasFile, NamedArray } from './keras-h5.js'
import { layerWeights, namedArrays } from './layer-weights.js'
import type { WeightedModel } from './layer-weights.js'
import { optimizerSlots } from '../nn/optimizer-slots.js'

/** What our files say they are: the layout of this version of Keras on its usual backend. */
const dialect = { kerasVersion: '2.3.1', backend: 'tensorflow' } as const

export type SavableModel = WeightedModel & {
  /** `{class_name, config}`. */
  serialize(): unknown
  /** Null before `compile`. */
  readonly training: CompiledTraining | null
}

export type SaveOptions = {
  /** Whether an existing file may be replaced; default true. */
  readonly overwrite?: boolean
  /** Whether the optimizer's state is saved, for training to go on exactly; default true. */
  readonly includeOptimizer?: boolean
}

/** Saves architecture, weights, and for a compiled model its training configuration and the optimizer's state. */
export async function saveModel(model: SavableModel, path: string, options: SaveOptions = {}): Promise<void> {
  writeNew(path, options, await writeKerasH5(kerasFile(model, options.includeOptimizer ?? true), path))
}

/** Saves the weights alone. */
export async function saveWeights(model: WeightedModel, path: string, options: Pick<SaveOptions, 'overwrite'> = {}): Promise<void> {
  writeNew(path, options, await writeKerasWeights({ ...dialect, layers: layerWeights(model) }, path))
}

function kerasFile(model: SavableModel, includeOptimizer: boolean): KerasFile {
  const training = includeOptimizer ? model.training : null
  return {
    ...dialect,
    modelConfig: model.serialize(),
    trainingConfig: training?.trainingConfig() ?? null,
    layers: layerWeights(model),
    optimizerWeights: training === null ? null : stateOf(training),
  }
}

/** Keras writes the state only once there is one: after the first step, or after loading. */
function stateOf(training: CompiledTraining): NamedArray[] | null {
  const slots = optimizerSlots(training)
  return (slots[0]?.read()[0] ?? 0) > 0 ? namedArrays(slots) : null
}

function writeNew(path: string, options: Pick<SaveOptions, 'overwrite'>, bytes: Uint8Array): void {
  if (options.overwrite === false && existsSync(path)) throw new KccError(`${path} exists, and overwrite is false`)
  writeFileAtomic(path, bytes)
}
