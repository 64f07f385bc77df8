/**
 * What goes wrong with a GPU, each with the text that the driver itself gives: the GPU is one that the host plays, and what
 * ails it comes from the functions of CUDA that it plays (native/cuda/host-api.cc). Node stays alive, and so do models on the CPU.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ModuleManifest } from '../../runtime/contract/manifest.js'
import { lastJson, numbersText, openWorkshop, smallModel } from '../e2e/workshop.js'

const shop = openWorkshop('cuda-faults')
afterAll(() => shop.remove())

/** Programs find `load`, data and `said`, the message of what fails; what they return is printed. */
const program = (body: string): string => `${numbersText}
const { load } = await import('./package/index.mjs')
const x = { data: numbers(256 * 12, 5), shape: [256, 12] }, y = Int32Array.from({ length: 256 }, (_, i) => i % 3)
const said = async (body) => { try { await body(); return 'nothing' } catch (error) { return error.name + ': ' + error.message } }
const weightsOf = (model) => model.getWeights().flatMap((w) => Array.from(w.data))
const report = await (async () => { ${body} })()
console.log(JSON.stringify(report))
process.exit(0)
`

async function ran<T>(gpu: string, body: string): Promise<T> {
  shop.write('program.mjs', program(body))
  return lastJson<T>(await shop.node(['program.mjs'], { KCC_HOST_GPU: gpu }))
}

beforeAll(async () => {
  shop.write('model.ts', smallModel())
  const built = await shop.kcc(['build', 'model.ts', '--out', shop.path('package'), '--target', 'cuda', '--sm', 'host'])
  expect([built.code, built.stderr]).toEqual([0, ''])
})

describe('a GPU that cannot be used', () => {
  const unusable: readonly (readonly [string, string, string])[] = [
    ['no driver', 'driver=0', 'there is no NVIDIA driver on this machine'],
    ['an old driver', 'driver=11040', 'the NVIDIA driver is too old: it runs CUDA 11.4, this file was built with 13.0'],
    ['no GPU', 'gpus=0', 'there is no NVIDIA GPU on this machine, or none that it shows'],
    ['another architecture', 'capability=75', 'cuda:0 has compute capability 7.5, and this file was built for 80, 90: build it with --sm 75'],
    ['no memory for the variables', 'memory=1000', '0.0 MB of the memory of cuda:0 are needed at once, and 0.0 of 0.0 MB are free'],
  ]

  test.each(unusable)('%s', async (_name, gpu, why) => {
    const report = await ran<{ asked: string; device: { name: string; reason: string }; sum: number }>(gpu, `
      const asked = await said(() => load({ device: 'cuda:0' })), model = load({ device: 'auto' })
      const { data } = await model.predict(x)
      return { asked, device: model.device, sum: data.reduce((a, b) => a + b, 0) }`)
    expect(report.asked).toMatch(/^RuntimeError: The model cannot run on cuda:0: /)
    expect(report.asked).toContain(why)
    expect(report.device.name).toBe('cpu')
    expect(report.device.reason).toContain(why)
    expect(report.sum).toBeCloseTo(256, 3)
  })

  test('a newer architecture compiles what is for the newest for itself', async () => {
    expect(await ran('capability=120', 'return load({ device: "auto" }).device.name')).toBe('cuda:0')
  })
})

