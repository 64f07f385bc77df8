/** The command with `--target cuda`, on a GPU that the host plays: training, reports and measurements go through its driver. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { NDArray, loadNpz, saveNpz } from '../../compiler/index.js'
import { locateNvcc } from '../../compiler/build/cuda.js'
import { numbers, numbersText, openWorkshop, smallModel } from '../e2e/workshop.js'
import { playedLibrary } from './played-library.js'
import { skipBecause } from '../skip-because.js'

const shop = openWorkshop('cuda-cli')
afterAll(() => shop.remove())
const onPlayed = ['--target', 'cuda', '--sm', 'host']

beforeAll(async () => {
  shop.write('model.ts', smallModel())
  shop.write('train.ts', `import { NDArray, setSeed } from 'kcc'
import model from './model.js'
${numbersText.replace('(count, salt = 0)', '(count: number, salt = 0)')}
const x = new NDArray(numbers(64 * 12), [64, 12]), y = Int32Array.from({ length: 64 }, (_, i) => i % 3)
setSeed(5)  // of dropout
await model.fit(x, y, { epochs: 2, verbose: 0, shuffle: false })
console.log(JSON.stringify(model.getWeights().map((w) => Array.from(w.data))))
`)
  await saveNpz(shop.path('data.npz'), { x_0: new NDArray(numbers(64 * 12), [64, 12]), y_0: new NDArray(Float32Array.from({ length: 64 }, (_, i) => i % 3), [64, 1]) })
})

test('run trains where it is told to, and says where', async () => {
  const run = async (...flags: string[]): Promise<{ code: number | undefined; stdout: string; stderr: string }> => shop.kcc(['run', ...flags, 'train.ts'])
  const plain = await run(), gpu = await run(...onPlayed), asked = await run('--device', 'cuda:0', '--sm', 'host'), cpu = await run(...onPlayed, '--device', 'cpu')
  expect([plain.code, gpu.code, asked.code, cpu.code]).toEqual([0, 0, 0, 0])
  expect([plain.stderr, gpu.stderr, asked.stderr, cpu.stderr]).toEqual(['', 'kcc: runs on cuda:0: it is the first GPU of this machine', 'kcc: runs on cuda:0: it was asked for', 'kcc: runs on cpu: it was asked for'])
  expect(cpu.stdout).toBe(plain.stdout)
  expect(asked.stdout).toBe(gpu.stdout)
  const [here, there] = [plain, gpu].map(({ stdout }) => (JSON.parse(stdout) as number[][]).flat()) as [number[], number[]]
  expect(Math.max(...here.map((v, i) => Math.abs(v - there[i]!)))).toBeLessThan(1e-5)
})

test('what cannot be is said', async () => {
  expect((await shop.kcc(['run', '--device', 'cuda:2', '--sm', 'host', 'train.ts'])).stderr).toContain('there is no cuda:2 on this machine, only 1 of them from cuda:0 on')
  expect((await shop.kcc(['run', '--device', 'gpu', 'train.ts'])).stderr).toContain('Unknown device "gpu". Expected auto, cpu, or a GPU such as cuda:0')
  expect((await shop.kcc(['run', '--device', 'cuda:0', '--target', 'cpu', 'train.ts'])).stderr).toContain('--device cuda:0 needs --target cuda')
})

test('fit, evaluate and predict', async () => {
  const data = ['--x', 'data.npz', '--y', 'data.npz']
  const fitted = await shop.kcc(['fit', 'model.ts', ...data, ...onPlayed, '--verbose', '0', '--out', 'trained.h5', '--history', 'history.json'])
  expect([fitted.code, fitted.stderr]).toEqual([0, 'kcc: runs on cuda:0: it is the first GPU of this machine'])
  expect((await shop.kcc(['evaluate', 'trained.h5', ...data, ...onPlayed, '--verbose', '0'])).stdout).toMatch(/^loss: \d/)
  const rows = async (name: string, ...flags: string[]): Promise<number[]> => {
    expect((await shop.kcc(['predict', 'trained.h5', '--x', 'data.npz', '--out', name, ...flags])).code).toBe(0)
    return Array.from((await loadNpz(shop.path(name)))['y_0']!.data as Float32Array)
  }
  const [gpu, cpu] = [await rows('gpu.npz', ...onPlayed), await rows('cpu.npz')]
  expect(Math.max(...gpu.map((v, i) => Math.abs(v - cpu[i]!)))).toBeLessThan(5e-7)
})

describe('--precision', () => {
  test('run trains with it, and says so', async () => {
    const weights = async (...flags: string[]): Promise<{ stderr: string; values: number[] }> => {
      const { stdout, stderr } = await shop.kcc(['run', ...flags, 'train.ts'])
      return { stderr, values: (JSON.parse(stdout) as number[][]).flat() }
    }
    const [exact, rounded, onCpu] = [await weights(...onPlayed), await weights(...onPlayed, '--precision', 'tf32'), await weights(...onPlayed, '--precision', 'tf32', '--device', 'cpu')]
    const apart = (a: readonly number[], b: readonly number[]): number => Math.max(...a.map((v, i) => Math.abs(v - b[i]!)))
    expect(rounded.stderr).toBe('kcc: runs on cuda:0 in tf32: it is the first GPU of this machine')
    // Operands have 11 digits: two epochs differ, by less than a hundredth of a weight, and from the CPU that rounds likewise by far less.
    expect(apart(exact.values, rounded.values)).toBeGreaterThan(1e-5)
    expect(apart(exact.values, rounded.values)).toBeLessThan(1e-2)
    expect(apart(onCpu.values, rounded.values)).toBeLessThan(apart(exact.values, rounded.values) / 4)
  })

  test('fit and predict take it', async () => {
    const flags = [...onPlayed, '--precision', 'mixed_bfloat16'], data = ['--x', 'data.npz', '--y', 'data.npz']
    expect((await shop.kcc(['fit', 'model.ts', ...data, ...flags, '--verbose', '0', '--out', 'short.h5'])).stderr).toBe('kcc: runs on cuda:0 in mixed_bfloat16: it is the first GPU of this machine')
    const rows = async (name: string, ...more: string[]): Promise<number[]> => {
      expect((await shop.kcc(['predict', 'short.h5', '--x', 'data.npz', '--out', name, ...more])).code).toBe(0)
      return Array.from((await loadNpz(shop.path(name)))['y_0']!.data as Float32Array)
    }
    const [short, long] = [await rows('short.npz', ...flags), await rows('long.npz')], apart = Math.max(...short.map((v, i) => Math.abs(v - long[i]!)))
    expect(apart).toBeGreaterThan(1e-5)
    expect(apart).toBeLessThan(3e-2)
  })

  test('is for GPUs, and a package has its own', async () => {
    expect((await shop.kcc(['run', '--precision', 'tf32', 'train.ts'])).stderr).toContain('--precision tf32 is for GPUs, and the target is cpu: give --target cuda with it')
    expect((await shop.kcc(['bench', '--precision', 'half', 'model.ts'])).stderr).toContain('Unknown precision "half". Expected one of: float32, tf32, mixed_bfloat16')
    expect((await shop.kcc(['build', 'model.ts', '--out', shop.path('package'), ...onPlayed])).code).toBe(0)
    for (const command of [['predict', 'package', '--x', 'data.npz', '--out', 'no.npz'], ['tune', 'package']]) {
      const refused = await shop.kcc([...command, '--precision', 'tf32']), unknown = await shop.kcc([...command, '--precision', 'half'])
      expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('package was built to compute in float32, found --precision tf32: build it again with that')])
      expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('Unknown precision "half". Expected one of: float32, tf32, mixed_bfloat16')])
    }
  })
})

type Fusion = { readonly machine: string; readonly functions: readonly { readonly name: string; readonly kernels: readonly { readonly name: string; readonly computedBy: string | null; readonly expectedSeconds: number; readonly measuredSeconds: number | null; readonly bytesRead: number }[] }[] }

test('inspect --fusion has the kernels of the GPU, with the time of each', async () => {
  const report = await shop.kccJson<Fusion>(['inspect', '--fusion', ...onPlayed, 'model.ts'])
  expect(report.machine).toBe('a GPU that this CPU plays')
  expect(report.functions.map(({ name }) => name)).toEqual(['predict', 'evaluate', 'trainStep'])
  for (const kernel of report.functions.flatMap(({ kernels }) => kernels)) {
    expect(kernel.measuredSeconds).toBeGreaterThan(0)
    expect(kernel.expectedSeconds).toBeGreaterThan(0)
  }
})

test('inspect --fusion measures what libraries would compute, and says who does', async () => {
  const library = playedLibrary('played-cublaslt.cc'), ran = await shop.kcc(['inspect', '--fusion', ...onPlayed, 'model.ts'], { KCC_CUBLASLT: library.file })
  library.remove()
  expect(ran.stderr).toBe('')
  const said = [...ran.stdout.matchAll(/^ +\d+ (cuBLASLt|cuBLASLt, then a kernel of kcc): \d+\.\d µs, kcc \d+\.\d µs$/gm)], products = [...ran.stdout.matchAll(/^ +\d+ {2}\w+_matmul\w* /gm)]
  expect(products.length).toBeGreaterThan(5)
  expect(said.length).toBe(products.length)
  expect(ran.stdout.match(/^Products, as measured:$/gm)!.length).toBe(3)
})

test('without a GPU, inspect --fusion expects and bench refuses', async ({ skip }) => {
  if (locateNvcc() === null) return skipBecause(skip, 'there is no nvcc')
  const flags = ['--target', 'cuda', '--sm', '90'], report = await shop.kccJson<Fusion>(['inspect', '--fusion', ...flags, 'model.ts'])
  if (report.machine === 'this GPU') return skipBecause(skip, 'there is a GPU')
  expect(report.machine).toMatch(/^no GPU was measured \(there is no NVIDIA (driver|GPU) on this machine/)
  expect(report.functions[2]!.kernels[0]!.measuredSeconds).toBeNull()
  const bench = await shop.kcc(['bench', ...flags, 'model.ts'])
  expect([bench.code, bench.stderr]).toEqual([1, expect.stringMatching(/There is no GPU to measure on: there is no NVIDIA (driver|GPU)/)])
})

test('bench measures the GPU beside the CPU', async () => {
  const report = await shop.kccJson<{ precision: string; limitsGpu: { flops: number; tensorFlops: number; bfloat16Flops: number; bandwidth: number }; rows: { variant: string; what: string; time: { median: number } }[] }>(['bench', ...onPlayed, '--precision', 'mixed_bfloat16', '--seconds', '1', '--batch-size', '8', 'model.ts'])
  expect(report.precision).toBe('mixed_bfloat16')
  expect([...new Set(report.rows.map(({ variant }) => variant))]).toEqual(['GPU, fused', 'GPU, unfused', 'CPU, fused'])
  expect(Math.min(...Object.values(report.limitsGpu), ...report.rows.map(({ time }) => time.median))).toBeGreaterThan(0)
})
