/** A deterministic `fit` by the compiled code: everything it leaves behind and reports on the way. */
import { readFile } from 'node:fs/promises'
import { readKerasH5, type KerasFile } from '../../compiler/files/keras-h5.js'
import type { LoadedModel } from '../../compiler/files/load.js'
import { optimizerSlots } from '../../compiler/nn/optimizer-slots.js'
import { optionsOfConfig, type TrainingConfig } from '../../compiler/nn/compile.js'
import type { FitOptions, Logs } from '../../runtime/contract/fit-types.js'
import { callbacksOf } from './callbacks.js'
import { Unsupported, type Folder, type GoldenCase, type Prepared } from './case.js'
import type { Checks } from './checks.js'
import { customFunctions } from './custom-functions.js'
import { loadAlone, numbered, oneOrList, outputsOf, saveAndLoad, type Arrays } from './models-shared.js'
import { serve, type CompiledCase, type NativeBatch } from './native-batch.js'
import { areRequiredLayers, isRequiredTraining, layerClassesOf } from './required.js'
import { arraysOf, caseFolders, flatNumbers, jsonVector, vectorPath } from './vectors.js'

type Named = { readonly name: string }
type Case = {
  readonly python_before_compile: string
  readonly callbacks: string
  readonly stateful_epochs: boolean
  readonly metrics_names: readonly string[]
  readonly batch_log_keys: readonly string[]
  readonly fit: { readonly batch_size: number; readonly epochs: number; readonly initial_epoch?: number; readonly validation_split?: number; readonly class_weight?: Readonly<Record<string, number>> }
  readonly weights: readonly Named[]
  readonly optimizer_weights: readonly Named[]
  readonly custom_objects: readonly string[]
  readonly rtol: number
  readonly atol: number
}
type StoredHistory = { readonly epoch: readonly number[]; readonly history: Readonly<Record<string, readonly number[]>> }

export const training: Folder = { name: 'training', cases: () => caseFolders('training').map(trainingCase) }

const readModelFile = async (name: string, file: string): Promise<KerasFile> => {
  const path = vectorPath('training', name, file)
  return readKerasH5(await readFile(path), path)
}

function trainingCase(name: string): GoldenCase {
  const c = jsonVector<Case>('training', name, 'case.json')
  const required = async (): Promise<boolean> => {
    const { modelConfig, trainingConfig } = await readModelFile(name, 'initial.h5')
    return c.callbacks === '' && areRequiredLayers(layerClassesOf(modelConfig)) && isRequiredTraining(trainingConfig, c.custom_objects)
  }
  return { name, required, prepare: (batch) => prepare(name, c, batch) }
}

/** A model of one of the case's files, compiled as the file says. */
async function loadCase(name: string, c: Case, file: string): Promise<LoadedModel> {
  const path = vectorPath('training', name, file)
  const customObjects = Object.fromEntries(c.custom_objects.map((key) => [key, customFunctions[key]]))
  if (c.python_before_compile.startsWith('def ')) return loadAlone(path, { customObjects })
  // Whether a layer inside is frozen is not always part of a configuration.
  const frozen = /^model\.get_layer\('(\w+)'\)\.trainable = False$/.exec(c.python_before_compile)?.[1]
  if (frozen === undefined) {
    if (c.python_before_compile !== '') throw new Error(`cannot follow this Python: ${c.python_before_compile}`)
    return loadAlone(path, { customObjects })
  }
  const model = await loadAlone(path, { compile: false })
  model.getLayer(frozen).trainable = false
  model.compile(optionsOfConfig((await readModelFile(name, file)).trainingConfig as TrainingConfig, customFunctions))
  return model
}

async function prepare(name: string, c: Case, batch: NativeBatch): Promise<Prepared> {
  const callbacks = callbacksOf(c.callbacks)
  const initial = await readModelFile(name, 'initial.h5')
  const model = await loadCase(name, c, 'initial.h5')
  if (c.stateful_epochs && !('resetStates' in model)) throw new Unsupported('stateful models')
  const code = batch.addModel(model)
  const final = await loadCase(name, c, 'final.h5')
  return async (check) => {
    const [data, expected] = [await arraysOf('training', name, 'data.npz'), await arraysOf('training', name, 'expected.npz')]
    const run = { check, c, data, expected }
    check.json('configuration', model.serialize(), initial.modelConfig)
    check.same('training_config', model.training!.trainingConfig(), initial.trainingConfig)
    check.same('metrics_names', model.metricsNames, c.metrics_names)
    serve(model, code)
    await train(run, model, callbacks, jsonVector<StoredHistory>('training', name, 'history.json'))
    await compareResults(run, 'after fit', model)
    await compareReloaded(run, model, code, await readModelFile(name, 'final.h5'))
    serve(final, code)
    await compareResults(run, 'final.h5', final)
  }
}