describe('memory', () => {
  const manifest = (): ModuleManifest => JSON.parse(shop.read('package/manifest.json')) as ModuleManifest
  /** Bytes of the variables as they lie on the device. */
  const variableBytes = (): number => manifest().variables.reduce((sum, v) => sum + Math.ceil((4 * v.shape.reduce((a, b) => a * b, 1)) / 256) * 256, 0)

  test('of the plan for a GPU is in the manifest, and is what is taken', async () => {
    const taken = await ran<number[]>('', `
      return Promise.all([1, 32, 128].map(async (batch) => {
        const model = load({ device: 'cuda:0' })
        await model.trainOnBatch({ data: x.data.subarray(0, batch * 12), shape: [batch, 12] }, y.subarray(0, batch))
        return model.memoryBytes
      }))`)
    const { at } = manifest().functions.find(({ name }) => name === 'trainStep')!.gpuArenaBytes!
    expect(taken.map((bytes) => bytes - variableBytes())).toEqual([at['1'], at['32'], at['128']])
  })

  test('too little of it is found before anything runs', async () => {
    const report = await ran<{ large: string; same: boolean; small: string; predicted: string }>(`memory=${variableBytes() + 40_000}`, `
      const model = load({ device: 'cuda:0' }), before = weightsOf(model)
      const large = await said(() => model.fit(x, y, { batchSize: 256, verbose: 0 }))
      const same = weightsOf(model).every((v, i) => v === before[i])
      return { large, same, small: await said(() => model.fit(x, y, { batchSize: 16, verbose: 0 })), predicted: await said(() => model.predict(x, { batchSize: 16 })) }`)
    expect(report.large).toMatch(/^RuntimeError: trainStep needs 0\.\d MB of the memory of cuda:0, 0\.\d between its kernels and 0\.\d for batches on their way, beside 0\.0 MB of variables; 0\.0 of 0\.0 MB are free\. Fewer samples in a batch need less$/)
    expect([report.same, report.small, report.predicted]).toEqual([true, 'nothing', 'nothing'])
  })

  test('for the validation is found before the first epoch', async () => {
    const report = await ran<{ failed: string; epochs: number }>(`memory=${variableBytes() + 60_000}`, `
      const model = load({ device: 'cuda:0' }), small = { data: x.data.subarray(0, 12 * 12), shape: [12, 12] }
      let epochs = 0
      const failed = await said(() => model.fit(small, y.subarray(0, 12), { batchSize: 512, verbose: 0, validationData: [x, y], callbacks: [{ onEpochBegin: () => { epochs++ } }] }))
      return { failed, epochs }`)
    expect(report.failed).toMatch(/^RuntimeError: evaluate needs /)
    expect(report.epochs).toBe(0)
  })
})

describe('a GPU that is lost while it trains', () => {
  test('fails what runs on it, and nothing else', async () => {
    const lost = 'cuda:0 was lost (cudaErrorLaunchFailure: unspecified launch failure). Models on it are lost with it, and this process can use it no more; models on the CPU go on'
    const report = await ran<Record<'fitted' | 'again' | 'predicted' | 'weights' | 'asked' | 'closed', string> & { later: { name: string; reason: string }; onCpu: string }>('lost=100', `
      const model = load({ device: 'cuda:0' }), cpu = load({ device: 'cpu' })
      const fitted = await said(() => model.fit(x, y, { batchSize: 16, epochs: 50, verbose: 0 }))
      const again = await said(() => model.fit(x, y, { batchSize: 16, verbose: 0 }))
      const predicted = await said(() => model.predictSync(x.data.slice(0, 12))), weights = await said(() => model.getWeights())
      const later = load({ device: 'auto' }), asked = await said(() => load({ device: 'cuda:0' }))
      const onCpu = await said(() => cpu.fit(x, y, { batchSize: 16, verbose: 0 }))
      const closed = await said(() => model.close())
      return { fitted, again, predicted, weights, later: later.device, asked, onCpu, closed }`)
    for (const text of [report.fitted, report.again, report.predicted, report.weights, report.asked]) expect(text).toContain(lost)
    expect(report.fitted).toMatch(/^Error: \w+\.trainStep: /)
    expect(report.later.name).toBe('cpu')
    expect(report.later.reason).toContain(lost)
    expect([report.onCpu, report.closed]).toEqual(['nothing', 'nothing'])
  })
})

