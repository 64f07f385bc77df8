/**
 * What a service does: a process of its own that knows the compiled package, a file of weights and the thin runtime,
 * and no compiler. `node build/examples/mnist-mlp/predict.js <package folder> <weights> <digits>`
 */
import { readFile } from 'node:fs/promises'
import { decodeSafetensors } from 'kcc/runtime'
import { importPackage } from './package-types.js'

const [folder, weights, file] = process.argv.slice(2)
if (folder === undefined || weights === undefined || file === undefined) throw new Error('usage: predict <package folder> <weights> <digits>')

const { model } = await importPackage(folder)
await model.loadWeights(weights)

const { tensors } = decodeSafetensors(await readFile(file), file)
const pixels = tensors.get('x')!.data as Float32Array, answers = tensors.get('y')!.data
const [count = 0, size = 0] = tensors.get('x')!.shape

/** Position of the largest of the ten numbers of a sample. */
function digitAt(values: ArrayLike<number>, sample: number): number {
  const ten = Array.from({ length: 10 }, (_, k) => values[sample * 10 + k]!)
  return ten.indexOf(Math.max(...ten))
}

// One request, answered on this thread.
const one = model.predictSync(pixels.subarray(0, size))
const digit = digitAt(one.data, 0)
for (let y = 0; y < 28; y += 2) {
  console.log(`    ${Array.from({ length: 28 }, (_, x) => ' .:-=+*#%@'[Math.round(9 * pixels[y * 28 + x]!)]).join('').trimEnd()}`)
}
console.log(`This is a ${digit}, with probability ${one.data[digit]!.toFixed(4)} (true: ${digitAt(answers, 0)}).`)

// Many samples, off the main thread.
const all = await model.predict({ data: pixels, shape: [count, size] })
let right = 0
for (let i = 0; i < count; i++) if (digitAt(all.data, i) === digitAt(answers, i)) right++
console.log(`Right for ${right} of ${count} test digits (${(100 * right / count).toFixed(2)} %).`)
await model.close()
