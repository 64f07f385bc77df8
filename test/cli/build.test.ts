import * as fs from 'node:fs'
import { createRequire } from 'node:module'
import * as os from 'node:os'
import * as path from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { filesBelow } from '../../compiler/support/files.js'
import { inPackage } from '../../compiler/support/paths.js'
import type { FusionReport } from '../../compiler/cli/fusion-report.js'
import { kcc } from './kcc.js'

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'kcc-package-'))
const env = { KCC_CACHE_DIR: path.join(folder, 'cache') }
const run = (args: readonly string[], more: Record<string, string> = {}) => kcc(args, { cwd: folder, env: { ...env, ...more } })
const write = (name: string, text: string): void => fs.writeFileSync(path.join(folder, name), text)
const dist = (...parts: string[]): string => path.join(folder, 'dist', ...parts)
const elsewhere = (...parts: string[]): string => path.join(folder, 'elsewhere', ...parts)
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))

const source = (units: number): string => `import { Dense, Input, Model, concatenate } from 'kcc'
import { width } from './width.js'
const left = Input({ shape: [width], name: 'left' })
const right = Input({ shape: [2], name: "right's \\"*/ input" })
const joined = concatenate([Dense(${units}, { activation: 'tanh' })(left), right])
const model = Model({ inputs: [left, right], outputs: [Dense(1, { name: 'score' })(joined), Dense(3, { activation: 'softmax', name: 'kind' })(joined)] })
model.compile({ optimizer: 'adam', loss: ['mse', 'sparse_categorical_crossentropy'], metrics: { kind: 'accuracy' } })
export default model
`

type Report = { upToDate: boolean; packages: { name: string; folder: string; written: boolean; compiled: number; files: { path: string }[] }[] }
const build = async (...args: string[]): Promise<Report> => {
  const ran = await run(['build', 'two.ts', '--json', ...args])
  expect(ran.stderr).toBe('')
  return JSON.parse(ran.stdout) as Report
}

beforeAll(async () => {
  write('width.ts', 'export const width = 4\n')
  write('two.ts', source(5))
  await build()
  fs.cpSync(dist('two'), elsewhere('node_modules', 'two'), { recursive: true })
})

