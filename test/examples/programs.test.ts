/**
 * The examples as programs that run from beginning to end, at small sizes. All run in one process of `kcc run`, each
 * after the other, so that their types are checked once; what they print is told apart by lines between them.
 */
import * as fs from 'node:fs'
import * as path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { inPackage } from '../../compiler/support/paths.js'
import { readPng } from './read-png.js'
import { onGpu } from '../cuda/device.js'
import { openWorkshop } from '../e2e/workshop.js'

const shop = openWorkshop('programs')
afterAll(() => shop.remove())

const shared = path.join(process.env['KCC_SHARED'] ?? inPackage('..', 'shared'), 'data')
const hasMnist = fs.existsSync(path.join(shared, 'mnist/mnist.npz'))
const hasCifar = fs.existsSync(path.join(shared, 'cifar10'))
if (!hasCifar) console.log(`skipped: the CIFAR-10 example, because ${path.join(shared, 'cifar10')} does not exist (set KCC_SHARED)`)

const programs = [
  'sequential/construct', 'sequential/compilation', 'sequential/ten-classes', 'sequential/mlp-softmax', 'sequential/mlp-binary',
  'functional/video', 'layer-nodes/nodes', 'vgg-like/train', 'mnist-denoising-autoencoder/train', 'mnist-siamese/train',
  'mnist-transfer/train', 'conv1d/train', 'inception/predict', 'residual/train', 'shared-vision/train', 'regularizers/train',
  ...(hasCifar ? ['cifar10-cnn/train'] : []),
]
/** Small enough for seconds, large enough to learn something. */
const small = { epochs: 3, samples: 200, size: 24, filters: 8, length: 32, rows: 2, columns: 5 }

