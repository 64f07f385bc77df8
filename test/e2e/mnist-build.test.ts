/** `kcc build examples/mnist-mlp/model.ts` on an empty cache, again, and the package in a place of its own. */
import * as fs from 'node:fs'
import { createRequire } from 'node:module'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { inPackage } from '../../compiler/support/paths.js'
import { lastJson, openWorkshop, type BuildReport } from './workshop.js'
import { MANIFEST_FORMAT } from '../../runtime/contract/manifest.js'

const shop = openWorkshop('mnist'), elsewhere = openWorkshop('elsewhere')
afterAll(() => { shop.remove(); elsewhere.remove() })

const modelFile = inPackage('examples', 'mnist-mlp', 'model.ts')
const cold = { KCC_CACHE_DIR: shop.path('cache') }
const build = (env: Record<string, string> = {}) => shop.kccJson<BuildReport>(['build', modelFile], { ...cold, ...env })
let first: BuildReport

beforeAll(async () => {
  first = await build()
  console.log(`cold build of mnist-mlp: ${first.seconds.toFixed(2)} s`)
})

describe('the first build', () => {
  test('compiles, and writes everything a Node process needs', () => {
    const [built] = first.packages
    expect(first.upToDate).toBe(false)
    expect(built).toMatchObject({ name: 'mnist-mlp', folder: shop.path('dist', 'mnist-mlp'), written: true })
    expect(built!.compiled).toBeGreaterThan(2)
    const files = built!.files.map((f) => f.path)
    for (const name of ['index.cjs', 'index.d.mts', 'index.d.ts', 'index.mjs', 'manifest.json', 'model.node', 'package.json', 'runtime.cjs', 'weights.safetensors']) expect(files).toContain(name)
    expect(built!.files.find((f) => f.path === 'weights.safetensors')!.bytes).toBeGreaterThan(4 * 669_706)
    expect(fs.readdirSync(shop.path('dist'))).toEqual(['mnist-mlp'])
  })

  test('says in the manifest what is in it', () => {
    const manifest = JSON.parse(shop.read('dist/mnist-mlp/manifest.json')) as { format: number; functions: { name: string; inputs: unknown[]; arenaBytes: { at: Record<string, number> } }[]; model: { metricsNames: string[] } }
    expect(manifest.format).toBe(MANIFEST_FORMAT)
    expect(manifest.functions.map((f) => f.name)).toEqual(['predict', 'evaluate', 'trainStep'])
    expect(manifest.functions[0]!.inputs).toEqual([{ name: 'dense_1_input', dtype: 'float32', shape: ['B', 784] }])
    expect(manifest.functions[2]!.arenaBytes.at['128']).toBeGreaterThan(128 * 512 * 4)
    expect(manifest.model.metricsNames).toEqual(['loss', 'accuracy'])
  })
})

test('a second build starts no compiler', async () => {
  const inode = fs.statSync(shop.path('dist/mnist-mlp/model.node')).ino
  // Nothing can be started: no program is on the path.
  const again = await build({ PATH: '/nonexistent' })
  console.log(`second build of mnist-mlp: ${(again.seconds * 1000).toFixed(0)} ms`)
  expect(again).toMatchObject({ upToDate: true, packages: [{ written: false, compiled: 0 }] })
  expect(fs.statSync(shop.path('dist/mnist-mlp/model.node')).ino).toBe(inode)
})