describe('what kernels find in values that other kernels compute', () => {
  test('is no error on any device: rows outside of a table are zeros, and what is no number stays so', async () => {
    shop.write('computed.ts', `import { Dense, Input, K, Lambda, Model } from 'kcc'
      const x = Input({ shape: [4] }), rows = Lambda((v) => K.gather(K.constant([[1, 2], [3, 4], [5, 6]]), K.cast(K.round(v), 'int32')))(x)
      const model = Model({ inputs: x, outputs: Dense(1)(Lambda((v) => K.sum(v, 1))(rows)) })
      model.compile({ optimizer: 'sgd', loss: 'mse', metrics: ['mae'] })
      export default model`)
    const built = await shop.kcc(['build', 'computed.ts', '--out', shop.path('computed'), '--target', 'cuda', '--sm', 'host'])
    expect([built.code, built.stderr]).toEqual([0, ''])
    const report = await ran<Record<'cpu' | 'cuda:0', { texts: string[]; sums: number[]; losses: string[]; weights: string[] }>>('', `
      const computed = await import('./computed/index.mjs'), result = {}
      for (const device of ['cpu', 'cuda:0']) {
        const model = computed.load({ device, seed: 3 })
        model.setWeights(model.getWeights().map((w) => ({ data: new Float32Array(w.data.length).fill(1), shape: w.shape })))
        const places = { data: Float32Array.from([0, 1, 2, 1, 0, 1, 7, -3, 100, 200, 300, 1e9, 2, 2, 2, 2]), shape: [4, 4] }, good = { data: new Float32Array(4), shape: [4, 1] }
        const nan = { data: Float32Array.from([0, NaN, 0, 0]), shape: [4, 1] }
        let predicted, history
        const texts = [await said(async () => { predicted = await model.predict(places) }), await said(async () => { history = (await model.fit(places, nan, { verbose: 0, epochs: 2, batchSize: 2 })).history })]
        result[device] = { texts, sums: Array.from(predicted.data), losses: Object.values(history).flat().map(String), weights: model.getWeights().flatMap((w) => Array.from(w.data, String)) }
      }
      return result`)
    expect(report['cuda:0']).toEqual(report.cpu)
    expect(report.cpu).toEqual({ texts: ['nothing', 'nothing'], sums: [3 + 7 + 11 + 7, 3 + 7, 0, 4 * 11].map((sum) => sum + 1), losses: Array.from({ length: 4 }, () => 'NaN'), weights: ['NaN', 'NaN', 'NaN'] })
  })
})

describe('values that no table or loss takes', () => {
  test('give the errors that the CPU gives, before anything runs', async () => {
    shop.write('words.ts', `import { Dense, Embedding, Flatten, Sequential } from 'kcc'
      const model = Sequential([Embedding(20, 4, { inputLength: 3 }), Flatten(), Dense(2, { activation: 'softmax' })])
      model.compile({ optimizer: 'sgd', loss: 'categorical_crossentropy' })
      export default model`)
    const built = await shop.kcc(['build', 'words.ts', '--out', shop.path('words'), '--target', 'cuda', '--sm', 'host'])
    expect([built.code, built.stderr]).toEqual([0, ''])
    const report = await ran<Record<'cpu' | 'cuda:0', { texts: string[]; same: boolean }>>('', `
      const words = await import('./words/index.mjs'), result = {}
      for (const device of ['cpu', 'cuda:0']) {
        const model = words.load({ device }), before = weightsOf(model)
        const good = { data: new Float32Array(12), shape: [4, 3] }, bad = { data: Float32Array.from(good.data, (_, i) => (i === 7 ? 20 : 1)), shape: [4, 3] }
        const one = { data: Float32Array.from({ length: 8 }, (_, i) => i % 2), shape: [4, 2] }, nan = { data: one.data.map((v, i) => (i === 5 ? NaN : v)), shape: [4, 2] }
        const texts = [await said(() => model.predict(bad)), await said(() => model.predictSync(bad)), await said(() => model.fit(bad, one, { verbose: 0 })), await said(() => model.evaluate(bad, one, { verbose: 0 })),
          await said(() => model.trainOnBatch(bad, one)), await said(() => model.fit(good, nan, { verbose: 0 })), await said(() => model.fit(good, one, { verbose: 0, validationData: [bad, one] }))]
        result[device] = { texts, same: weightsOf(model).every((v, i) => v === before[i]) }
      }
      return result`)
    expect(report['cuda:0']).toEqual(report.cpu)
    expect(report.cpu.same).toBe(true)
    const [index, label] = [/the indices of embedding(_\d+)? in \S+ must be in \[0, 20\), but got 20 at element 7/, /the targets of dense(_\d+)? for the loss `categorical_crossentropy` must be numbers, but got nan at element 5/]
    report.cpu.texts.forEach((text, i) => expect(text).toMatch(i === 5 ? label : index))
  })
})
