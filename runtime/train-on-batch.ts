/** `trainOnBatch` and `testOnBatch`: one call of the compiled step, off the main thread. */
import type { ArrayData, EvaluateResult, TestOnBatchOptions, TrainOnBatchOptions } from './contract/fit-types.js'
import { MetricAverages } from './metric-averages.js'
import type { ProgramFunction } from './program.js'
import type { Session } from './session.js'
import { checkWholeBatches, functionInputs, standardizeTraining, weightSum } from './training-data.js'

export function trainOnBatch(session: Session, averages: MetricAverages, x: ArrayData, y: ArrayData, options: TrainOnBatchOptions): Promise<EvaluateResult> {
  return onBatch(session, session.trainFunction(), averages, x, y, options)
}

export function testOnBatch(session: Session, averages: MetricAverages, x: ArrayData, y: ArrayData, options: TestOnBatchOptions): Promise<EvaluateResult> {
  return onBatch(session, session.evaluateFunction(), averages, x, y, options)
}

/** @param averages running metrics of this model's single batches; cleared before the call unless `resetMetrics` is false. */
async function onBatch(session: Session, fn: ProgramFunction, averages: MetricAverages, x: ArrayData, y: ArrayData, options: TrainOnBatchOptions): Promise<EvaluateResult> {
  const { model, program } = session
  const data = standardizeTraining(model, fn, x, y, options.sampleWeight, options.classWeight)
  checkWholeBatches(data.samples, fn)
  const inputs = functionInputs(model, fn, data), dims = program.dimsOf(fn, inputs)
  const outputs = model.metricsNames.map(() => new Float32Array(1))
  return session.lock.run(fn.exclusive, async () => {
    session.checkOpen()
    const resets = options.resetMetrics !== false
    if (resets) averages.state.reset()
    await averages.state.during(() => program.native.callAsync(fn.index, inputs.map((a) => a.data), outputs, dims))
    // Other calls may have ended meanwhile.
    if (resets) averages.clear()
    averages.add(outputs.map((o) => o[0]!), 0, data.samples, (output) => weightSum(model, data, output, null, 0, data.samples))
    return oneOrAll(model.metricsNames.map((_, k) => averages.batchValue(k)))
  })
}

/** A model without metrics gives its loss as a number. */
export const oneOrAll = (values: number[]): EvaluateResult => (values.length === 1 ? values[0]! : values)
