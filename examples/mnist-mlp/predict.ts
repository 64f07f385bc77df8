/**
 * What a service does: a process of its own that knows only the compiled package and a file of weights.
 * `node build/examples/mnist-mlp/predict.js <package folder> <weights>`; prints the digits it reads and its accuracy.
 */
import { loadDigits } from './data.js'
import { importPackage } from './package-types.js'

const [folder, weights] = process.argv.slice(2)
if (folder === undefined || weights === undefined) throw new Error('usage: predict <package folder> <weights>')

const { model } = await importPackage(folder)
await model.loadWeights(weights)
const { xTest, yTest } = await loadDigits()
const size = xTest.shape[1]

/** Position of the largest of ten numbers. */
const digitAt = (values: ArrayLike<number>, sample: number): number => {
  let best = 0
  for (let k = 1; k < 10; k++) if (values[sample * 10 + k]! > values[sample * 10 + best]!) best = k
  return best
}

const { data } = await model.predict(xTest)
let right = 0
for (let i = 0; i < xTest.shape[0]; i++) if (digitAt(data, i) === digitAt(yTest.data, i)) right++

const one = model.predictSync(xTest.data.subarray(0, size))
for (let y = 0; y < 28; y += 2) {
  console.log(Array.from({ length: 28 }, (_, x) => ' .:-=+*#%@'[Math.round(9 * xTest.data[y * 28 + x]!)]).join(''))
}
const digit = digitAt(one.data, 0)
console.log(`This is a ${digit} with probability ${one.data[digit]!.toFixed(4)}.`)
console.log(`Right for ${right} of ${xTest.shape[0]} test digits (${(100 * right / xTest.shape[0]).toFixed(2)} %).`)
await model.close()
