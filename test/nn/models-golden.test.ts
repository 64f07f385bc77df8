/** Models of the seed programs: configuration and summary as Keras wrote them, from the file and from code. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { readKerasH5 } from '../../compiler/files/keras-h5.js'
import { loadNpz } from '../../compiler/files/npz.js'
import { layerTable } from '../../compiler/nn/layer-table.js'
import { Activation, Dense, Dropout, Input } from '../../compiler/nn/layers/index.js'
import { Model, type ModelClass } from '../../compiler/nn/model.js'
import { l1, l2 } from '../../compiler/nn/regularizers.js'
import { Sequential } from '../../compiler/nn/sequential.js'
import { modelFromJson } from '../../compiler/nn/serialization.js'
import { clearSession } from '../../compiler/nn/session.js'
import { lambdaFunctions, withoutPythonCode } from '../golden/lambda-functions.js'
import { loadWeightsInto, predictions } from './layers-shared.js'
import { expectClose, golden, hasGolden } from './training-shared.js'

const folder = join(golden, 'models')
const read = (name: string, file: string): string => readFileSync(join(folder, name, file), 'utf8')

export const summaryText = (model: ModelClass): string => {
  const lines: string[] = []
  model.summary({ printFn: (line) => lines.push(line) })
  return lines.map((l) => `${l}\n`).join('')
}

/** Layer classes of a configuration. Keras objects that are no layers have no `name` in their configuration. */
function layerClasses(config: unknown): string[] {
  if (typeof config !== 'object' || config === null) return []
  const { class_name, config: inner } = config as { class_name?: unknown; config?: unknown }
  const isLayer = typeof class_name === 'string' && typeof inner === 'object' && inner !== null && 'name' in inner
  return [...(isLayer ? [class_name] : []), ...Object.values(config).flatMap(layerClasses)]
}

type Case = { name: string; config: string; summary: string }
const cases = (hasGolden ? readdirSync(folder) : []).flatMap((name): Case[] =>
  [{ name, config: 'config.json', summary: 'summary.txt' }, { name, config: 'full_config.json', summary: 'full_summary.txt' }]
    .filter((c) => existsSync(join(folder, name, c.config)) && layerClasses(JSON.parse(read(name, c.config))).every((k) => Object.hasOwn(layerTable, k))))
if (hasGolden) console.log(`models made of what exists: ${cases.map((c) => `${c.name}/${c.config}`).join(', ')}`)

beforeEach(clearSession)

describe.skipIf(!hasGolden)('models of the seeds, from their configuration', () => {
  it('are there', () => expect(cases.length).toBeGreaterThanOrEqual(33))

  it.each(cases)('$name $config', ({ name, config, summary }) => {
    const text = read(name, config)
    const custom = lambdaFunctions[name]
    const model = modelFromJson(text, custom)
    // Through text, so that the order of keys counts.
    expect(model.toJson()).toBe(JSON.stringify(withoutPythonCode(JSON.parse(text))))
    expect(summaryText(model)).toBe(read(name, summary))
    expect(modelFromJson(model.toJson(), custom).toJson()).toBe(model.toJson())
  })

  it.each(cases.filter((c) => c.config === 'config.json'))('$name predicts', async ({ name }) => {
    const { rtol, atol } = JSON.parse(read(name, 'case.json')) as { rtol: number; atol: number }
    const model = modelFromJson(read(name, 'config.json'), lambdaFunctions[name])
    loadWeightsInto(model, await readKerasH5(readFileSync(join(folder, name, 'model.h5')), name))
    const io = await loadNpz(join(folder, name, 'io.npz'))
    predictions(model, io).forEach((y, k) => expectClose(y.data, io[`y_${k}`]!.data, rtol, atol, `y_${k}`))
  })
})

/** The programs as a user writes them: names are given automatically. */
const programs: Record<string, () => ModelClass> = {
  E01: () => Sequential([Dense(8, { inputShape: [12] }), Activation('relu'), Dense(10), Activation('softmax')]),
  E01_add: () => {
    const model = Sequential()
    model.add(Dense(8, { inputDim: 12 }))
    model.add(Activation('relu'))
    return model
  },
  E07: () => {
    const inputs = Input({ shape: [20] })
    const a = Dense(8, { activation: 'relu' })(inputs)
    const b = Dense(8, { activation: 'relu' })(a)
    return Model({ inputs, outputs: Dense(10, { activation: 'softmax' })(b) })
  },
  E08_called: () => {
    const inputs = Input({ shape: [20] })
    const h = Dense(8, { activation: 'relu' })(inputs)
    const imageModel = Model({ inputs, outputs: Dense(10, { activation: 'softmax' })(h) })
    const x = Input({ shape: [20] })
    return Model({ inputs: x, outputs: imageModel(x) })
  },
  E22: () => {
    const { units, rates, inputs } = shapeOfE22()
    const [a, b, c] = units
    return Sequential([
      Dense(a!, { activation: 'relu', inputShape: [inputs] }), Dropout(rates[0]!),
      Dense(b!, { activation: 'relu' }), Dropout(rates[1]!), Dense(c!, { activation: 'softmax' }),
    ])
  },
  E50: () => Sequential([Dense(8, { inputDim: 10, kernelRegularizer: l2(0.01), activityRegularizer: l1(0.01) })]),
}

/** The small widths of the vector, read from it. */
function shapeOfE22(): { units: number[]; rates: number[]; inputs: number } {
  const { layers } = (JSON.parse(read('E22', 'config.json')) as { config: { layers: { config: { units?: number; rate?: number; batch_input_shape?: number[] } }[] } }).config
  return {
    units: layers.flatMap((l) => l.config.units ?? []), rates: layers.flatMap((l) => l.config.rate ?? []),
    inputs: layers[0]!.config.batch_input_shape![1]!,
  }
}

describe.skipIf(!hasGolden)('models of the seeds, written in code', () => {
  it.each(Object.entries(programs))('%s', (name, build) => {
    const model = build()
    expect(JSON.parse(model.toJson())).toEqual(JSON.parse(read(name, 'config.json')))
    expect(summaryText(model)).toBe(read(name, 'summary.txt'))
  })
})
