/** Two models for the fake addon: the classifier of the golden texts, trained for real, and one with two inputs and outputs. */
import { readFileSync } from 'node:fs'
import { CompiledModel } from '../../runtime/compiled-model.js'
import type { ModuleManifest } from '../../runtime/contract/manifest.js'
import type { SessionOptions } from '../../runtime/session.js'
import { NDArray } from '../../runtime/ndarray.js'
import { FakeModule, fnManifest, moduleManifest, tensor, variable } from './fake-native.js'
import type { Call, FakeFunction } from './fake-native.js'

type Tiny = { x: number[]; y: number[]; weights: { [name: string]: { shape: number[]; data: number[] } } }
/** Weights and data the golden texts were made with: Dense(4, tanh), Dense(2, softmax), SGD, 20 samples. */
export const tiny = JSON.parse(readFileSync(new URL('./fixtures/tiny.json', import.meta.url), 'utf8')) as Tiny
export const tinyX = new NDArray(Float32Array.from(tiny.x), [20, 3])
export const tinyY = new NDArray(Float32Array.from(tiny.y), [20, 2])

const IN = 3, HIDDEN = 4, OUT = 2

function forward({ inputs: [x], variables: [w1, b1, w2, b2], batch }: Call): { hidden: number[][]; probs: number[][] } {
  const rows = Array.from({ length: batch }, (_, n) => n)
  const hidden = rows.map((n) => Array.from({ length: HIDDEN }, (_, j) => Math.tanh(sum(IN, (i) => x![n * IN + i]! * w1![i * HIDDEN + j]!) + b1![j]!)))
  const probs = hidden.map((h) => {
    const e = Array.from({ length: OUT }, (_, k) => Math.exp(sum(HIDDEN, (j) => h[j]! * w2![j * OUT + k]!) + b2![k]!))
    return e.map((v) => v / (e[0]! + e[1]!))
  })
  return { hidden, probs }
}

const sum = (n: number, f: (i: number) => number): number => Array.from({ length: n }, (_, i) => f(i)).reduce((a, b) => a + b, 0)

function scores(call: Call, probs: number[][]): void {
  const [, y, w] = call.inputs as [Float32Array, Float32Array, Float32Array]
  const label = (n: number): number => (y[n * OUT + 1]! > y[n * OUT]! ? 1 : 0)
  call.outputs[0]![0] = sum(call.batch, (n) => w[n]! * -sum(OUT, (k) => y[n * OUT + k]! * Math.log(probs[n]![k]!))) / call.batch
  call.outputs[1]![0] = sum(call.batch, (n) => Number((probs[n]![1]! > probs[n]![0]! ? 1 : 0) === label(n))) / call.batch
}

function trainStep(call: Call): void {
  const { hidden, probs } = forward(call)
  scores(call, probs)
  const [x, y, w] = call.inputs as [Float32Array, Float32Array, Float32Array], [w1, b1, w2, b2] = call.variables as Float32Array[]
  const lr = call.scalars[0]! / call.batch, old = w2!.slice()
  for (let n = 0; n < call.batch; n++) {
    const dz = probs[n]!.map((p, k) => w[n]! * (p - y[n * OUT + k]!))
    for (let j = 0; j < HIDDEN; j++) {
      const da = sum(OUT, (k) => dz[k]! * old[j * OUT + k]!) * (1 - hidden[n]![j]! ** 2)
      for (let k = 0; k < OUT; k++) w2![j * OUT + k]! -= lr * dz[k]! * hidden[n]![j]!
      for (let i = 0; i < IN; i++) w1![i * HIDDEN + j]! -= lr * da * x[n * IN + i]!
      b1![j]! -= lr * da
    }
    dz.forEach((d, k) => { b2![k]! -= lr * d })
  }
}

const x = tensor('dense_1_input', ['B', IN])
const trained = [x, tensor('target:dense_2', ['B', OUT]), tensor('weight:dense_2', ['B'])]
const values = [tensor('loss', []), tensor('accuracy', [])]
const names = ['dense_1/kernel:0', 'dense_1/bias:0', 'dense_2/kernel:0', 'dense_2/bias:0']

const tinyFunctions: FakeFunction[] = [
  { manifest: fnManifest('predict', [x], [tensor('dense_2', ['B', OUT])]), body: (call) => { call.outputs[0]!.set(forward(call).probs.flat()) } },
  { manifest: fnManifest('evaluate', trained, values), body: (call) => scores(call, forward(call).probs) },
  { manifest: fnManifest('trainStep', trained, values, [...names, 'SGD/iterations:0']), body: (call) => { trainStep(call); call.variables[4]![0]! += 1 } },
]

