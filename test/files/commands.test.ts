import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { evaluateCommand, fitCommand, predictCommand } from '../../compiler/files/commands.js'
import type { OpenedModel } from '../../compiler/files/commands.js'
import type { FileArray } from '../../compiler/files/file-array.js'
import { loadNpz, saveNpz } from '../../compiler/files/npz.js'
import type { ArrayResult, CallbackParams } from '../../runtime/contract/fit-types.js'
import { inTemporaryFolder } from './shared.js'

const column = (...values: number[]): FileArray => ({ dtype: 'float32', shape: [values.length, 1], data: Float32Array.from(values) })
const result = (array: FileArray): ArrayResult => ({ ...array, toNested: () => [] })

type Call = { method: string; x: readonly string[]; y?: readonly string[]; options: Readonly<Record<string, unknown>> }

/** A model with two inputs and three outputs, of which the second has no loss; it records what it is asked. */
function recordingModel(calls: Call[], closed: { count: number }): OpenedModel {
  return {
    inputNames: ['left', 'right'],
    outputNames: ['main', 'features', 'aux'],
    targetNames: ['main', 'aux'],
    metricsNames: ['loss', 'main_loss', 'aux_loss'],
    predict: async (x, options) => {
      calls.push({ method: 'predict', x: Object.keys(x), options })
      return [result(x['left']!), result(x['right']!), result(x['left']!)]
    },
    evaluate: async (x, y, options) => {
      calls.push({ method: 'evaluate', x: Object.keys(x), y: Object.keys(y), options })
      return [3, 1, 2]
    },
    fit: async (x, y, options) => {
      calls.push({ method: 'fit', x: Object.keys(x), y: Object.keys(y), options })
      return { epoch: [0, 1], history: { loss: [2, Number.NaN] }, params: {} as CallbackParams }
    },
    save: async (path) => writeFileSync(path, 'h5'),
    close: () => { closed.count++ },
  }
}

async function withModel(use: (folder: string, open: (path: string) => Promise<OpenedModel>, calls: Call[], closed: { count: number }) => Promise<void>): Promise<void> {
  await inTemporaryFolder(async (folder) => {
    const calls: Call[] = [], closed = { count: 0 }
    await use(folder, async () => recordingModel(calls, closed), calls, closed)
  })
}

describe('predict', () => {
  it('takes arrays under names or numbers, ignores others, and writes y_0, y_1, …', async () => {
    await withModel(async (folder, open, calls, closed) => {
      const x = join(folder, 'x.npz'), out = join(folder, 'y.npz')
      saveNpz(x, { left: column(1, 2), x_0: column(9), x_1: column(3, 4), other: column(5) })
      await predictCommand(open, 'm.ts', { x, out, batchSize: 7 })
      expect(await loadNpz(out)).toEqual({ y_0: column(1, 2), y_1: column(3, 4), y_2: column(1, 2) })
      expect(calls).toEqual([{ method: 'predict', x: ['left', 'right'], options: { batchSize: 7, verbose: 0 } }])
      expect(closed.count).toBe(1)
    })
  })

  it('says which array is missing and what the file holds, closes the model and writes nothing', async () => {
    await withModel(async (folder, open, _, closed) => {
      const x = join(folder, 'x.npz'), out = join(folder, 'y.npz')
      saveNpz(x, { x_0: column(1), x_2: column(3) })
      await expect(predictCommand(open, 'm.ts', { x, out })).rejects.toThrow(`${x}: no array for the input "right": expected "right" or "x_1", found "x_0", "x_2"`)
      await expect(predictCommand(open, 'm.ts', { x, out: 'y.csv' })).rejects.toThrow('--out writes a .npz file, found "y.csv"')
      await expect(predictCommand(open, 'm.ts', { x: join(folder, 'none.npz'), out })).rejects.toThrow('ENOENT')
      expect(existsSync(out)).toBe(false)
      expect(closed.count).toBe(1)
    })
  })
})

describe('evaluate and fit', () => {
  it('take targets of the outputs that have a loss, and sample weights by the number of the output', async () => {
    await withModel(async (folder, open, calls) => {
      const data = join(folder, 'data.npz')
      saveNpz(data, { x_0: column(1), x_1: column(2), y_0: column(3), aux: column(4), y_2: column(5), sw_2: column(6) })
      expect(await evaluateCommand(open, 'm.ts', { x: data, y: data })).toEqual({ loss: 3, main_loss: 1, aux_loss: 2 })
      expect(calls[0]).toEqual({ method: 'evaluate', x: ['left', 'right'], y: ['main', 'aux'], options: { batchSize: 32, verbose: 1, sampleWeight: { main: null, aux: column(6) } } })
    })
  })

  it('train, and write the model and the history', async () => {
    await withModel(async (folder, open, calls) => {
      const x = join(folder, 'x.npz'), y = join(folder, 'y.npz'), out = join(folder, 'final.h5'), history = join(folder, 'history.json')
      saveNpz(x, { x_0: column(1), x_1: column(2) })
      saveNpz(y, { y_0: column(3), y_2: column(5) })
      await fitCommand(open, 'm.ts', { x, y, out, history, epochs: 2, batchSize: 16, shuffle: false, verbose: 0 })
      expect(calls[0]!.options).toEqual({ batchSize: 16, epochs: 2, shuffle: false, validationSplit: 0, verbose: 0, sampleWeight: null })
      expect(readFileSync(out, 'utf8')).toBe('h5')
      expect(readFileSync(history, 'utf8')).toBe('{"epoch": [0, 1], "history": {"loss": [2, NaN]}}\n')
    })
  })

  it('need a compiled model', async () => {
    await withModel(async (folder, open) => {
      const x = join(folder, 'x.npz')
      saveNpz(x, { x_0: column(1), x_1: column(2) })
      const bare = async (path: string): Promise<OpenedModel> => ({ ...(await open(path)), targetNames: [], metricsNames: [] })
      await expect(fitCommand(bare, 'm.ts', { x, y: x })).rejects.toThrow('You must compile a model before training/testing: m.ts has no loss and no optimizer')
    })
  })
})