describe('a package', () => {
  test('has everything that a Node process needs', () => {
    const files = filesBelow(dist('two'))
    for (const name of ['package.json', 'index.mjs', 'index.cjs', 'index.d.ts', 'model.node', 'weights.safetensors', 'manifest.json', 'runtime.cjs']) expect(files).toContain(name)
    expect(files.filter((name) => /^src\/.*\.cc$/.test(name)).length).toBeGreaterThan(2)
    expect(fs.readdirSync(dist())).toEqual(['two'])
    expect(filesBelow(dist('two')).map((name) => fs.readFileSync(dist('two', name))).some((bytes) => bytes.includes(inPackage()))).toBe(false)
  })

  test('works elsewhere, by import and by require, as one model', async () => {
    const script = `import two, { predict } from 'two'
import { createRequire } from 'node:module'
const required = createRequire(import.meta.url)('two')
const x = { left: [[1, 2, 3, 4], [5, 6, 7, 8]], "right's \\"*/ input": Float32Array.of(1, 2, 3, 4) }
const [score, kind] = await predict(x)
const [again] = required.predictSync(x)
console.log(JSON.stringify({ shapes: [score.shape, kind.shape], same: again.data.join() === score.data.join(), one: two === required.model,
  sums: kind.toNested().map((row) => Math.round(row.reduce((a, b) => a + b) * 1e5) / 1e5), metrics: two.metricsNames }))
await two.close()`
    fs.writeFileSync(elsewhere('use.mjs'), script)
    const { stdout } = await execa(process.execPath, ['use.mjs'], { cwd: elsewhere() })
    expect(JSON.parse(stdout)).toEqual({
      shapes: [[2, 1], [2, 3]], same: true, one: true, sums: [1, 1], metrics: ['loss', 'score_loss', 'kind_loss', 'kind_accuracy'],
    })
  })

  test('is typed: right uses pass and wrong ones fail, for import and require alike', async () => {
    const uses = `import two, { predict, predictSync, type Inputs, type Outputs } from 'two'
import { createRequire } from 'node:module'
const required = createRequire(import.meta.url)('two') as typeof import('two', { with: { 'resolution-mode': 'require' } })
const x: Inputs = { left: [[1, 2, 3, 4]], "right's \\"*/ input": Float32Array.of(1, 2) }
const [score, kind] = await predict(x, { batchSize: 1 })
const data: Float32Array = score.data, three: 3 = kind.shape[1], rows: readonly (readonly number[])[] = kind.toNested()
const byName: Outputs['kind'] = predictSync([new Float32Array(4), { data: new Float32Array(2), shape: [1, 2] }])[1]
const names: readonly string[] = two.metricsNames, same: readonly string[] = required.model.metricsNames
`
    fs.writeFileSync(elsewhere('use.mts'), `${uses}void [data, three, rows, byName, names, same]\n`)
    fs.writeFileSync(elsewhere('wrong.mts'), `${uses}void predict({ left: new Int32Array(4) })\nconst four: 4 = kind.shape[1]\n`)
    const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')
    const flags = ['--noEmit', '--strict', '--target', 'es2022', '--module', 'nodenext', '--typeRoots', inPackage('node_modules', '@types'), '--types', 'node']
    const { stdout } = await execa(process.execPath, [tsc, ...flags, 'use.mts', 'wrong.mts'], { cwd: elsewhere(), reject: false })
    expect(stdout.split('\n').filter((line) => line.includes('error')).map((line) => /^([^(]+)\((\d+),\d+\): error (TS\d+)/.exec(line)?.slice(1)))
      .toEqual([['wrong.mts', '9', 'TS2322'], ['wrong.mts', '10', 'TS2322']])
  })
})

describe('building again', () => {
  test('does nothing, fast, when nothing has changed', async () => {
    const before = fs.statSync(dist('two', 'model.node')).ino
    const ran = await run(['build', 'two.ts'], { PATH: '/nonexistent' })
    expect(ran).toMatchObject({ code: 0, stderr: '' })
    expect(ran.stdout).toContain('✓ unchanged in')
    expect(ran.seconds).toBeLessThan(1)
    expect(fs.statSync(dist('two', 'model.node')).ino).toBe(before)
  })

  test('compiles what an imported file changed, and comes back to what it was', async () => {
    write('width.ts', 'export const width = 6\n')
    const changed = await build()
    expect(changed).toMatchObject({ upToDate: false, packages: [{ written: true }] })
    expect(JSON.parse(fs.readFileSync(dist('two', 'manifest.json'), 'utf8'))).toMatchObject({ functions: [{ inputs: [{ shape: ['B', 6] }, {}] }, {}, {}] })
    write('width.ts', 'export const width = 4\n')
    expect((await build()).packages[0]).toMatchObject({ compiled: 0 })
  })

  test('restores a package that was damaged', async () => {
    fs.writeFileSync(dist('two', 'model.node'), 'damaged')
    fs.rmSync(dist('two', 'index.cjs'))
    expect((await build()).packages[0]).toMatchObject({ written: true, compiled: 0 })
    expect(fs.statSync(dist('two', 'model.node')).size).toBeGreaterThan(10_000)
  })

  test('with other options is another build', async () => {
    const out = path.join(folder, 'levels')
    const built = await build('--out', out, '--cpu', 'x86-64-v2,x86-64-v3')
    expect(built.packages).toMatchObject([{ folder: out, written: true }])
    const { levels } = createRequire(import.meta.url)(path.join(out, 'model.node')) as { levels: string[] }
    expect(levels).toEqual(['x86-64-v3', 'x86-64-v2'])
    expect((await build('--out', out, '--cpu', 'x86-64-v2,x86-64-v3')).upToDate).toBe(true)
  })
})

describe('a build that fails', () => {
  test('leaves the package as it was', async () => {
    const before = filesBelow(dist('two'))
    write('two.ts', source(7))
    const ran = await run(['build', 'two.ts', '--force'], { KCC_CXX: '/bin/false' })
    expect(ran.code).toBe(3)
    expect(ran.stderr).toContain('✘ [ERROR] ToolchainError: The C++ compiler failed.')
    expect(ran.stderr).toContain('kcc doctor')
    expect(filesBelow(dist('two'))).toEqual(before)
    expect(fs.readdirSync(dist())).toEqual(['two'])
    write('two.ts', source(5))
  })

  test('shows a type error in the model with its line', async () => {
    write('typed.ts', "import { Dense, Sequential } from 'kcc'\nexport default Sequential([Dense('5', { inputShape: [3] })])\n")
    const ran = await run(['build', 'typed.ts'])
    expect(ran.code).toBe(1)
    expect(ran.stderr).toContain("    typed.ts:2:34:\n      2 │ export default Sequential([Dense('5', { inputShape: [3] })])\n        ╵                                  ~~~\n")
    expect(ran.stderr).toContain('expected: number')
  })

  test('shows a shape error in the model with its line', async () => {
    write('shapes.ts', "import { Add, Dense, Input, Model } from 'kcc'\nconst x = Input({ shape: [3] })\nconst sum = Add()([\n  Dense(4)(x),\n  Dense(5)(x),\n])\nexport default Model({ inputs: x, outputs: sum })\n")
    const ran = await run(['build', 'shapes.ts'])
    expect(ran.code).toBe(1)
    expect(ran.stderr).toContain('shapes.ts:3:')
    expect(ran.stderr).toContain('3 │ const sum = Add()([')
  })

  test('refuses to replace a folder that is no package', async () => {
    fs.mkdirSync(path.join(folder, 'mine'))
    write('mine/thesis.txt', 'years of work')
    const ran = await run(['build', 'two.ts', '--out', 'mine'])
    expect(ran.code).toBe(1)
    expect(ran.stderr).toContain('mine exists and is not a package of kcc')
    expect(fs.readdirSync(path.join(folder, 'mine'))).toEqual(['thesis.txt'])
  })

  test('names what a file without models exports', async () => {
    const ran = await run(['build', 'width.ts'])
    expect(ran.code).toBe(1)
    expect(ran.stderr).toContain('width.ts exports no model')
  })
})

describe('looking inside', () => {
  test.each([['trace', 'trainStep'], ['graph', 'matmul'], ['kernels', 'kernels in launch order'], ['plan', 'arena of'], ['emit', '#include']])('--stop-after %s', async (stage, text) => {
    const ran = await run(['build', 'two.ts', '--stop-after', stage])
    expect(ran).toMatchObject({ code: 0, stderr: '' })
    expect(ran.stdout).toContain(text)
  })

  test('a stage that does not exist is a usage error', async () => {
    expect(await run(['build', 'two.ts', '--stop-after', 'nowhere'])).toMatchObject({ code: 2 })
  })

  test('kcc inspect shows every part, and the source lines of kernels', async () => {
    const { stdout, code } = await run(['inspect', 'two.ts'])
    expect(code).toBe(0)
    for (const part of ['summary', 'graph', 'kernels', 'plan', 'code']) expect(stdout).toContain(`── two: ${part}`)
    expect(stdout).toContain('Total params:')
    expect(stdout).toMatch(/two\.ts:\d+/)
  })

  test('kcc inspect --fusion measures every kernel, and says why it is apart', async () => {
    const { stdout, stderr, code } = await run(['inspect', 'two.ts', '--fusion', '--batch-size', '16', '--json'])
    expect([code, stderr]).toEqual([0, ''])
    const report = JSON.parse(stdout) as FusionReport
    expect(report.functions.map((f) => f.name)).toEqual(['predict', 'evaluate', 'trainStep'])
    for (const kernel of report.functions.flatMap((f) => f.kernels)) {
      expect(kernel.bytesRead + kernel.bytesWritten, kernel.name).toBeGreaterThan(0)
      expect(kernel.expectedSeconds, kernel.name).toBeGreaterThan(0)
      expect(kernel.measuredSeconds, kernel.name).toBeGreaterThan(0)
      expect(kernel.measuredSeconds, kernel.name).toBeLessThan(1)
    }
    const dense = report.functions[0]!.kernels.find((kernel) => kernel.layer === 'dense_1')!
    // 16 x 4 inputs, 4 x 5 weights, 5 biases; 16 x 5 sums of 4 products; tanh and a bias for each.
    expect(dense).toMatchObject({ bytesRead: 4 * (16 * 4 + 4 * 5 + 5), bytesWritten: 4 * 16 * 5, flops: 2 * 16 * 5 * 4 })
    expect(dense.line).toMatch(/two\.ts:\d+$/)
    expect(report.functions.flatMap((f) => f.kernels).flatMap((kernel) => kernel.apart).map((a) => a.why)).toContain('an operand of a product, which reads all of it for every tile')
  })

  test('kcc bench compares fused with unfused and one thread', async () => {
    const { stdout, stderr, code } = await run(['bench', 'two.ts', '--json', '--seconds', '1', '--batch-size', '8'])
    expect([code, stderr]).toEqual([0, ''])
    const report = JSON.parse(stdout) as { rows: { variant: string; what: string; kernels: number; time: { median: number }; flopsShare: number }[] }
    expect(report.rows.map((row) => `${row.variant}: ${row.what}`)).toEqual(['fused', 'fused, 1 thread', 'unfused'].flatMap((v) => ['train step', 'predict 1', 'predict batch'].map((w) => `${v}: ${w}`)))
    for (const row of report.rows) {
      expect(row.time.median).toBeGreaterThan(0)
      expect(row.flopsShare).toBeGreaterThan(0)
      expect(row.flopsShare).toBeLessThan(1.2)
    }
    const kernels = (variant: string): number => report.rows.find((row) => row.variant === variant)!.kernels
    expect(kernels('fused')).toBeLessThan(kernels('unfused'))
  })
})
