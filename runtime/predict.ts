/** `predict` over any number of samples, off the main thread. */
import { CallbackList } from './callback-list.js'
import type { ArrayData, CallbackModel, PredictOptions } from './contract/fit-types.js'
import { NDArray } from './ndarray.js'
import { Progbar } from './progbar.js'
import { runBatches, sizeOfBatch } from './run-batches.js'
import type { BatchRun } from './run-batches.js'
import type { Session } from './session.js'
import { checkWholeBatches, chooseBatchSize, standardizeInputs } from './training-data.js'

/** The outputs in the order of `model.outputs`, samples in the order of `x`. */
export async function predict(session: Session, x: ArrayData, options: PredictOptions, owner: CallbackModel): Promise<NDArray[]> {
  const fn = session.predictFunction()
  const { inputs, samples } = standardizeInputs(session.model, fn, x)
  const batchSize = chooseBatchSize(options.batchSize, fn)
  checkWholeBatches(samples, fn)
  const arrays = functionOrder(session, inputs)
  const dims = session.program.dimsOf(fn, arrays)
  const outputs = session.program.outputsOf(fn, dims, samples).map(({ shape, dtype }) => NDArray.zeros(shape, dtype))
  const run: BatchRun = { fn, inputs: arrays, outputs, logs: null, scalarOutputs: 0, state: null, data: 0, order: null, samples, batchSize, dims }
  const plain = (options.verbose ?? 0) === 0 && (options.callbacks ?? []).length === 0
  if (plain && samples <= batchSize) await callOnce(session, run)
  else await observed(session, run, options, owner)
  return outputs
}

/** The arrays in the order of the function's inputs. */
export function functionOrder(session: Session, inputs: readonly NDArray[]): NDArray[] {
  const { inputNames } = session.model
  return session.predictFunction().manifest.inputs.map(({ name }) => inputs[inputNames.indexOf(name)]!)
}

function callOnce(session: Session, { fn, inputs, outputs, dims }: BatchRun): Promise<void> {
  return session.lock.run(fn.exclusive, async () => {
    session.checkOpen()
    await session.program.native.callAsync(fn.index, inputs.map((a) => a.data), outputs.map((a) => a.data), dims)
  })
}

async function observed(session: Session, run: BatchRun, options: PredictOptions, owner: CallbackModel): Promise<void> {
  const { samples, batchSize } = run, verbose = options.verbose ?? 0
  const callbacks = new CallbackList(options.callbacks ?? [], owner, {
    batchSize, epochs: 1, steps: null, samples, verbose, doValidation: false, metrics: [],
  })
  const bar = verbose === 1 ? new Progbar(samples, session.screen) : null
  const everyBatch = callbacks.wantsBatches('Predict')
  const logs = (batch: number): { batch: number; size: number } => ({ batch, size: sizeOfBatch(run, batch) })
  await callbacks.phase('Predict', 'Begin')
  await runBatches(session, run, {
    everyBatch, firstBatch: bar !== null, watches: true,
    begin: (batch) => callbacks.batch('Predict', 'Begin', batch, logs(batch)),
    advanced: async (from, to) => {
      if (everyBatch) await callbacks.batch('Predict', 'End', from, logs(from))
      bar?.update(Math.min(to * batchSize, samples))
    },
  })
  await callbacks.phase('Predict', 'End')
}