const printed = new Map<string, string>()
beforeAll(async () => {
  // The same first weights and dropout at every run of the tests.
  shop.write('all.ts', `import { setSeed } from 'kcc'
setSeed(1337)
const programs: Record<string, () => Promise<unknown>> = {
${programs.map((name) => `  '${name}': () => import(${JSON.stringify(inPackage('examples', `${name}.ts`))}),`).join('\n')}
}
for (const [name, run] of Object.entries(programs)) {
  const started = performance.now()
  console.log(\`##### \${name}\`)
  await run().catch((error: unknown) => console.log('FAILED', error))
  console.log(\`took \${Math.round(performance.now() - started)} ms\`)
}
`)
  const ran = await shop.kcc(['run', ...(onGpu ? ['--device', 'cuda:0'] : []), 'all.ts', ...Object.entries(small).flatMap(([name, value]) => [`--${name}`, String(value)])],
    // Without MNIST the digits are drawn; nothing is fetched.
    { KCC_DATASETS: shared, HOME: shop.folder, NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent("globalThis.fetch = () => Promise.reject(new Error('no network in this test'))")}` })
  if (ran.code !== 0) throw new Error(`the examples ended with ${ran.code}\n${ran.stderr}\n${ran.stdout}`)
  for (const [, name, text] of ran.stdout.matchAll(/^##### (\S+)\n([^]*?)(?=^##### |$(?![^]))/gm)) printed.set(name!, text!)
  console.log([...printed].map(([name, text]) => `${name} ${/took (\d+) ms/.exec(text)?.[1]} ms`).join(', '))
}, 900_000)

/** What a program printed. @throws Error with it when the program failed */
function output(name: string): string {
  const text = printed.get(name) ?? ''
  if (text === '' || text.includes('FAILED')) throw new Error(`${name} printed:\n${text}`)
  return text
}
/** All numbers that the group of a pattern found. */
const numbers = (text: string, pattern: RegExp): number[] => [...text.matchAll(pattern)].map((m) => Number(m[1]))
/** Losses of the epochs of all calls of `fit`, which must be as many as asked for, and finite. */
function finiteLosses(text: string, fits = 1): number[] {
  const losses = numbers(text, new RegExp(`(?:${small.samples}/${small.samples} \\[=+\\] - .*?| - \\d+s) - loss: ([\\d.e+-]+)`, 'g'))
  expect(losses).toHaveLength(small.epochs * fits)
  expect(losses.every(Number.isFinite)).toBe(true)
  return losses
}
/** Those losses, lower at the end of each `fit` than at its beginning. */
function fallingLosses(text: string, fits = 1): void {
  const losses = finiteLosses(text, fits)
  for (let fit = 0; fit < fits; fit++) {
    const own = losses.slice(fit * small.epochs, (fit + 1) * small.epochs)
    expect(own.at(-1)).toBeLessThan(own[0]!)
  }
}

describe('Sequential', () => {
  test('construct: both ways give one model, and every way to say the shape the same', () => {
    const text = output('sequential/construct')
    expect(text).toContain('Total params: 25,450')
    expect(text).toMatch(/layers: dense_\d+, activation_\d+\nafter pop: dense_\d+\n/)
    for (const way of ['inputShape', 'inputDim', 'batchInputShape']) expect(text).toContain(`${way}: [ null, 784 ] -> [ null, 32 ]`)
    expect(text).toContain('batchSize 32 and inputShape [6, 8]: [ 32, 6, 8 ] -> [ 32, 6, 8 ]')
  })

  test('compilation: names of metrics, and a custom one', () => {
    const text = output('sequential/compilation')
    expect(text).toContain("multi-class: [ 'loss', 'accuracy' ]\nregression: [ 'loss' ]\nbinary: [ 'loss', 'accuracy', 'meanPred' ]")
    fallingLosses(text)
    const means = /mean prediction by epoch: (.*)/.exec(text)![1]!.split(' ').map(Number)
    expect(means).toHaveLength(small.epochs)
    for (const mean of means) expect(Math.abs(mean - 0.5)).toBeLessThan(0.3)
  })

  test.each(['sequential/ten-classes', 'sequential/mlp-softmax', 'sequential/mlp-binary'])('%s: trains with a progress bar', (name) => {
    expect(output(name)).toContain(`Epoch ${small.epochs}/${small.epochs}`)
    // With dropout and labels that mean nothing, three epochs need not get better.
    if (name === 'sequential/ten-classes') fallingLosses(output(name))
    else finiteLosses(output(name))
  })

  test('mlp-softmax: evaluates with a custom metric, whose mean over softmax is a tenth', () => {
    expect(output('sequential/mlp-softmax')).toMatch(/loss \d\.\d+, accuracy 0\.\d+, meanPred 0\.1000\n/)
  })

  test('vgg-like: four convolutions, two poolings', () => {
    const text = output('vgg-like/train')
    expect(text).toMatch(/max_pooling2d_\d+ \(MaxPooling2 \(None, 3, 3, 64\)/)
    finiteLosses(text)
    expect(Math.abs(Number(/Test loss ([\d.]+)/.exec(text)![1]) - Math.log(10))).toBeLessThan(0.5)
  })

  test('conv1d: finds a pattern in noise', () => {
    fallingLosses(output('conv1d/train'))
    expect(Number(/test accuracy ([\d.]+)/.exec(output('conv1d/train'))![1])).toBeGreaterThan(0.8)
  })

  test('mnist-transfer: frozen layers are not trained, the new head is', () => {
    const text = output('mnist-transfer/train')
    fallingLosses(text, 2)
    expect(text).toContain('weights of the frozen layers that changed: 0\n')
    expect(text).toContain('Non-trainable params: 664\n')
    expect(numbers(text, /test accuracy: ([\d.]+)/g).every((accuracy) => accuracy > 0.2)).toBe(true)
  })

  test('regularizers: penalties make the weights that do not matter smaller', () => {
    const sizes = numbers(output('regularizers/train'), /of the others ([\d.]+)/g)
    expect(sizes).toHaveLength(3)
    expect(sizes[1]!).toBeLessThan(sizes[0]!)
    expect(sizes[2]!).toBeLessThan(sizes[0]!)
  })

  test.skipIf(!hasCifar)('cifar10-cnn: reads the pictures, learns, and saves a file', () => {
    const text = output('cifar10-cnn/train')
    expect(text).toContain(`x_train shape: [ ${small.samples}, 32, 32, 3 ]`)
    fallingLosses(text)
    expect(Number(/Test loss: ([\d.]+)/.exec(text)![1])).toBeLessThan(2.4)
    expect(fs.statSync(shop.path('keras_cifar10_trained_model.h5')).size).toBeGreaterThan(4 * 1_250_858)
  })
})

describe('graphs', () => {
  test('video: a model on every frame gives what it gives for single images', () => {
    const text = output('functional/video')
    expect(text).toMatch(/called on a tensor: Tensor\(".*", shape=\(\?, 10\), dtype=float32\)/)
    expect(text).toMatch(/time_distributed_\d+ \(TimeDist \(None, 20, 10\)/)
    expect(text).toContain('two videos: (2, 20, 10)')
    expect(Number(/one by one: (\S+)/.exec(text)![1])).toBeLessThan(1e-6)
  })

  test('layer-nodes: what is ambiguous is refused in Keras’ words', () => {
    const text = output('layer-nodes/nodes')
    expect(text).toMatch(/two calls: output: Layer dense_\d+ has multiple inbound nodes, hence the notion of "layer output" is ill-defined\. Use `get_output_at\(node_index\)` instead\./)
    expect(text.match(/by node: true true/g)).toHaveLength(1)
    expect(text).toContain('-> [ null, 32, 32, 16 ] [ null, 64, 64, 16 ]')
  })

  test('mnist-denoising-autoencoder: three models, a picture whose rows are digits, noise, and less noise', () => {
    const text = output('mnist-denoising-autoencoder/train')
    for (const name of ['encoder', 'decoder', 'autoencoder']) expect(text).toContain(`Model: "${name}"`)
    fallingLosses(text)
    const picture = readPng(fs.readFileSync(shop.path('corrupted_and_denoised.png')))
    expect([picture.width, picture.height]).toEqual([28 * small.columns, 28 * 3 * small.rows])
    // A margin of four pixels around every digit of the data is empty, and nearly so around those that are drawn; noise around a half is not.
    const band = (row: number): number => picture.mean(0, 28 * row, picture.width, 3)
    if (hasMnist) expect(band(0)).toBe(0)
    expect(band(0)).toBeLessThan(15)
    expect(Math.abs(band(1) - 127)).toBeLessThan(15)
    const [corrupted, denoised] = /([\d.]+) corrupted, ([\d.]+) denoised/.exec(text)!.slice(1).map(Number)
    expect(denoised!).toBeLessThan(corrupted!)
  })

  test('mnist-siamese: operators on tensors in loss, metric and Lambda; pairs are told apart', () => {
    const text = output('mnist-siamese/train')
    fallingLosses(text)
    const [train, own] = [Number(/training set: ([\d.]+)%/.exec(text)![1]), numbers(text, /- accuracy: ([\d.]+)/g)]
    expect(train).toBeGreaterThan(60)
    expect(own).toHaveLength(small.epochs)
  })

  test('inception: three towers below one another', () => {
    expect(output('inception/predict')).toContain(`two images: (2, ${3 * small.size}, ${small.size}, 64), values from 0.000 to `)
  })

  test('residual: the output less the input is what the convolution gives', () => {
    fallingLosses(output('residual/train'))
    expect(Number(/first row (\S+)/.exec(output('residual/train'))![1])).toBeLessThan(1e-6)
  })

  test('shared-vision: one model sees both digits', () => {
    const text = output('shared-vision/train')
    expect(text.match(/\(Model\)/g)).toHaveLength(1)
    expect(text).toMatch(/model_\d+\[2\]\[0\]/)
    fallingLosses(text)
    expect(Number(/test accuracy ([\d.]+)/.exec(text)![1])).toBeGreaterThan(0.3)
  })
})
