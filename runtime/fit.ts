/** `fit`: Keras' training loop around compiled steps. */
import { CallbackList, wantBatches } from './callback-list.js'
import { History } from './callbacks.js'
import { ValueError } from './contract/errors.js'
import type { ArrayData, CallbackModel, CallbackParams, FitOptions, Logs, ValidationData } from './contract/fit-types.js'
import { addBatch, batchLogs, evaluateData, reserveEvaluation } from './evaluate.js'
import { MetricAverages } from './metric-averages.js'
import { ProgbarLogger } from './progbar-logger.js'
import { batchCount, runBatches, sizeOfBatch } from './run-batches.js'
import type { BatchObserver, BatchRun } from './run-batches.js'
import type { Session } from './session.js'
import { checkWholeBatches, chooseBatchSize, functionInputs, sliceTraining, standardizeTraining } from './training-data.js'
import type { TrainingData } from './training-data.js'

/** Everything about one `fit` that does not change from epoch to epoch. */
type Training = {
  readonly session: Session
  readonly options: Required<Pick<FitOptions, 'epochs' | 'initialEpoch' | 'verbose' | 'shuffle' | 'validationFreq'>>
  readonly data: TrainingData
  readonly validation: TrainingData | null
  /** What a device may keep the validation data under; 0: not at all. */
  readonly validationNumber: number
  readonly run: Omit<BatchRun, 'order'>
  readonly averages: MetricAverages
  readonly owner: CallbackModel
  readonly callbacks: CallbackList
  readonly progress: ProgbarLogger | null
}

/** @param owner the model that callbacks see and whose `stopTraining` ends the training. */
export async function fit(session: Session, x: ArrayData, y: ArrayData, options: FitOptions, owner: CallbackModel): Promise<History> {
  return session.exclusively(async () => {
    const history = new History()
    const training = prepare(session, x, y, options, owner, history)
    try {
      await train(training)
    } finally {
      forgetData(training)
    }
    return history
  })
}

function prepare(session: Session, x: ArrayData, y: ArrayData, options: FitOptions, owner: CallbackModel, history: History): Training {
  const fn = session.trainFunction(), { model } = session
  const chosen = checkOptions(options)
  const all = standardizeTraining(model, fn, x, y, options.sampleWeight, options.classWeight)
  const { data, validation } = splitValidation(session, all, options)
  const batchSize = chooseBatchSize(options.batchSize, fn)
  for (const part of [data, validation]) if (part !== null) checkWholeBatches(part.samples, fn)
  const inputs = functionInputs(model, fn, data), scalarOutputs = model.metricsNames.length
  const { samples } = data
  const dims = session.program.dimsOf(fn, inputs)
  session.program.reserve(fn, dims, samples, batchSize)
  if (validation !== null) reserveEvaluation(session, validation, batchSize)
  const averages = new MetricAverages(session.program, model)
  const params: CallbackParams = {
    batchSize, epochs: chosen.epochs, steps: null, samples, verbose: chosen.verbose, doValidation: validation !== null,
    metrics: validation === null ? model.metricsNames : [...model.metricsNames, ...model.metricsNames.map((name) => `val_${name}`)],
  }
  const progress = chosen.verbose === 0 ? null : new ProgbarLogger(model.metricsNames.slice(1), session.screen)
  const user = options.callbacks ?? []
  // The progress bar is told of batches by the loop itself unless a callback of the user wants them anyway.
  const callbacks = new CallbackList([...(progress === null ? [] : [progress]), ...user, history], owner, params)
  return {
    session, options: chosen, data, validation, validationNumber: validation === null ? 0 : numberFor(session, validationsOf(chosen)), owner, callbacks, progress: wantBatches(user, 'Train') ? null : progress, averages,
    run: {
      fn, inputs, outputs: [], logs: new Float32Array(batchCount({ samples, batchSize }) * scalarOutputs), scalarOutputs, state: averages.state,
      samples, batchSize, dims, data: numberFor(session, chosen.epochs - chosen.initialEpoch),
    },
  }
}

/** A number for data that are gone over `times`; none for once, when bringing them to a device is as much as bringing each batch. */
const numberFor = (session: Session, times: number): number => (times > 1 ? session.newNumber() : 0)

function forgetData({ session, run, validationNumber }: Training): void {
  if (session.closed) return
  for (const number of [run.data, validationNumber]) if (number !== 0) session.program.native.forgetData(number)
}

function checkOptions(options: FitOptions): Training['options'] {
  const { epochs = 1, initialEpoch = 0, verbose = 1, shuffle = true, validationFreq = 1 } = options
  for (const [name, value] of Object.entries({ epochs, initialEpoch })) {
    if (!Number.isInteger(value) || value < 0) throw new ValueError(`\`${name}\` must be a non-negative integer, found ${String(value)}`)
  }
  if (![0, 1, 2].includes(verbose)) throw new ValueError(`\`verbose\` must be 0, 1 or 2, found ${String(verbose)}`)
  if (typeof shuffle !== 'boolean' && shuffle !== 'batch') throw new ValueError(`\`shuffle\` must be true, false or 'batch', found ${String(shuffle)}`)
  const frequencies: readonly number[] = typeof validationFreq === 'number' ? [validationFreq] : validationFreq
  if (!frequencies.every((f) => Number.isInteger(f) && f > 0)) throw new ValueError(`\`validationFreq\` must be a positive integer or a list of them, found ${String(validationFreq)}`)
  return { epochs, initialEpoch, verbose, shuffle, validationFreq }
}

