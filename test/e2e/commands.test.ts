/** `kcc run`, and `kcc predict`, `evaluate` and `fit` on files, with every kind of model they take. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadNpz, saveNpz } from '../../compiler/files/npz.js'
import { lastJson, numbers, numbersText, openWorkshop, smallModel } from './workshop.js'

const shop = openWorkshop('commands')
afterAll(() => shop.remove())

const labels = Int32Array.from({ length: 50 }, (_, i) => i % 3)
const x = { dtype: 'float32', shape: [50, 12], data: numbers(600) } as const
const y = { dtype: 'int32', shape: [50, 1], data: labels } as const

beforeAll(() => {
  shop.write('model.ts', smallModel())
  saveNpz(shop.path('data.npz'), { x_0: x, y_0: y, unrelated: { dtype: 'float32', shape: [2], data: Float32Array.of(1, 2) } })
  saveNpz(shop.path('named.npz'), { dense_1_input: x, kind: y, sw_0: { dtype: 'float32', shape: [50], data: new Float32Array(50).fill(2) } })
})

const ok = async (args: readonly string[]): Promise<string> => {
  const ran = await shop.kcc(args)
  expect([ran.code, ran.stderr], args.join(' ')).toEqual([0, ''])
  return ran.stdout
}

describe('kcc run', () => {
  test('runs a script with every call of a model, and passes its arguments on', async () => {
    shop.write('train.ts', `import model from './model.js'
import { LambdaCallback } from 'kcc'
${numbersText.replace('(count, salt = 0)', '(count: number, salt = 0)')}
const samples = Number(process.argv[2])
const x = { data: numbers(samples * 12), shape: [samples, 12] }, y = Int32Array.from({ length: samples }, (_, i) => i % 3)
const batches: number[] = []
const history = await model.fit(x, y, { epochs: 2, batchSize: 8, verbose: 2, validationSplit: 0.2, callbacks: [new LambdaCallback({ onBatchEnd: (batch) => { batches.push(batch) } })] })
const evaluated = await model.evaluate(x, y, { verbose: 0 })
const predicted = await model.predict(x)
const classes = await model.predictClasses(x)
const trained = await model.trainOnBatch(x, y), tested = await model.testOnBatch(x, y), onBatch = await model.predictOnBatch(x)
const shapeOf = (r: typeof predicted): readonly number[] | null => (Array.isArray(r) ? null : r.shape)
console.log(JSON.stringify({ keys: Object.keys(history.history), batches, evaluated, trained, tested, shapes: [shapeOf(predicted), shapeOf(onBatch)], classes: classes.length }))
`)
    const ran = await shop.kcc(['run', 'train.ts', '20'])
    expect([ran.code, ran.stderr]).toEqual([0, ''])
    const lines = ran.stdout.split('\n')
    expect(lines.slice(0, 2)).toEqual(['Train on 16 samples, validate on 4 samples', 'Epoch 1/2'])
    const report = lastJson<{ keys: string[]; batches: number[]; evaluated: number[]; trained: number[]; tested: number[]; shapes: unknown; classes: number }>(ran)
    expect(report).toMatchObject({ keys: ['val_loss', 'val_accuracy', 'loss', 'accuracy'], batches: [0, 1, 0, 1], shapes: [[20, 3], [20, 3]], classes: 20 })
    for (const values of [report.evaluated, report.trained, report.tested]) {
      expect(values).toHaveLength(2)
      expect(values[0]).toBeGreaterThan(0)
      expect(values[1]).toBeGreaterThanOrEqual(0)
    }
  })

  test('ends with the code of the script, and 1 when it throws, with the line of the script', async () => {
    shop.write('exits.ts', 'process.exitCode = 7\n')
    shop.write('throws.ts', "const numbers: number[] = []\nif (numbers.length === 0) throw new Error('no numbers')\n")
    shop.write('rejects.ts', "const later = async (): Promise<void> => { throw new RangeError('too late') }\nvoid later()\nexport {}\n")
    expect((await shop.kcc(['run', '--no-check', 'exits.ts'])).code).toBe(7)
    const thrown = await shop.kcc(['run', '--no-check', 'throws.ts'])
    expect(thrown.code).toBe(1)
    expect(thrown.stderr).toContain('no numbers')
    expect(thrown.stderr).toContain('throws.ts:2')
    const rejected = await shop.kcc(['run', '--no-check', 'rejects.ts'])
    expect(rejected.code).toBe(1)
    expect(rejected.stderr).toContain('too late')
    expect(rejected.stderr).toContain('rejects.ts:1')
  })
})

describe('kcc predict, evaluate and fit', () => {
  let predicted: Float32Array

  test('on a TypeScript model: arrays by number or by name', async () => {
    expect(await ok(['predict', 'model.ts', '--x', 'data.npz', '--out', 'p.npz'])).toBe('p.npz\n  y_0  float32 [50, 3]')
    await ok(['predict', 'model.ts', '--x', 'named.npz', '--out', 'q.npz', '--batch-size', '7'])
    const [p, q] = [await loadNpz(shop.path('p.npz')), await loadNpz(shop.path('q.npz'))]
    predicted = p['y_0']!.data as Float32Array
    expect(Object.keys(p)).toEqual(['y_0'])
    expect(Math.max(...predicted.map((v, i) => Math.abs(v - q['y_0']!.data[i]!)))).toBeLessThan(1e-6)
  })

  test('a trained model as .h5, which continues where it ended', async () => {
    const fit = (model: string, out: string, epochs: number, more: readonly string[] = []): Promise<string> =>
      ok(['fit', model, '--x', 'data.npz', '--y', 'data.npz', '--epochs', String(epochs), '--batch-size', '16', '--no-shuffle', '--verbose', '0', '--out', out, ...more])
    expect(await fit('model.ts', 'one.h5', 2, ['--history', 'history.json'])).toBe('one.h5\nhistory.json')
    const { epoch, history } = JSON.parse(shop.read('history.json')) as { epoch: number[]; history: Record<string, number[]> }
    expect([epoch, Object.keys(history), history['loss']!.length]).toEqual([[0, 1], ['loss', 'accuracy'], 2])
    await ok(['predict', 'one.h5', '--x', 'data.npz', '--out', 'r.npz'])
    const after = (await loadNpz(shop.path('r.npz')))['y_0']!.data
    expect(Math.max(...after.map((v, i) => Math.abs(v - predicted[i]!)))).toBeGreaterThan(1e-3)
    // Enough epochs that the loss falls whatever dropout draws.
    await fit('one.h5', 'two.h5', 12)
    const loss = async (model: string): Promise<number> => (await shop.kccJson<{ loss: number }>(['evaluate', model, '--x', 'data.npz', '--y', 'data.npz'])).loss
    expect(await loss('two.h5')).toBeLessThan(await loss('one.h5'))
  })

  test('a package: the same predictions; it evaluates and trains, and cannot be written as .h5', async () => {
    const built = await shop.kcc(['build', 'one.h5'])
    expect([built.code, built.stderr]).toEqual([0, ''])
    await ok(['predict', 'dist/one', '--x', 'data.npz', '--out', 's.npz'])
    const [fromFile, fromPackage] = [await loadNpz(shop.path('r.npz')), await loadNpz(shop.path('s.npz'))]
    expect(fromPackage['y_0']!.data).toEqual(fromFile['y_0']!.data)
    const values = await shop.kccJson<Record<string, number>>(['evaluate', 'dist/one', '--x', 'named.npz', '--y', 'named.npz'])
    expect(Object.keys(values)).toEqual(['loss', 'accuracy'])
    await ok(['fit', 'dist/one', '--x', 'data.npz', '--y', 'data.npz', '--verbose', '0', '--history', 'h.json'])
    const refused = await shop.kcc(['fit', 'dist/one', '--x', 'data.npz', '--y', 'data.npz', '--verbose', '0', '--out', 'no.h5'])
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain('A package cannot be written as .h5')
    expect(shop.exists('no.h5')).toBe(false)
  })

  test.each([
    ['an input that is not in the file', ['predict', 'model.ts', '--x', 'empty.npz', '--out', 'n.npz'], 1, /no array for the input "dense_1_input": expected "dense_1_input" or "x_0", found "z"/],
    ['a file that is not there', ['predict', 'model.ts', '--x', 'nowhere.npz', '--out', 'n.npz'], 1, /nowhere\.npz/],
    ['a damaged archive', ['predict', 'model.ts', '--x', 'damaged.npz', '--out', 'n.npz'], 1, /FileFormatError.*damaged\.npz/],
    ['arrays of another shape', ['predict', 'model.ts', '--x', 'wide.npz', '--out', 'n.npz'], 1, /expected dense_1_input to have shape \(12,\) but got array with shape \(13,\)/],
    ['a wrong ending', ['predict', 'model.ts', '--x', 'data.npz', '--out', 'n.csv'], 1, /--out writes a \.npz file, found "n\.csv"/],
    ['a batch of nothing', ['evaluate', 'model.ts', '--x', 'data.npz', '--y', 'data.npz', '--batch-size', '0'], 2, /whole number of at least 1/],
    ['labels that do not exist', ['fit', 'model.ts', '--x', 'wrong.npz', '--y', 'wrong.npz', '--out', 'n.h5'], 1, /integers in \[0, 3\), but got 3 at element 1/],
  ])('refuses %s, and writes nothing', async (_, args, code, message) => {
    saveNpz(shop.path('empty.npz'), { z: x })
    saveNpz(shop.path('wide.npz'), { x_0: { ...x, shape: [2, 13], data: numbers(26) } })
    saveNpz(shop.path('wrong.npz'), { x_0: { ...x, shape: [2, 12], data: numbers(24) }, y_0: { ...y, shape: [2, 1], data: Int32Array.of(0, 3) } })
    shop.write('damaged.npz', 'PK\u0003\u0004 this is no archive at all, only its beginning')
    const ran = await shop.kcc(args)
    expect(ran.code).toBe(code)
    expect(ran.stderr).toMatch(message)
    for (const name of ['n.npz', 'n.csv', 'n.h5']) expect(shop.exists(name)).toBe(false)
  })
})

describe('looking into the compiler', () => {
  test('KCC_DUMP writes the IR after every pass that changed something, in order', async () => {
    await ok(['build', 'model.ts', '--stop-after', 'plan'])
    const ran = await shop.kcc(['build', 'model.ts', '--stop-after', 'plan'], { KCC_DUMP: shop.path('dump') })
    expect(ran.code).toBe(0)
    const { filesBelow } = await import('../../compiler/support/files.js')
    const files = filesBelow(shop.path('dump'))
    expect(files.length).toBeGreaterThan(1)
    expect(files[0]).toMatch(/\/00-trace\.kir$/)
    for (const file of files) expect(shop.read(`dump/${file}`)).toContain('trainStep')
  })

  test.each(['trace', 'graph', 'kernels', 'plan', 'emit'])('--stop-after %s prints that stage and writes nothing', async (stage) => {
    const text = await ok(['build', 'model.ts', '--out', 'stopped', '--stop-after', stage])
    expect(text).toMatch(/dense_1|kind/)
    expect(shop.exists('stopped')).toBe(false)
  })

  test('kcc inspect --json has the manifest and every part', async () => {
    const report = await shop.kccJson<Record<string, unknown>>(['inspect', 'model.ts'])
    expect(Object.keys(report)).toEqual(['name', 'manifest', 'summary', 'graph', 'kernels', 'plan', 'code'])
    expect(report['summary']).toContain('Trainable params: 259')
  })

  test('kcc bench --json measures the model of the examples', async () => {
    const { inPackage } = await import('../../compiler/support/paths.js')
    const report = await shop.kccJson<{ rows: { variant: string; what: string; time: { median: number } }[] }>(['bench', inPackage('examples', 'small-mlp', 'model.ts'), '--seconds', '1', '--batch-size', '32'])
    expect(report.rows).toHaveLength(9)
    for (const row of report.rows) expect(row.time.median, `${row.variant}: ${row.what}`).toBeGreaterThan(0)
    console.log(report.rows.map((row) => `${row.variant}: ${row.what} ${(row.time.median * 1e6).toFixed(1)} µs`).join('\n'))
  })

  test('kcc doctor finds what a build needs', async () => {
    const report = await shop.kccJson<{ healthy: boolean }>(['doctor'])
    expect(report.healthy).toBe(true)
  })
})
