/**
 * Libraries of the GPU's vendor, from measuring to use: cuBLASLt as a CPU plays it (played-cublaslt.cc), opened by the driver as the
 * real one is. What it computes is what kcc's own kernels compute; where anything is wrong with it or with what was measured, those
 * do, and the model says why.
 */
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { inPackage } from '../../compiler/support/paths.js'
import type { Tuned, TunedGpu } from '../../runtime/tuned.js'
import { lastJson, numbersText, openWorkshop, smallModel } from '../e2e/workshop.js'
import { count, traced } from './host-gpu.js'
import { ownCache, playedLibrary, type PlayedLibrary } from './played-library.js'

const shop = openWorkshop('libraries')
let library: PlayedLibrary
afterAll(() => { shop.remove(); library.remove() })

const program = `${numbersText}
const { load } = await import('./package/index.mjs')
const model = load({ seed: 11, device: process.argv[2] ?? 'cuda:0' })
const x = { data: numbers(96 * 12, 5), shape: [96, 12] }, y = Int32Array.from({ length: 96 }, (_, i) => i % 3)
const first = Array.from((await model.predict(x, { batchSize: 32 })).data)
await model.fit(x, y, { batchSize: 32, epochs: 4, verbose: 0 })
const weights = model.getWeights().flatMap((w) => Array.from(w.data)), bytes = model.memoryBytes
console.log(JSON.stringify({ device: model.device, products: model.products?.products ?? null, bytes, values: { first, weights, evaluation: await model.evaluate(x, y, { batchSize: 32, verbose: 0 }) } }))
await model.close()
`
type Values = { readonly first: readonly number[]; readonly weights: readonly number[]; readonly evaluation: readonly number[] }
type Report = { readonly device: { readonly libraries?: string }; readonly products: TunedGpu['products'] | null; readonly bytes: number; readonly values: Values }

const played = (settings = ''): Record<string, string> => ({ KCC_CUBLASLT: library.file, KCC_PLAYED_CUBLASLT: settings })

async function used(env: Record<string, string>, device = 'cuda:0'): Promise<Report> {
  return lastJson<Report>(await shop.node(['program.mjs', device], env))
}

/** What a program returns, which finds `load`, data and `said`, the message of what fails. */
async function ran<T>(env: Record<string, string>, body: string): Promise<T> {
  shop.write('other.mjs', `${numbersText}
const { load } = await import('./package/index.mjs')
const x = { data: numbers(96 * 12, 5), shape: [96, 12] }, y = Int32Array.from({ length: 96 }, (_, i) => i % 3)
const said = async (body) => { try { await body(); return 'nothing' } catch (error) { return error.message } }
console.log(JSON.stringify(await (async () => { ${body} })()))
process.exit(0)
`)
  return lastJson<T>(await shop.node(['other.mjs'], env))
}

const measured = (env: Record<string, string>): Promise<TunedGpu> => shop.kccJson<TunedGpu>(['tune', 'package', '--batch-size', '32'], env)
const reasons = (products: TunedGpu['products'] | null): ReadonlySet<string> => new Set((products ?? []).map(({ by, why }) => `${by}: ${why}`))

beforeAll(async () => {
  library = playedLibrary('played-cublaslt.cc')
  shop.write('model.ts', smallModel(40))
  shop.write('program.mjs', program)
  const built = await shop.kcc(['build', 'model.ts', '--out', shop.path('package'), '--target', 'cuda', '--sm', 'host'])
  expect([built.code, built.stderr]).toEqual([0, ''])
})

const largest = (a: readonly number[], b: readonly number[]): number => Math.max(...a.map((x, i) => Math.abs(x - b[i]!)))

/** As in package.test.ts: sums in another order, then 12 steps of RMSprop. */
const PREDICTED = 5e-7, TRAINED = 1e-5

