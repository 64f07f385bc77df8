import { readFileSync, readdirSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { readKerasH5 } from '../../compiler/files/keras-h5.js'
import { loadModel, loadWeights, modelFromJson } from '../../compiler/files/load.js'
import { optimizerSlots } from '../../compiler/nn/optimizer-slots.js'
import { saveModel, saveWeights } from '../../compiler/files/save.js'
import '../../compiler/nn/layers/index.js'
import { Dense } from '../../compiler/nn/layers/index.js'
import type { LossFunction } from '../../compiler/nn/losses/loss.js'
import { Sequential } from '../../compiler/nn/sequential.js'
import '../../compiler/nn/model.js'
import { clearSession } from '../../compiler/nn/session.js'
import { FileFormatError, ValueError } from '../../runtime/contract/errors.js'
import { filesBelow, golden, hasGolden, inTemporaryFolder } from './shared.js'

beforeEach(() => clearSession())

/** Functions that files name; what they compute does not matter here. */
const custom = Object.fromEntries(['contrastive_loss', 'mean_pred', 'identity_loss', 'lambda_loss'].map((name): [string, LossFunction] =>
  [name, Object.defineProperty((_t: Parameters<LossFunction>[0], p: Parameters<LossFunction>[1]) => p, 'name', { value: name }) as unknown as LossFunction]))

/** What this version has: a file that needs more is not tried further. */
const layers = ['InputLayer', 'Dense', 'Activation', 'Dropout', 'Flatten', 'Reshape', 'Add', 'Concatenate']
const notYet = /^(Unknown (layer|loss function|metric function|metric|optimizer|constraint)|Could not interpret|.* is not yet)[ :]*(.*)/
/** Lambdas hold Python code: such a file can be loaded only by someone who gives the function. */
const pythonCode = /is stored as Python code/
/** An embedding whose mask others would have to obey. */
const masks = /`mask_zero` must be false: layers do not pass on masks yet/

/** Null, or what the file needs that does not exist yet. @throws what is wrong */
async function whatIsMissing(attempt: () => Promise<void> | void, what: string): Promise<string | null> {
  clearSession()
  try {
    await attempt()
    return null
  } catch (error) {
    if (!(error instanceof Error)) throw error
    if (error instanceof ValueError && pythonCode.test(error.message)) return 'a function given for a Lambda layer'
    if (error instanceof ValueError && masks.test(error.message)) return 'masks'
    const missing = error instanceof ValueError ? notYet.exec(error.message) : null
    error.message = `${what}: ${error.message}`
    if (missing === null || layers.includes(missing[3]!)) throw error
    return missing[0]
  }
}

/** Keras does not write that a nested model was frozen, so its own loader finds other optimizer weights and warns as well. */
const forgetsFreezing = ['training/frozen_submodel/final.h5']

describe('models of Keras', () => {
  it.skipIf(!hasGolden)('are loaded and saved to the same file: configuration, weights, training, optimizer', async () => {
    let done = 0
    const missing = new Map<string, number>()
    await inTemporaryFolder(async (folder) => {
      for (const path of filesBelow(golden, '.h5')) {
        const what = await whatIsMissing(() => sameWhenSaved(path, join(folder, 'copy.h5')), relative(golden, path))
        if (what === null) done++
        else missing.set(what, (missing.get(what) ?? 0) + 1)
      }
    })
    console.log(`${done} files of Keras loaded and saved; not yet: ${[...missing].map(([what, n]) => `${what} (${n})`).join(', ')}`)
    expect(done).toBeGreaterThan(100)
  }, 300_000)

  async function sameWhenSaved(path: string, copy: string): Promise<void> {
    const original = await readKerasH5(readFileSync(path), path)
    const warnings: string[] = []
    const model = await loadModel(path, { customObjects: custom, warn: (text) => void warnings.push(text) })
    await saveModel(model, copy)
    const optimizerWeights = forgetsFreezing.includes(relative(golden, path)) ? null : original.optimizerWeights
    expect(warnings.filter((w) => w.startsWith('Error in loading')).length).toBe(optimizerWeights === original.optimizerWeights ? 0 : 1)
    expect(await readKerasH5(readFileSync(copy), copy)).toEqual({ ...original, optimizerWeights })
  }

  it.skipIf(!hasGolden)('are built from config.json', async () => {
    let done = 0
    for (const path of filesBelow(join(golden, 'models'), 'config.json').filter((p) => basename(p) === 'config.json')) {
      const text = readFileSync(path, 'utf8')
      const what = await whatIsMissing(() => expect(JSON.parse(modelFromJson(text).toJson())).toEqual(JSON.parse(text)), relative(golden, path))
      if (what === null) done++
    }
    expect(done).toBeGreaterThan(5)
  })
})

const small = (units = 2, name = 'd'): ReturnType<typeof Sequential> => Sequential([Dense(units, { inputShape: [3], name })])

describe('weights', () => {
  it('go to another model by order, from files of weights and of models', async () => {
    await inTemporaryFolder(async (folder) => {
      const a = small(), b = small(2, 'other'), c = small()
      await saveWeights(a, join(folder, 'w.h5'))
      await saveModel(a, join(folder, 'm.h5'))
      await loadWeights(b, join(folder, 'w.h5'))
      await loadWeights(c, join(folder, 'm.h5'))
      const values = (model: ReturnType<typeof small>): unknown => model.getWeights().map((w) => w.toNested())
      expect(values(b)).toEqual(values(a))
      expect(values(c)).toEqual(values(a))
      expect(readdirSync(folder).sort()).toEqual(['m.h5', 'w.h5'])
    })
  })

  it('are refused in Keras’ words, and nothing is changed', async () => {
    await inTemporaryFolder(async (folder) => {
      const two = Sequential([Dense(2, { inputShape: [3] }), Dense(2)]), path = join(folder, 'w.h5')
      await saveWeights(two, path)
      await expect(loadWeights(small(), path)).rejects.toThrow('You are trying to load a weight file containing 2 layers into a model with 1 layers.')
      await saveWeights(small(), path)
      const model = small(4)
      const before = model.getWeights().map((w) => w.toNested())
      await expect(loadWeights(model, path)).rejects.toThrow(ValueError)
      await expect(loadWeights(model, path, { byName: true })).rejects.toThrow(/^Layer #0 \(named "d"\), weight <tf\.Variable 'd_\d\/kernel:0' shape=\(3, 4\) dtype=float32> has shape \(3, 4\), but the saved weight has shape \(3, 2\)\.$/)
      await expect(loadWeights(model, path, { skipMismatch: true })).rejects.toThrow('skip_mismatch can only be set to True when by_name is True')
      expect(model.getWeights().map((w) => w.toNested())).toEqual(before)
    })
  })

  it('by name touch only layers of that name, and can skip what does not fit', async () => {
    await inTemporaryFolder(async (folder) => {
      const path = join(folder, 'w.h5'), warnings: string[] = []
      const source = small()
      await saveWeights(source, path)
      const target = Sequential([Dense(2, { inputShape: [3], name: 'd' }), Dense(5, { name: 'head' })])
      const head = target.getLayer('head').getWeights().map((w) => w.toNested())
      await loadWeights(target, path, { byName: true })
      expect(target.getLayer('d').getWeights().map((w) => w.toNested())).toEqual(source.getWeights().map((w) => w.toNested()))
      expect(target.getLayer('head').getWeights().map((w) => w.toNested())).toEqual(head)
      await loadWeights(small(4), path, { byName: true, skipMismatch: true, warn: (text) => void warnings.push(text) })
      expect(warnings[0]).toBe('Skipping loading of weights for layer d due to mismatch in shape ((3, 4) vs (3, 2)).')
    })
  })
})

describe('a saved model', () => {
  it('keeps the optimizer’s state once there is one', async () => {
    await inTemporaryFolder(async (folder) => {
      const path = join(folder, 'm.h5'), model = small()
      model.compile({ optimizer: 'adam', loss: 'mse' })
      await saveModel(model, path)
      expect((await readKerasH5(readFileSync(path), path)).optimizerWeights).toBeNull()
      const slots = optimizerSlots(model.training!)
      slots[0]!.write(Int32Array.of(7))
      slots[1]!.write(Float32Array.of(1, 2, 3, 4, 5, 6))
      await saveModel(model, path)
      const loaded = optimizerSlots((await loadModel(path)).training!)
      expect(loaded.map((w) => [...w.read()])).toEqual(slots.map((w) => [...w.read()]))
      await saveModel(model, path, { includeOptimizer: false })
      expect((await readKerasH5(readFileSync(path), path)).trainingConfig).toBeNull()
    })
  })

  it('is not loaded from files that hold none', async () => {
    await inTemporaryFolder(async (folder) => {
      const path = join(folder, 'w.h5')
      await saveWeights(small(), path)
      await expect(loadModel(path)).rejects.toThrow('No model found in config file')
      await expect(loadModel(join(folder, 'none.h5'))).rejects.toThrow('ENOENT')
      expect(() => modelFromJson('{"class_name": ')).toThrow(FileFormatError)
      expect(() => modelFromJson('{"class_name": "Dens", "config": {}}')).toThrow('Unknown layer: Dens')
      await expect(saveWeights(small(), path, { overwrite: false })).rejects.toThrow('overwrite is false')
    })
  })
})
