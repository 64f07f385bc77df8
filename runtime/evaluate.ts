/** `evaluate`, also as the validation of `fit`. */
import { CallbackList } from './callback-list.js'
import type { Logs } from './contract/fit-types.js'
import { MetricAverages } from './metric-averages.js'
import { Progbar } from './progbar.js'
import { batchCount, runBatches, sizeOfBatch } from './run-batches.js'
import type { BatchObserver, BatchRun } from './run-batches.js'
import type { Session } from './session.js'
import { functionInputs, weightSum } from './training-data.js'
import type { TrainingData } from './training-data.js'

/**
 * Runs the compiled loss and metrics over prepared data; the values of `metricsNames` in order.
 * @param number of data that are evaluated again and again, which a device may keep; see `LoopPlan`
 */
export async function evaluateData(session: Session, data: TrainingData, batchSize: number, callbacks: CallbackList, verbose: 0 | 1, number = 0): Promise<number[]> {
  const fn = session.evaluateFunction(), { model } = session
  const inputs = functionInputs(model, fn, data)
  const scalarOutputs = model.metricsNames.length
  const shape = { samples: data.samples, batchSize }
  const averages = new MetricAverages(session.program, model)
  const run: BatchRun = {
    ...shape, fn, inputs, outputs: [], data: number, order: null, scalarOutputs, state: averages.state,
    logs: new Float32Array(batchCount(shape) * scalarOutputs), dims: session.program.dimsOf(fn, inputs),
  }
  await callbacks.phase('Test', 'Begin')
  await runBatches(session, run, observe(session, run, data, averages, callbacks, verbose))
  await callbacks.phase('Test', 'End')
  return averages.values()
}

/** Makes room for it, so that a validation does not fail after an epoch. @throws RuntimeError when a device has too little memory */
export function reserveEvaluation(session: Session, data: TrainingData, batchSize: number): void {
  const fn = session.evaluateFunction()
  session.program.reserve(fn, session.program.dimsOf(fn, functionInputs(session.model, fn, data)), data.samples, batchSize)
}

function observe(session: Session, run: BatchRun, data: TrainingData, averages: MetricAverages, callbacks: CallbackList, verbose: 0 | 1): BatchObserver {
  const bar = verbose === 1 ? new Progbar(data.samples, session.screen) : null
  const everyBatch = callbacks.wantsBatches('Test')
  return {
    everyBatch, firstBatch: bar !== null, watches: everyBatch || bar !== null,
    begin: (batch) => callbacks.batch('Test', 'Begin', batch, { batch, size: sizeOfBatch(run, batch) }),
    advanced: async (from, to) => {
      for (let b = from; b < to; b++) addBatch(session, run, data, averages, b)
      if (everyBatch) await callbacks.batch('Test', 'End', from, batchLogs(session, run, averages, from))
      bar?.update(Math.min(to * run.batchSize, run.samples))
    },
  }
}

/** Takes the values of one batch from the run's logs into the averages. */
export function addBatch(session: Session, run: BatchRun, data: TrainingData, averages: MetricAverages, batch: number): void {
  const begin = batch * run.batchSize, size = sizeOfBatch(run, batch)
  averages.add(run.logs!, batch * run.scalarOutputs, size, (output) => weightSum(session.model, data, output, run.order, begin, begin + size))
}

/** What the hooks at the end of a batch are given. */
export function batchLogs(session: Session, run: BatchRun, averages: MetricAverages, batch: number): Logs {
  const logs: Logs = { batch, size: sizeOfBatch(run, batch) }
  session.model.metricsNames.forEach((name, k) => { logs[name] = averages.batchValue(k) })
  return logs
}