describe('the package in another folder, without kcc and node_modules', () => {
  beforeAll(() => { fs.cpSync(shop.path('dist/mnist-mlp'), elsewhere.path('digits'), { recursive: true }) })

  const use = `const x = Float32Array.from({ length: 3 * 784 }, (_, i) => (i * 7919 % 1009) / 1009)
const main = async ({ model, predict, predictSync, load }) => {
  const y = await predict({ data: x, shape: [3, 784] })
  const one = predictSync(x.subarray(0, 784)), byName = predictSync({ dense_1_input: x }), nested = predictSync(Array.from({ length: 3 }, (_, i) => Array.from(x.subarray(i * 784, (i + 1) * 784))))
  const other = load({ seed: 5 })
  const labels = Float32Array.from({ length: 30 }, (_, i) => (i % 11 === 0 ? 1 : 0))
  const before = other.predictSync(x).data.join()
  const history = await other.fit(x, labels, { epochs: 2, batchSize: 2, verbose: 0 })
  console.log(JSON.stringify({
    shape: y.shape, sums: y.toNested().map((row) => row.reduce((a, b) => a + b)), data: Array.from(y.data),
    same: [one.data.join() === y.data.slice(0, 10).join(), byName.data.join() === y.data.join(), nested.data.join() === y.data.join(), before === y.data.join()],
    trained: other.predictSync(x).data.join() !== before, untouched: predictSync(x).data.join() === before, history: Object.keys(history.history), metrics: model.metricsNames,
  }))
  await Promise.all([model.close(), other.close()])
}
`
  type Report = { shape: number[]; sums: number[]; data: number[]; same: boolean[]; trained: boolean; untouched: boolean; history: string[]; metrics: string[] }
  const wanted = { shape: [3, 10], same: [true, true, true, true], trained: true, untouched: true, history: ['loss', 'accuracy'], metrics: ['loss', 'accuracy'] }

  test('works by import and by require, and both predict the same', async () => {
    elsewhere.write('use.mjs', `import * as digits from './digits/index.mjs'\n${use}await main(digits)\n`)
    elsewhere.write('use.cjs', `${use}main(require('./digits'))\n`)
    const reports = [lastJson<Report>(await elsewhere.node(['use.mjs'])), lastJson<Report>(await elsewhere.node(['use.cjs']))]
    for (const report of reports) {
      expect(report).toMatchObject(wanted)
      for (const sum of report.sums) expect(Math.abs(sum - 1)).toBeLessThan(1e-5)
    }
    expect(reports[0]!.data).toEqual(reports[1]!.data)
  })

  test('trains to the same weights, bit by bit, on 1, 2 and 3 threads', async () => {
    elsewhere.write('train.mjs', `import { load } from './digits/index.mjs'
import { createHash } from 'node:crypto'
const model = load({ seed: 21 }), samples = 20 * 128
const x = Float32Array.from({ length: samples * 784 }, (_, i) => (i * 7919 % 1009) / 1009), y = new Float32Array(samples * 10)
for (let i = 0; i < samples; i++) y[i * 10 + i % 10] = 1
const { history } = await model.fit(x, y, { batchSize: 128, verbose: 0 })
const hash = createHash('sha256')
for (const { data } of model.getWeights()) hash.update(Buffer.from(data.buffer, data.byteOffset, data.byteLength))
console.log(JSON.stringify({ weights: hash.digest('hex'), loss: history.loss }))
await model.close()
`)
    const reports: unknown[] = []
    for (const KCC_THREADS of ['1', '2', '3']) reports.push(lastJson<unknown>(await elsewhere.node(['train.mjs'], { KCC_THREADS })))
    expect(reports[1]).toEqual(reports[0])
    expect(reports[2]).toEqual(reports[0])
  })

  test('is typed: names, shapes and element types are checked', async () => {
    const head = `import { predict, predictSync } from './digits/index.mjs'\nconst x = new Float32Array(784)\n`
    elsewhere.write('right.mts', `${head}const y = await predict({ dense_1_input: x })
const ten: 10 = y.shape[1], data: Float32Array = y.data, p: number = y.toNested()[0]![0]!
const many = predictSync({ data: new Float32Array(1568), shape: [2, 784] })
console.log(ten, data, p, many.shape)
`)
    elsewhere.write('wrong.mts', `${head}await predict({ dense_input: x })
await predict({ dense_1_input: new Int32Array(784) })
await predict({ data: x, shape: [1, 783] })
const nine: 9 = predictSync(x).shape[1]
predictSync(x).data.toUpperCase()
console.log(nine)
`)
    const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')
    const flags = ['--noEmit', '--strict', '--target', 'es2022', '--module', 'nodenext', '--noUncheckedIndexedAccess', '--typeRoots', inPackage('node_modules', '@types'), '--types', 'node']
    const { stdout } = await elsewhere.node([tsc, ...flags, 'right.mts', 'wrong.mts'])
    const errors = stdout.split('\n').flatMap((line) => /^(\S+)\((\d+),\d+\): error/.exec(line)?.slice(1).join(':') ?? [])
    expect(errors).toEqual(['wrong.mts:3', 'wrong.mts:4', 'wrong.mts:5', 'wrong.mts:6', 'wrong.mts:7'])
  })
})
