/**
 * A package with code for GPUs beside that for CPUs. Executed by the host it predicts and trains as on the CPU; built by nvcc
 * it runs on the CPU where there is no GPU, and says so.
 */
import { execFileSync } from 'node:child_process'
import { afterAll, describe, expect, test } from 'vitest'
import { locateNvcc } from '../../compiler/build/cuda.js'
import { which } from '../../compiler/build/toolchain.js'
import { lastJson, numbersText, openWorkshop, smallModel } from '../e2e/workshop.js'
import { skipBecause } from '../skip-because.js'

const shop = openWorkshop('cuda')
afterAll(() => shop.remove())

/** Predictions at several sizes, then training, with dropout's numbers from one seed. */
const program = `${numbersText}
const [folder, device] = process.argv.slice(2)
const { load } = await import(folder + '/index.mjs')
try {
  const model = load({ seed: 11, device })
  const predictions = {}
  for (const count of [1, 33, 70]) predictions[count] = Array.from((await model.predict({ data: numbers(count * 12), shape: [count, 12] }, { batchSize: 32 })).data)
  const x = { data: numbers(80 * 12, 5), shape: [80, 12] }, y = Int32Array.from({ length: 80 }, (_, i) => i % 3)
  await model.fit(x, y, { batchSize: 32, epochs: 4, verbose: 0 })
  const evaluation = await model.evaluate(x, y, { batchSize: 32, verbose: 0 })
  console.log(JSON.stringify({ device: model.device, predictions, evaluation, weights: model.getWeights().flatMap((w) => Array.from(w.data)) }))
  await model.close()
} catch (error) {
  console.log(JSON.stringify({ error: error.name + ': ' + error.message }))
}
`
type Report = {
  readonly device: { readonly name: string; readonly reason: string }
  readonly predictions: Record<string, number[]>; readonly evaluation: number[]; readonly weights: number[]; readonly error?: string
}

shop.write('model.ts', smallModel())
shop.write('use.mjs', program)

async function build(name: string, ...flags: string[]): Promise<void> {
  const ran = await shop.kcc(['build', 'model.ts', '--out', shop.path(name), ...flags])
  expect([ran.code, ran.stderr]).toEqual([0, ''])
}

const use = async (name: string, device: string): Promise<Report> => lastJson<Report>(await shop.node([shop.path('use.mjs'), shop.path(name), device]))

const largest = (a: readonly number[], b: readonly number[]): number => {
  expect(a.length).toBe(b.length)
  return Math.max(...a.map((x, i) => Math.abs(x - b[i]!)))
}

/** Sums over rows are folded in another order; 12 steps of RMSprop widen the last places. */
const PREDICTED = 5e-7, TRAINED = 1e-5

function predictsAndTrainsAs(cpu: Report, gpu: Report): void {
  for (const [count, values] of Object.entries(cpu.predictions)) expect(largest(gpu.predictions[count]!, values), `predictions of ${count} samples`).toBeLessThan(PREDICTED)
  expect(largest(gpu.weights, cpu.weights), 'weights after training').toBeLessThan(TRAINED)
  expect(largest(gpu.evaluation, cpu.evaluation), 'loss and accuracy').toBeLessThan(TRAINED)
}

describe('executed by the host', async () => {
  await build('host', '--target', 'cuda', '--sm', 'host')
  const [cpu, gpu] = [await use('host', 'cpu'), await use('host', 'cuda:0')]

  test('runs where it was asked to', () => {
    expect([cpu.error, gpu.error]).toEqual([undefined, undefined])
    expect([cpu.device.name, gpu.device.name]).toEqual(['cpu', 'cuda:0'])
  })

  test('predicts and trains as on the CPU', () => predictsAndTrainsAs(cpu, gpu))

  test('is bit-identical from run to run, and the first choice', async () => {
    const again = await use('host', 'auto')
    expect(again.device).toEqual({
      name: 'cuda:0', reason: 'it is the first GPU of this machine',
      libraries: 'kernels of kcc compute all products: `kcc tune` has measured nothing on a CPU that plays a GPU, 9.0',
    })
    expect({ ...again, device: gpu.device }).toEqual(gpu)
  })

  test('says which devices there are', async () => {
    expect((await use('host', 'cuda:3')).error).toMatch(/^RuntimeError: The model cannot run on cuda:3: \w+: there is no cuda:3 on this machine, only 1 of them from cuda:0 on$/)
    expect((await use('host', 'tpu')).error).toBe("RuntimeError: There is no device 'tpu'. Expected 'auto', 'cpu' or a GPU such as 'cuda:0'.")
  })
})

describe('built for CPUs alone', () => {
  test('has no code for GPUs', async () => {
    await build('plain')
    expect((await use('plain', 'auto')).device).toEqual({ name: 'cpu', reason: 'this file has no code for GPUs' })
    expect((await use('plain', 'cuda:0')).error).toBe("RuntimeError: The model cannot run on cuda:0: this file has no code for the device 'cuda:0'")
  })
})

describe('built by nvcc', () => {
  test('runs on the CPU where there is no GPU, and says why', async ({ skip }) => {
    if (locateNvcc() === null) return skipBecause(skip, 'there is no nvcc')
    await build('fat', '--target', 'cuda', '--sm', '80,90')
    const report = await use('fat', 'auto'), asked = await use('fat', 'cuda:0')
    const cpu = await use('fat', 'cpu')
    if (report.device.name === 'cuda:0') {
      expect(asked.error).toBeUndefined()
      return predictsAndTrainsAs(cpu, report)
    }
    expect(report.device.reason).toMatch(/^there is no NVIDIA (driver|GPU) on this machine/)
    expect(report.predictions).toEqual(cpu.predictions)
    expect(asked.error).toMatch(/^RuntimeError: The model cannot run on cuda:0: \w+: there is no NVIDIA (driver|GPU) on this machine/)
  })

  test('needs no library of CUDA, nor of the compiler', async ({ skip }) => {
    const readelf = which('readelf')
    if (locateNvcc() === null) return skipBecause(skip, 'there is no nvcc')
    if (readelf === null) return skipBecause(skip, 'there is no readelf')
    await build('fat', '--target', 'cuda', '--sm', '80,90')
    const needed = [...execFileSync(readelf, ['-d', shop.path('fat', 'model.node')], { encoding: 'utf8' }).matchAll(/\(NEEDED\).*\[(.*)\]/g)].map(([, name]) => name!)
    expect(needed).toContain('libc.so.6')
    expect(needed.filter((name) => !/^(lib(c|m|dl|rt|pthread)|ld-linux-x86-64)\.so\.\d$/.test(name))).toEqual([])
  })

  test('--sm without a GPU as target, and what is no number, are refused', async () => {
    const refused = async (...flags: string[]): Promise<string> => (await shop.kcc(['build', 'model.ts', ...flags])).stderr
    expect(await refused('--sm', '80')).toContain('--sm is for GPUs: give --target cuda with it')
    expect(await refused('--target', 'cuda', '--sm', 'ampere')).toContain('Cannot read --sm "ampere". Expected compute capabilities of GPUs, as in --sm 80,90')
    expect(await refused('--target', 'gpu')).toContain('Unknown target "gpu". Expected cpu, or cuda for both')
  })
})
