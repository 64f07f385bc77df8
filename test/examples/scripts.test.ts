/** The examples as a user runs them: `kcc run`, in a folder of the user's, without a network; on a GPU with `npm run test:cuda`. */
import { afterAll, describe, expect, test } from 'vitest'
import { inPackage } from '../../compiler/support/paths.js'
import type { Ran } from '../cli/kcc.js'
import { onGpu } from '../cuda/device.js'
import { openWorkshop } from '../e2e/workshop.js'

const shop = openWorkshop('examples')
afterAll(() => shop.remove())

/** No data set in the home folder, and none to be fetched: the examples fall back on drawn digits. */
const offline = {
  HOME: shop.folder,
  NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent("globalThis.fetch = () => Promise.reject(new Error('no network in this test'))")}`,
}
/** What is told of the device goes to stderr. */
const told: unknown = onGpu ? expect.stringMatching(/^kcc: runs on cuda:0: it was asked for/) : ''
const runExample = (name: string, args: readonly string[] = [], env: Record<string, string> = {}): Promise<Ran> =>
  shop.kcc(['run', ...(onGpu ? ['--device', 'cuda:0'] : []), inPackage('examples', name, 'train.ts'), ...args], env)

describe('an example', () => {
  test('small-mlp: ten epochs with a progress bar', async () => {
    const ran = await runExample('small-mlp')
    expect([ran.code, ran.stderr]).toEqual([0, told])
    expect(ran.stdout).toContain('Epoch 10/10')
    expect(ran.stdout).toMatch(/1000\/1000 \[=+\] - .* - loss: 0\.\d+ - accuracy: 0\.\d+/)
  })

  test('functional: two inputs, two outputs, and it learns', async () => {
    const ran = await runExample('functional')
    expect([ran.code, ran.stderr]).toEqual([0, told])
    expect(ran.stdout).toContain('Train on 1800 samples, validate on 200 samples')
    expect(ran.stdout).toContain('main_input (InputLayer)')
    const losses = [...ran.stdout.matchAll(/ - loss: ([\d.]+) - main_output_loss/g)].map((m) => Number(m[1]))
    expect(losses).toHaveLength(20)
    expect(losses.at(-1)!).toBeLessThan(0.6 * losses[0]!)
    expect(ran.stdout).toMatch(/predicted [01]\.\d+, true [01]/)
  })

  test('news-classification: word vectors of a file, frozen, and a convolutional network that learns on them', async () => {
    const ran = await runExample('news-classification', ['3'])
    expect([ran.code, ran.stderr]).toEqual([0, told])
    expect(ran.stdout).toContain('Found 80 word vectors.')
    expect(ran.stdout).toContain('Non-trainable params: 1,328')
    expect(Number(/Epoch 3\/3\n.* val_acc: ([\d.]+)/.exec(ran.stdout)?.[1])).toBeGreaterThan(0.9)
    expect(ran.stdout).toContain('Predicted space: ')
  })

  test('mnist-mlp: without MNIST it says so, draws digits, and learns them in one epoch', async () => {
    const ran = await runExample('mnist-mlp', ['1'], { ...offline, KCC_DATASETS: shop.path('none') })
    expect(ran.code).toBe(0)
    expect(ran.stdout).toContain('digits drawn by the built-in generator')
    expect(ran.stdout).toContain('no network in this test')
    expect(ran.stdout).toContain('Total params: 669,706')
    const accuracy = Number(/Test accuracy: ([\d.]+)/.exec(ran.stdout)?.[1])
    console.log(`drawn digits after one epoch: test accuracy ${accuracy.toFixed(4)}, ${ran.seconds.toFixed(1)} s in all`)
    expect(accuracy).toBeGreaterThan(0.8)
  })
})