type Run = { readonly check: Checks; readonly c: Case; readonly data: Arrays; readonly expected: Arrays }

/** `x`, `y` and weights as arguments; `prefix` is `v` for validation. */
function argumentsOf(data: Arrays, prefix: string) {
  const [x, y, weights] = ['x_', 'y_', 'sw_'].map((kind) => numbered(data, prefix + kind))
  return { x: oneOrList(x!), y: oneOrList(y!), sampleWeight: weights!.length === 0 ? null : weights!.length === 1 ? weights![0]! : weights! }
}

function fitOptions({ c, data }: Run): FitOptions {
  const validation = data['vx_0'] ? argumentsOf(data, 'v') : null
  return {
    batchSize: c.fit.batch_size, epochs: c.fit.epochs, shuffle: false, verbose: 0,
    ...(c.fit.initial_epoch === undefined ? {} : { initialEpoch: c.fit.initial_epoch }),
    ...(c.fit.validation_split === undefined ? {} : { validationSplit: c.fit.validation_split }),
    ...(c.fit.class_weight === undefined ? {} : { classWeight: c.fit.class_weight }),
    ...(validation ? { validationData: [validation.x, validation.y, validation.sampleWeight] as const } : {}),
    sampleWeight: argumentsOf(data, '').sampleWeight,
  }
}

async function train(run: Run, model: LoadedModel, callbacks: FitOptions['callbacks'] & object, stored: StoredHistory): Promise<void> {
  const { check, c, expected } = run
  const batches: Logs[] = []
  const record = {
    onBatchEnd: (_: number, logs: Logs): void => {
      batches.push({ ...logs })
      if (batches.length === 1) compareWeights(run, model, 'w_after_batch1_', 'after the first batch')
    },
  }
  const { x, y } = argumentsOf(run.data, '')
  const { epoch, history } = await model.fit(x, y, { ...fitOptions(run), callbacks: [...callbacks, record] })
  check.close('sizes of batches', batches.map((l) => l['size']!), expected['batch_size']?.data, { rtol: 0, atol: 0 })
  for (const key of c.batch_log_keys) check.close(`logs of batches: ${key}`, batches.map((l) => l[key]!), expected[`batch_${key}`]?.data, c)
  check.same('epochs', epoch, stored.epoch)
  check.json('names in the history', Object.keys(history), Object.keys(stored.history))
  for (const [key, values] of Object.entries(stored.history)) check.close(`history: ${key}`, history[key], flatNumbers(values), c)
  compareWeights(run, model, 'w_', 'after fit')
  compareOptimizer(run, model, 'after fit')
}

function compareWeights({ check, c, expected }: Run, model: LoadedModel, prefix: string, when: string): void {
  check.same(`names of weights ${when}`, model.weights.map((w) => w.name), c.weights.map((w) => w.name))
  model.weights.forEach((w, j) => check.close(`${w.name} ${when}`, w.read(), expected[`${prefix}${j}`]?.data, c))
}

function compareOptimizer({ check, c, expected }: Run, model: LoadedModel, when: string): void {
  const slots = optimizerSlots(model.training!)
  check.same(`names of the optimizer's weights ${when}`, slots.map((w) => w.name), c.optimizer_weights.map((w) => w.name))
  slots.forEach((w, j) => check.close(`${w.name} ${when}`, w.read(), expected[`opt_${j}`]?.data, c))
}

async function compareResults({ check, c, data, expected }: Run, when: string, model: LoadedModel): Promise<void> {
  const { x, y, sampleWeight } = argumentsOf(data, '')
  const values = await model.evaluate(x, y, { batchSize: c.fit.batch_size, verbose: 0, sampleWeight })
  check.close(`evaluate ${when}`, Array.isArray(values) ? values : [values], expected['evaluate']?.data, c)
  const outputs = outputsOf(await model.predict(x, { batchSize: c.fit.batch_size }))
  outputs.forEach((y, k) => check.close(`predict ${when} ${k}`, y, expected[`pred_${k}`]?.data, c))
}

/** What was trained is saved, loaded and used; files of frozen parts inside load with other parameters, so they are left out. */
async function compareReloaded(run: Run, model: LoadedModel, code: CompiledCase, final: KerasFile): Promise<void> {
  const { check, c } = run
  check.same('training_config after fit', model.training!.trainingConfig(), final.trainingConfig)
  if (c.python_before_compile.startsWith('model.')) return
  const again = await saveAndLoad(model, { customObjects: customFunctions })
  check.json('configuration after saving', again.serialize(), final.modelConfig)
  serve(again, code)
  compareOptimizer(run, again, 'after saving')
  await compareResults(run, 'after saving', again)
}
