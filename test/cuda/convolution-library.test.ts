/**
 * cuDNN from measuring to use, as a CPU plays it (played-cudnn.cc), beside cuBLASLt: each is asked for the products that are its own, and
 * either may be missing. What they compute is what kcc's own kernels compute; where anything is wrong with them, those do, and the
 * model says why.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { TunedGpu } from '../../runtime/tuned.js'
import { lastJson, numbersText, openWorkshop } from '../e2e/workshop.js'
import { ownCache, playedLibrary, type PlayedLibrary } from './played-library.js'

const shop = openWorkshop('convolution-library')
let cublaslt: PlayedLibrary, cudnn: PlayedLibrary
afterAll(() => { for (const each of [shop, cublaslt, cudnn]) each.remove() })

const model = `import { Conv2D, Dense, Flatten, Sequential, initializers, optimizers } from 'kcc'

const start = (seed: number) => initializers.glorotUniform({ seed })
const model = Sequential([
  Conv2D(8, 3, { padding: 'same', activation: 'relu', inputShape: [7, 6, 4], kernelInitializer: start(1) }),
  Conv2D(5, [3, 2], { strides: 2, activation: 'tanh', kernelInitializer: start(2) }),
  Flatten(),
  Dense(3, { activation: 'softmax', kernelInitializer: start(3) }),
])
model.compile({ optimizer: optimizers.SGD({ learningRate: 0.05 }), loss: 'sparse_categorical_crossentropy', metrics: ['accuracy'] })
export default model
`

const program = `${numbersText}
const { load } = await import('./package/index.mjs')
const model = load({ seed: 11, device: 'cuda:0' })
const x = { data: numbers(64 * 168, 5), shape: [64, 7, 6, 4] }, y = Int32Array.from({ length: 64 }, (_, i) => i % 3)
const first = Array.from((await model.predict(x, { batchSize: 16 })).data)
await model.fit(x, y, { batchSize: 16, epochs: 2, verbose: 0 })
const weights = model.getWeights().flatMap((w) => Array.from(w.data))
console.log(JSON.stringify({ libraries: model.device.libraries, products: model.products.products, values: { first, weights } }))
await model.close()
`
type Report = { readonly libraries: string; readonly products: TunedGpu['products']; readonly values: { readonly first: readonly number[]; readonly weights: readonly number[] } }

const played = (settings = ''): Record<string, string> => ({ KCC_CUDNN: cudnn.file, KCC_PLAYED_CUDNN: settings })
const both = (settings = ''): Record<string, string> => ({ ...played(settings), KCC_CUBLASLT: cublaslt.file })
const used = async (env: Record<string, string>): Promise<Report> => lastJson<Report>(await shop.node(['program.mjs'], env))
const measured = (env: Record<string, string>): Promise<TunedGpu> => shop.kccJson<TunedGpu>(['tune', 'package', '--batch-size', '16'], env)
const byWindows = ({ products }: Pick<TunedGpu, 'products'>): TunedGpu['products'] => products.filter(({ library }) => library === 'cudnn')

beforeAll(async () => {
  cublaslt = playedLibrary('played-cublaslt.cc')
  cudnn = playedLibrary('played-cudnn.cc')
  shop.write('model.ts', model)
  shop.write('program.mjs', program)
  const built = await shop.kcc(['build', 'model.ts', '--out', shop.path('package'), '--target', 'cuda', '--sm', 'host'])
  expect([built.code, built.stderr]).toEqual([0, ''])
})

const largest = (a: readonly number[], b: readonly number[]): number => Math.max(...a.map((x, i) => Math.abs(x - b[i]!)))

/** Sums in another order, then 8 steps of gradient descent. */
const PREDICTED = 5e-7, TRAINED = 1e-6

