// A worker thread with the package loaded for itself: predicts, and reports every answer that differs by a bit.
import { parentPort, workerData } from 'node:worker_threads'

const { entry, calls, inputs, expected } = workerData
const { model } = await import(entry)
const different = (data, i) => Buffer.compare(Buffer.from(data.buffer, data.byteOffset, data.byteLength), Buffer.from(expected[i].buffer)) !== 0
let wrong = 0
for (let call = 0; call < calls; call++) {
  const i = call % inputs.length
  // Every tenth off this thread, which mixes both ways in the pool.
  const result = call % 10 === 0 ? await model.predict(inputs[i]) : model.predictSync(inputs[i])
  if (different(result.data, i)) wrong++
}
await model.close()
parentPort.postMessage({ wrong, calls })