function splitValidation(session: Session, all: TrainingData, options: FitOptions): { data: TrainingData; validation: TrainingData | null } {
  if (options.validationData) return { data: all, validation: given(session, options.validationData) }
  const split = options.validationSplit ?? 0
  if (!(split >= 0 && split < 1)) throw new ValueError(`\`validationSplit\` must be in [0, 1), found ${String(split)}`)
  if (split === 0) return { data: all, validation: null }
  const at = Math.trunc(all.samples * (1 - split))
  if (at === 0 || at === all.samples) throw new ValueError(`\`validationSplit\` of ${split} leaves ${at} of ${all.samples} samples to train on and ${all.samples - at} to validate on`)
  return { data: sliceTraining(all, 0, at), validation: sliceTraining(all, at, all.samples) }
}

function given(session: Session, data: ValidationData): TrainingData {
  if (!Array.isArray(data) || (data.length !== 2 && data.length !== 3)) {
    throw new ValueError('When passing validation_data, it must contain 2 (x_val, y_val) or 3 (x_val, y_val, val_sample_weights) items, ' +
      `however it contains ${Array.isArray(data) ? data.length : 0} items`)
  }
  return standardizeTraining(session.model, session.evaluateFunction(), data[0], data[1], data[2])
}

async function train(training: Training): Promise<void> {
  const { session, options, data, validation, owner, callbacks } = training
  if (options.verbose !== 0 && validation !== null) {
    session.screen.output.write(`Train on ${data.samples} samples, validate on ${validation.samples} samples\n`)
  }
  await callbacks.phase('Train', 'Begin')
  owner.stopTraining = false
  const orders = new OrderSource(() => session.nextOrder(data.samples, training.run.batchSize, options.shuffle), options.epochs - options.initialEpoch)
  for (let epoch = options.initialEpoch; epoch < options.epochs; epoch++) {
    await trainEpoch(training, epoch, orders)
    if (owner.stopTraining) break
  }
  await callbacks.phase('Train', 'End')
}

/** Orders of the samples, one per epoch; the next one is drawn while native code is busy with the epoch before. */
class OrderSource {
  #ready: Int32Array | null | undefined
  #left: number
  constructor(readonly draw: () => Int32Array | null, epochs: number) { this.#left = epochs }

  prepare(): void {
    if (this.#ready !== undefined || this.#left === 0) return
    this.#left--
    this.#ready = this.draw()
  }

  take(): Int32Array | null {
    this.prepare()
    const order = this.#ready ?? null
    this.#ready = undefined
    return order
  }
}

async function trainEpoch(training: Training, epoch: number, orders: OrderSource): Promise<void> {
  const { session, averages, callbacks } = training
  averages.reset()
  await callbacks.epochBegin(epoch)
  const run: BatchRun = { ...training.run, order: orders.take() }
  const done = await runBatches(session, run, observe(training, run, orders))
  // Validation comes first in the logs, as in Keras 2.3; an epoch cut short has none.
  const logs: Logs = done === batchCount(run) ? await validate(training, epoch) : {}
  session.model.metricsNames.forEach((name, k) => { logs[name] = averages.value(k) })
  await callbacks.epochEnd(epoch, logs)
}

async function validate({ session, options, validation, validationNumber, run, callbacks }: Training, epoch: number): Promise<Logs> {
  const logs: Logs = {}
  if (validation === null || !validates(options.validationFreq, epoch + 1)) return logs
  const values = await evaluateData(session, validation, run.batchSize, callbacks, 0, validationNumber)
  session.model.metricsNames.forEach((name, k) => { logs[`val_${name}`] = values[k]! })
  return logs
}

const validates = (frequency: number | readonly number[], epoch: number): boolean =>
  typeof frequency === 'number' ? epoch % frequency === 0 : frequency.includes(epoch)

/** How many of the epochs `validates` holds for, by arithmetic: there may be more than could ever be counted, for a callback to end. */
function validationsOf({ epochs, initialEpoch, validationFreq }: Training['options']): number {
  if (typeof validationFreq === 'number') return Math.max(0, Math.floor(epochs / validationFreq) - Math.floor(initialEpoch / validationFreq))
  return new Set(validationFreq.filter((epoch) => epoch > initialEpoch && epoch <= epochs)).size
}

function observe(training: Training, run: BatchRun, orders: OrderSource): BatchObserver {
  const { session, data, averages, callbacks, progress, owner, options } = training
  const everyBatch = progress === null && callbacks.wantsBatches('Train')
  return {
    everyBatch, firstBatch: options.verbose === 1, watches: everyBatch || options.verbose === 1,
    started: () => orders.prepare(),
    begin: (batch) => callbacks.batch('Train', 'Begin', batch, { batch, size: sizeOfBatch(run, batch) }),
    advanced: async (from, to) => {
      for (let b = from; b < to; b++) {
        addBatch(session, run, data, averages, b)
        if (everyBatch) await callbacks.batch('Train', 'End', b, batchLogs(session, run, averages, b))
        else if (progress !== null) replay(progress, batchLogs(session, run, averages, b), b === to - 1)
      }
    },
    stops: () => owner.stopTraining,
  }
}

/** Tells the progress bar of a batch that ended in native code; only the last of them can still be shown. */
function replay(progress: ProgbarLogger, logs: Logs, last: boolean): void {
  if (last) progress.onBatchEnd(logs['batch']!, logs)
  else progress.absorb(logs)
}