describe('from measuring to use', () => {
  let own: Report, tuned: TunedGpu, chosen: Report
  beforeAll(async () => {
    own = await used(both())
    tuned = await measured(both())
    chosen = await used(both())
  })

  test('each library is asked for the products that are its own', () => {
    expect([tuned.cublaslt, tuned.cudnn]).toEqual([130101, 92400])
    // Forward, in prediction and in training, and the gradients of both filters.
    expect(byWindows(tuned).map(({ rows, columns, terms }) => `${rows} ${columns} ${terms}`)).toEqual(expect.arrayContaining(['672 8 36', '144 5 48', '36 8 672', '48 5 144']))
    expect(tuned.products.filter(({ kernel, library }) => kernel.includes('dense') && library !== 'cublaslt')).toEqual([])
    expect(tuned.products.filter(({ by }) => by === 'own')).toEqual([])
  })

  test('the model is told, and computes what it computed', () => {
    const count = byWindows(tuned).length, all = tuned.products.length
    expect(own.libraries).toBe('kernels of kcc compute all products: `kcc tune` has measured nothing on a CPU that plays a GPU, 9.0')
    expect(chosen.libraries).toBe(`cuBLASLt 13.1.1 and cuDNN 9.24.0, where they are installed, are to compute ${all - count} and ${count} of ${all} products that were measured on a CPU that plays a GPU, 9.0`)
    expect(chosen.products).toEqual(tuned.products)
    expect(chosen.values.first).not.toEqual(own.values.first)
    expect(largest(chosen.values.first, own.values.first)).toBeLessThan(PREDICTED)
    expect(largest(chosen.values.weights, own.values.weights)).toBeLessThan(TRAINED)
  })

  test('is bit-identical from run to run', async () => {
    expect((await used(both())).values).toEqual(chosen.values)
  })

  test('one library does its part without the other', async () => {
    const { products } = await used({ KCC_CUBLASLT: cublaslt.file })
    expect(new Set(byWindows({ products }).map(({ by, why }) => `${by}: ${why}`))).toEqual(new Set(['own: there is no cuDNN on this machine']))
    expect(products.filter(({ by, library }) => by === 'own' && library === 'cublaslt')).toEqual([])
  })

  /** What is computed by a file in which somebody has written. */
  async function usedWith(change: (text: string) => string): Promise<Report> {
    const kept = shop.read('package/tuned.json')
    shop.write('package/tuned.json', change(kept))
    const report = await used(both())
    shop.write('package/tuned.json', kept)
    return report
  }

  test('a file that gives a product to the other library changes nothing but the reason', async () => {
    const { values, products } = await usedWith((text) => text.replaceAll(/"library": "(\w+)"/g, (_, name: string) => `"library": "${name === 'cudnn' ? 'cublaslt' : 'cudnn'}"`))
    expect(values).toEqual(own.values)
    expect(new Set(products.map(({ by, why }) => `${by}: ${why}`))).toEqual(new Set(['cuBLASLt', 'cuDNN'].map((title) => `own: ${title} is not asked for such products`)))
  })

  test('nor does one that leaves out the end of a product', async () => {
    const { values, products } = await usedWith((text) => text.replaceAll('"by": "library, then end"', '"by": "library"'))
    expect(largest(values.weights, own.values.weights)).toBeLessThan(TRAINED)
    expect(products.filter(({ kernel, by }) => kernel.includes('conv2d') && by === 'own').map(({ why }) => why)).toContain('cuDNN does not end such products')
  })

  const otherwise: readonly (readonly [string, string, string])[] = [
    ['it is of another version', 'version=92500', 'measured with cuDNN 9.24.0, and this is 9.25.0'],
    ['it is older than what kcc knows', 'version=8902', 'FILE is version 8902, and kcc knows 90000 to 99999'],
    ['it does not start', 'create=1001', 'FILE cannot be used: it is not initialized (status 1001)'],
    ['it does not know the way any more', 'workspace=3007', 'cuDNN: it cannot do that (status 3007)'],
    ['it fails', 'forward=5000,filter=5000', 'cuDNN: it failed to run (status 5000)'],
  ]
  test.each(otherwise)('kernels of kcc do it where %s', async (_what, settings, why) => {
    const { values, products } = await used(played(settings))
    expect(values).toEqual(own.values)
    expect(new Set(byWindows({ products }).map((choice) => `${choice.by}: ${choice.why}`))).toEqual(new Set([`own: ${why.replace('FILE', cudnn.file)}`]))
  })
})

describe('what is measured', () => {
  const unfit: readonly (readonly [string, string, RegExp])[] = [
    ['operands with fewer digits than asked for', 'wrong=1', /^own: cuDNN gave another product than asked for, at \d+ of 256 places$/],
    ['filters read the other way', 'wrong=3', /^own: cuDNN gave another product than asked for, at \d+ of 256 places$/],
    ['no way to do it', 'workspace=3000', /^own: cuDNN: it cannot do that \(status 3000\)$/],
    ['a refusal', 'forward=2000,filter=2000', /^own: cuDNN: it takes a value for wrong \(status 2000\)$/],
    ['less speed', 'busy=20000', /^own: $/],
  ]
  test.each(unfit)('%s is no choice', async (_what, settings, why) => {
    const products = byWindows(await measured(played(settings)))
    expect(products.length).toBeGreaterThan(3)
    for (const { by, why: said } of products) expect(`${by}: ${said}`).toMatch(why)
  })

  test('an end of its own is measured beside that of kcc', async () => {
    // Which of them is the faster is noise of this machine.
    const products = byWindows(await measured(played('plain=3000'))), done = products.filter(({ libraryNanoseconds }) => libraryNanoseconds > 0)
    expect(done.map(({ by, rows, columns }) => [rows, columns, by])).toContainEqual([672, 8, 'library'])
    expect(products.filter(({ by, rows }) => by === 'library, then end' && rows > 48)).toEqual([])
  })

  test('a bound that hides NaN is not the library\'s to give', async () => {
    const products = byWindows(await measured(played('wrong=2')))
    expect(products.filter(({ by }) => by === 'own')).toEqual([])
    expect(products.filter(({ by, rows, columns }) => by === 'library' && columns === 8 && rows === 672)).toEqual([])
  })

  test('nor where no window begins with the first element', async () => {
    shop.write('apart.ts', `import { Conv2D, Sequential } from 'kcc'
      export default Sequential([Conv2D(8, 2, { padding: 'same', dilationRate: 2, activation: 'relu', inputShape: [7, 6, 4] })])
    `)
    const cache = ownCache(shop, 'apart-cache')
    const found = async (settings: string): Promise<readonly boolean[]> => {
      const ran = await shop.kcc(['tune', 'apart.ts', '--sm', 'host', '--batch-size', '16', '--json'], { ...played(settings), ...cache })
      return (JSON.parse(ran.stdout) as TunedGpu).products.map(({ libraryNanoseconds }) => libraryNanoseconds > 0)
    }
    // With its own bound alone nothing is left.
    expect([await found('plain=3000'), await found('wrong=2,plain=3000'), await found('wrong=2')]).toEqual([[true], [false], [true]])
  })

  test('a library without what is needed is another version', async () => {
    const other = playedLibrary('played-cudnn.cc', ['-DcudnnConvolutionBackwardFilter=otherwise'])
    const products = byWindows(await measured({ KCC_CUDNN: other.file }))
    other.remove()
    expect(new Set(products.map(({ by, why }) => `${by}: ${why}`))).toEqual(new Set([`own: ${other.file} has no function cudnnConvolutionBackwardFilter: it is another version than kcc knows`]))
  })
})