export function tinyManifest(changes: Partial<ModuleManifest['model'] & object> = {}, functions = tinyFunctions): ModuleManifest {
  return moduleManifest('tiny', functions, [...names.map((n) => variable(n, tiny.weights[n]!.shape)), variable('SGD/iterations:0', [], 'slot')], {
    inputNames: ['dense_1_input'], outputNames: ['dense_2'], metricsNames: ['loss', 'accuracy'],
    targets: [{ output: 'dense_2', shape: ['B', OUT], dtype: 'float32', loss: 'categorical_crossentropy', kind: 'categorical', classes: null }], ...changes,
  })
}

export { tinyFunctions }

export function tinyModel(options: SessionOptions = {}, changes: Partial<ModuleManifest['model'] & object> = {}, functions = tinyFunctions): { model: CompiledModel; native: FakeModule } {
  const native = new FakeModule(tinyManifest(changes, functions), functions)
  names.forEach((n, i) => native.setVariable(i, Float32Array.from(tiny.weights[n]!.data)))
  return { model: new CompiledModel(native, native.manifest, { seed: 1, ...options }), native }
}

/** Output "main" [B, 2] and "aux" [B, 1] of inputs "a" [B, 3] and "q" int32 [B, T]; losses are means of the targets, one metric is weighted. */
const both = [tensor('a', ['B', 3]), tensor('q', ['B', 'T'], 'int32')]
const twoInputs = [...both, tensor('target:main', ['B', 1], 'int32'), tensor('target:aux', ['B', 1]), tensor('weight:main', ['B']), tensor('weight:aux', ['B'])]
const twoNames = ['loss', 'main_loss', 'aux_loss', 'main_accuracy']

function twoScores({ inputs: [, , main, aux, weight], outputs, batch }: Call): void {
  const mean = (f: (n: number) => number): number => sum(batch, f) / batch
  const mainLoss = mean((n) => main![n]!), auxLoss = mean((n) => aux![n]!)
  const total = sum(batch, (n) => weight![n]!)
  const accuracy = total === 0 ? 0 : sum(batch, (n) => weight![n]! * main![n]!) / total
  outputs.forEach((o, k) => { o[0] = [mainLoss + auxLoss, mainLoss, auxLoss, accuracy][k]! })
}

const twoFunctions: FakeFunction[] = [
  {
    manifest: fnManifest('predict', both, [tensor('main', ['B', 2]), tensor('aux', ['B', 1])]),
    body: ({ inputs: [a, q], outputs: [main, aux], batch }) => {
      for (let n = 0; n < batch; n++) {
        main![2 * n] = a![3 * n]!
        main![2 * n + 1] = a![3 * n + 2]!
        aux![n] = sum(q!.length / batch, (t) => q![n * (q!.length / batch) + t]!)
      }
    },
  },
  { manifest: fnManifest('evaluate', twoInputs, twoNames.map((n) => tensor(n, []))), body: twoScores },
  { manifest: fnManifest('trainStep', twoInputs, twoNames.map((n) => tensor(n, [])), ['w']), body: (call) => { twoScores(call); call.variables[0]![0]! += 1 } },
]

export function twoModel(): { model: CompiledModel; native: FakeModule } {
  const manifest = moduleManifest('two', twoFunctions, [variable('w', [1])], {
    inputNames: ['a', 'q'], outputNames: ['main', 'aux'], metricsNames: twoNames, averaging: ['samples', 'batches', 'batches', { weightsOf: 'main' }],
    targets: [
      { output: 'main', shape: ['B', 1], dtype: 'int32', loss: 'sparse_categorical_crossentropy', kind: 'sparse', classes: 4 },
      { output: 'aux', shape: ['B', 1], dtype: 'float32', loss: 'mse', kind: 'other', classes: null },
    ],
  })
  const native = new FakeModule(manifest, twoFunctions)
  return { model: new CompiledModel(native, manifest, { seed: 1 }), native }
}

/** Collects what is printed; the clock moves by `tick` seconds at every look. */
export function screen(tick = 0.1): { output: { write: (t: string) => void; isTTY: boolean }; clock: () => number; text: () => string } {
  let text = '', now = 0
  return { output: { write: (t) => { text += t }, isTTY: false }, clock: () => (now += tick), text: () => text }
}