describe('from measuring to use', () => {
  let own: Report, tuned: TunedGpu, chosen: Report
  beforeAll(async () => {
    own = await used(played())
    tuned = await measured(played())
    chosen = await used(played())
  })

  test('nothing is used that was not measured', () => {
    expect(own.device.libraries).toBe('kernels of kcc compute all products: `kcc tune` has measured nothing on a CPU that plays a GPU, 9.0')
    expect(own.products).toEqual([])
  })

  test('every product of the model is measured, and the file says which', () => {
    const { format, gpus } = JSON.parse(shop.read('package/tuned.json')) as Tuned
    expect([format, gpus.length, gpus[0]!.gpu, gpus[0]!.cublaslt, gpus[0]!.cudnn]).toEqual(['kcc-tuned-2', 1, 'a CPU that plays a GPU, 9.0', 130101, 0])
    expect(gpus[0]!.products).toEqual(tuned.products)
    // Forward, of both layers: a bias and a bound in prediction, an end of our own in training, the bias alone; backward, 3 of 4.
    expect(tuned.products.map(({ rows, columns, terms }) => `${rows} ${columns} ${terms}`).sort()).toEqual(['12 40 32', '32 3 40', '32 40 12', '32 40 12', '32 40 3', '40 3 32'])
    expect(tuned.products.filter(({ by }) => by === 'own')).toEqual([])
    expect(tuned.products.find(({ rows }) => rows === 12)!.by).toBe('library, then end')
  })

  test('the model is told, and computes what it computed', () => {
    expect(chosen.device.libraries).toBe('cuBLASLt 13.1.1, where it is installed, is to compute 6 of 6 products that were measured on a CPU that plays a GPU, 9.0')
    expect(chosen.products).toEqual(tuned.products)
    expect(largest(chosen.values.first, own.values.first)).toBeLessThan(PREDICTED)
    expect(chosen.values.first).not.toEqual(own.values.first)
    for (const what of ['weights', 'evaluation'] as const) expect(largest(chosen.values[what], own.values[what]), what).toBeLessThan(TRAINED)
  })

  test('is bit-identical from run to run', async () => {
    expect((await used(played())).values).toEqual(chosen.values)
  })

  test('what libraries work in is counted', () => {
    // The fastest way of the library that is played takes 64 KB; sums that lie nowhere else take 12 x 40 floats, in rooms of 256 bytes.
    expect(chosen.bytes - own.bytes).toBe(65536 + 2048)
  })

  test('is part of what is recorded', async () => {
    const kernels = async (env: Record<string, string>): Promise<number> => {
      const lines = await traced(async () => used({ ...env, KCC_HOST_GPU_TRACE: process.env['KCC_HOST_GPU_TRACE']! }))
      return count(lines, /^kernel/)
    }
    // Batches are gathered beside what is recorded; nothing else is, but that the library starts once for each of its products in
    // predict (2), trainStep (5) and evaluate (2) before.
    expect(await kernels(played()) - await kernels({})).toBe(9)
  })

  test('another build keeps what was measured', async () => {
    const built = await shop.kcc(['build', 'model.ts', '--out', shop.path('package'), '--target', 'cuda', '--sm', 'host', '--force'])
    expect([built.code, built.stderr]).toEqual([0, ''])
    expect((await used(played())).values).toEqual(chosen.values)
  })

  const otherwise: readonly (readonly [string, () => Record<string, string>, string])[] = [
    ['there is no library', () => ({}), 'own: there is no cuBLASLt on this machine'],
    ['the library that is named is no library', () => ({ KCC_CUBLASLT: shop.path('model.ts') }), ''],
    ['it is of another version', () => played('version=120800'), 'own: measured with cuBLASLt 13.1.1, and this is 12.8.0'],
    ['it does not start', () => played('create=1'), `own: FILE cannot be used: it is not initialized (status 1)`],
    ['it does not know the way any more', () => played('check=15'), 'own: cuBLASLt: it cannot do that (status 15)'],
    ['it fails', () => played('matmul=13'), 'own: cuBLASLt: it failed to run (status 13)'],
    ['the GPU has no memory for it', () => ({ ...played(), KCC_HOST_GPU: `memory=${own.bytes + 60_000}` }), 'own: 0.1 MB that cuBLASLt needs for it are not free'],
  ]
  test.each(otherwise)('kernels of kcc do it where %s', async (_what, env, why) => {
    const report = await used(env())
    expect(report.values).toEqual(own.values)
    if (why === '') expect([...reasons(report.products)].join()).toMatch(/^own: KCC_CUBLASLT=\S+model.ts cannot be loaded: /)
    else expect(reasons(report.products)).toEqual(new Set([why.replace('FILE', library.file)]))
  })

  const unrecorded = 'own: its work cannot be recorded: cuBLASLt: it failed to run (status 13)'

  test('where it does for some products what cannot be recorded, it does the others', async () => {
    const { products, values } = await used(played('waits=3'))
    expect(reasons(products!.filter(({ columns }) => columns === 3))).toEqual(new Set([unrecorded]))
    expect(products!.filter(({ by, columns }) => by === 'own' && columns !== 3)).toEqual([])
    expect(largest(values.weights, own.values.weights)).toBeLessThan(TRAINED)
  })

  test('a library that cannot be used takes no memory', async () => {
    for (const env of [{}, played('create=1'), played('version=120800')]) expect((await used(env)).bytes).toBe(own.bytes)
  })

  test('whatever fits without a library fits beside one, which takes what is left and gives it back', async () => {
    // Each memory is that of a GPU of its own: a small prediction, a training that needs 2 KB more for libraries, and a prediction that needs all that is left.
    const { least, runs } = await ran<{ least: number; runs: readonly { said: string; short: readonly string[]; back: boolean }[] }>(played(), `
      const large = { data: numbers(256 * 12, 3), shape: [256, 12] }, library = process.env.KCC_CUBLASLT
      const on = async (memory, file) => {
        Object.assign(process.env, { KCC_HOST_GPU: 'memory=' + memory, KCC_CUBLASLT: file })
        let model, short = [], back = false
        const heard = await said(async () => {
          model = load({ seed: 11, device: 'cuda:0' })
          await model.predict(x, { batchSize: 32 })
          await model.fit(x, y, { batchSize: 32, verbose: 0 })
          const before = model.memoryBytes
          await model.predict(large, { batchSize: 256 })
          back = model.memoryBytes < before
          short = model.products.products.filter(({ by }) => by === 'own').map(({ rows, why }) => rows + ': ' + why)
        })
        await model?.close()
        return { said: heard, short, back }
      }
      let least = 1 << 20, runs = []
      for (let step = least / 2; step >= 256; step /= 2) if ((await on(least - step, '')).said === 'nothing') least -= step
      for (let memory = least; memory <= least + 224 * 1024; memory += 4096) runs.push(await on(memory, library))
      return { least, runs }`)
    expect(least).toBeGreaterThan(4096)
    expect(new Set(runs.map(({ said }) => said))).toEqual(new Set(['nothing']))
    // None by the library, then all but the gradients of kernels, whose sums lie nowhere else, then all.
    expect([...new Set(runs.map(({ short }) => short.length))]).toEqual([6, 2, 0])
    expect([...runs.find(({ short }) => short.length === 2)!.short].sort()).toEqual([12, 40].map((rows) => `${rows}: 0.1 MB that cuBLASLt needs for it are not free`))
    expect([new Set(runs.map(({ back }) => back)), runs.at(-1)!.back]).toEqual([new Set([false, true]), false])
  })

  test('choices of which one cannot be read leave those there are', async () => {
    const report = await ran<{ text: string; said: string; kept: string; none: string }>(played(), `
      const { native } = load({ device: 'cuda:0' }).program, text = native.choices(false), before = await said(() => native.readChoices(text + 'none\\n')), kept = native.choices(false)
      native.readChoices('')
      await said(() => native.readChoices(text + 'none\\n'))
      return { text, said: before, kept, none: native.choices(false) }`)
    expect(report.text.split('\n')).toHaveLength(2 + 6 + 1)
    expect([report.said, report.kept, report.none]).toEqual(['cannot read the choice "none"', report.text, 'cublaslt 0\ncudnn 0\n'])
  })

  test('the CPU has none of it', async () => {
    const { device, products } = await used(played(), 'cpu')
    expect([device.libraries, products]).toEqual([undefined, null])
  })

  const damaged: readonly (readonly [string, string, RegExp])[] = [
    ['cut off', '{"format": "kcc-tuned-2", "gpus": [', /tuned\.json is damaged: .* Measure again with `kcc tune`, or remove it\.$/],
    ['of another format', '{"format": "kcc-tuned-0", "gpus": []}', /tuned\.json has format "kcc-tuned-0", but this version reads kcc-tuned-2\./],
    ['of something else', '[1, 2]', /tuned\.json has format undefined/],
    ['without products', '{"format": "kcc-tuned-2", "gpus": [{"gpu": "a CPU that plays a GPU, 9.0", "cublaslt": 1, "cudnn": 0}]}', /one of its GPUs or products is none/],
    ['with a GPU that is null', '{"format": "kcc-tuned-2", "gpus": [null]}', /one of its GPUs or products is none/],
    ['with a product that is none', '{"format": "kcc-tuned-2", "gpus": [{"gpu": "a CPU that plays a GPU, 9.0", "cublaslt": 1, "cudnn": 0, "products": [{"kernel": "a\\tb"}]}]}', /one of its GPUs or products is none/],
    ['with an algorithm that is none', JSON.stringify({ format: 'kcc-tuned-2', gpus: [{ gpu: 'a CPU that plays a GPU, 9.0', cublaslt: 130101, cudnn: 0, products: [{ kernel: 'k', rows: 1, columns: 1, terms: 1, by: 'library', library: 'cublaslt', algorithm: 'xyz', workspace: 0, ownNanoseconds: 1, libraryNanoseconds: 1, why: '' }] }] }),
      /cannot read the choice "k\t1\t1\t1\tlibrary\tcublaslt\txyz/],
  ]
  test.each(damaged)('a file that is %s changes nothing but the words', async (_what, text, words) => {
    const kept = shop.read('package/tuned.json')
    shop.write('package/tuned.json', text)
    const report = await used(played())
    shop.write('package/tuned.json', kept)
    expect(report.device.libraries).toMatch(/^kernels of kcc compute all products: /)
    expect(report.device.libraries).toMatch(words)
    expect(report.values).toEqual(own.values)
  })

  test.each(damaged.slice(0, 2))('a file that is %s is measured again, and it is said', async (_what, text) => {
    shop.write('package/tuned.json', text)
    const ran = await shop.kcc(['tune', 'package', '--batch-size', '32', '--json'], played())
    expect([ran.code, ran.stderr]).toEqual([0, expect.stringMatching(/^kcc: .*tuned\.json (is damaged: |has format "kcc-tuned-0", ).* What is measured now replaces it\.$/)])
    expect((JSON.parse(shop.read('package/tuned.json')) as Tuned).gpus[0]!.products).toEqual((JSON.parse(ran.stdout) as TunedGpu).products)
  })
})

describe('what is measured', () => {
  const unfit: readonly (readonly [string, string, RegExp])[] = [
    ['operands with fewer digits than asked for', 'wrong=1', /^own: cuBLASLt gave another product than asked for, at \d+ of 256 places$/],
    ['a matrix read the other way', 'wrong=3', /^own: cuBLASLt gave another product than asked for, at \d+ of 256 places$/],
    ['no way to do it', 'heuristic=15', /^own: cuBLASLt: it cannot do that \(status 15\)$/],
    ['a refusal', 'matmul=7', /^own: cuBLASLt: it takes a value for wrong \(status 7\)$/],
    ['less speed', 'busy=20000', /^own: $/],
  ]
  test.each(unfit)('%s is no choice', async (_what, settings, why) => {
    const { products } = await measured(played(settings))
    expect(products.length).toBe(6)
    for (const { by, why: said } of products) expect(`${by}: ${said}`).toMatch(why)
  })

  test('work that cannot be recorded is no choice', async () => {
    const { products } = await measured(played('waits=3'))
    expect(reasons(products.filter(({ columns }) => columns === 3))).toEqual(new Set(['own: its work cannot be recorded']))
    expect(products.filter(({ by, columns }) => by === 'own' && columns !== 3)).toEqual([])
  })

  test('a bound that hides NaN is not the library\'s to give', async () => {
    const { products } = await measured(played('wrong=2'))
    expect(products.filter(({ by }) => by === 'own')).toEqual([])
    expect(products.filter(({ by, columns }) => by === 'library' && columns !== 3)).toEqual([])
  })

  test('weights are what they were, where it fails too', async () => {
    // The third recording that starts is that of the first product, whose operands are filled.
    const report = await ran<{ said: string; same: boolean }>(played(), `
      const model = load({ seed: 11, device: 'cuda:0' }), weights = () => JSON.stringify(model.getWeights().map((w) => Array.from(w.data))), before = weights()
      model.program.native.readChoices('')
      model.program.native.choices(true)
      process.env.KCC_HOST_GPU = 'graph=3'
      return { said: await said(() => model.predict(x, { batchSize: 32 })), same: weights() === before }`)
    expect(report.said).toContain('the GPU is out of memory')
    expect(report.same).toBe(true)
  })

  test('without a library it says so, in the table too', async () => {
    rmSync(shop.path('package/tuned.json'))
    const ran = await shop.kcc(['tune', 'package'], {})
    expect(ran.stdout).toMatch(/^a CPU that plays a GPU, 9\.0; no cuBLASLt\n(  .*kcc: there is no cuBLASLt on this machine .*\n){6}\nKept in package\/tuned\.json$/)
    expect((await used(played())).device.libraries).toBe('kernels of kcc compute all products: nothing else could be measured on a CPU that plays a GPU, 9.0 (there is no cuBLASLt on this machine)')
  })

  test('a library without what is needed is another version', async () => {
    const other = playedLibrary('played-cublaslt.cc', ['-DcublasLtMatmulAlgoCheck=otherwise'])
    const { products } = await measured({ KCC_CUBLASLT: other.file })
    other.remove()
    expect(reasons(products)).toEqual(new Set([`own: ${other.file} has no function cublasLtMatmulAlgoCheck: it is another version than kcc knows`]))
  })

  test('a bound without a bias is looked at as closely, and a single row has its room', async () => {
    shop.write('bare.ts', `import { Dense, Input, Model, Sequential } from 'kcc'
      const x = Input({ batchShape: [1, 12] })
      export const single = Model({ inputs: x, outputs: Dense(2)(Dense(40, { activation: 'relu', useBias: false })(x)) })
      export default Sequential([Dense(40, { activation: 'relu', useBias: false, inputShape: [12] }), Dense(2)])
    `)
    const cache = ownCache(shop, 'bare-cache')
    const found = async (settings: string): Promise<readonly (readonly [number, boolean])[]> => {
      const ran = await shop.kcc(['tune', 'bare.ts', '--sm', 'host', '--precision', 'mixed_bfloat16', '--batch-size', '32', '--json'], { ...played(settings), ...cache })
      const { products } = JSON.parse(ran.stdout) as TunedGpu
      return products.filter(({ columns }) => columns === 40).map(({ rows, libraryNanoseconds }) => [rows, libraryNanoseconds > 0] as const).sort(([a], [b]) => a - b)
    }
    // With its own bound alone nothing is left; without it the sums are right, beside operands that were rounded.
    expect(await found('wrong=2,plain=15')).toEqual([[1, false], [32, false]])
    expect(await found('plain=15')).toEqual([[1, true], [32, true]])
    expect(await found('wrong=2')).toEqual([[1, true], [32, true]])
  })

  test('a library that is there and lacks another is not said to be missing', () => {
    const at = (file: string): string => shop.path(file), build = (...args: readonly string[]): unknown => execFileSync('g++', args)
    build('-shared', '-x', 'c++', '/dev/null', '-o', at('libmissing.so'))
    build('-shared', '-x', 'c++', '/dev/null', '-o', at('libfound.so'), '-L', shop.folder, '-Wl,--no-as-needed', '-lmissing')
    rmSync(at('libmissing.so'))
    shop.write('find.cc', `#include "shared-library.h"
      #include <stdio.h>
      int main() {
        for (const char* name : {"libfound.so", "libnone.so.2"}) puts(kcc::SharedLibrary("cuBLASLt", "KCC_NONE", {"libnone.so.3", name, "libnone.so.1"}).why().c_str());
      }`)
    build('-std=c++17', '-I', inPackage('native', 'cuda'), at('find.cc'), inPackage('native', 'cuda', 'shared-library.cc'), '-ldl', '-o', at('find'))
    const printed = execFileSync(at('find'), { env: { ...process.env, LD_LIBRARY_PATH: shop.folder }, encoding: 'utf8' })
    expect(printed).toBe('libfound.so cannot be loaded: libmissing.so: cannot open shared object file: No such file or directory\nthere is no cuBLASLt on this machine\n')
  })

  test('a model file is measured too, for the scripts that run it', async () => {
    const env = { ...played(), ...ownCache(shop, 'cache') }
    const ran = await shop.kcc(['tune', 'model.ts', '--sm', 'host', '--batch-size', '32', '--json'], env), report = JSON.parse(ran.stdout) as TunedGpu & { readonly file: string }
    expect(ran.stderr).toBe('kcc: runs on cuda:0: it is the first GPU of this machine')
    expect([report.file, report.products.length]).toEqual([shop.path('cache', 'tuned.json'), 6])
    expect((await shop.kcc(['tune', 'model.ts', '--batch-size', '0'], env)).stderr).toContain('Cannot read --batch-size "0". Expected sizes of the batch, as in --batch-size 32,128')
    expect((await shop.kcc(['tune', 'package', '--device', 'cpu'], env)).stderr).toContain('Only a GPU is measured, and the model runs on cpu: it was asked for')
  })
})
