/** One thread of the load test: loads the package for itself and compares every answer. */
import { parentPort, workerData } from 'node:worker_threads'
import { importPackage } from './digits-package.js'
import { pixelsOf } from './load-test.js'
import type { WorkerReport, WorkerTask } from './load-test.js'

const { folder, calls, distinct, expected } = workerData as WorkerTask
const { model } = await importPackage(folder)
const inputs = Array.from({ length: distinct }, (_, i) => pixelsOf(i))
const times: number[] = []
let wrong = 0

for (let call = 0; call < calls; call++) {
  const i = call % distinct
  const started = performance.now()
  const result = call % 2 === 0 ? model.predictSync(inputs[i]!) : await model.predict(inputs[i]!)
  times.push(performance.now() - started)
  if (!result.data.every((value, k) => Object.is(value, expected[i * 10 + k]))) wrong++
}

await model.close()
const report: WorkerReport = { wrong, times }
parentPort!.postMessage(report)
