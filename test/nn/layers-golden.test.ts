/** Every layer case of Keras made only of what exists here: outputs and gradients of inputs and weights. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { readKerasH5, type KerasFile } from '../../compiler/files/keras-h5.js'
import { loadNpz } from '../../compiler/files/npz.js'
import type { Node } from '../../compiler/ir/graph.js'
import { layerTable } from '../../compiler/nn/layer-table.js'
import type { ModelClass } from '../../compiler/nn/model.js'
import { modelFromConfig } from '../../compiler/nn/serialization.js'
import { clearSession } from '../../compiler/nn/session.js'
import { add, input, mul, sum } from '../../compiler/ops/build.js'
import { gradients } from '../../compiler/ops/gradients.js'
import { loadWeightsInto, valuesOf } from './layers-shared.js'
import { expectClose, golden, hasGolden, toTensor } from './training-shared.js'

type Case = {
  name: string; layer_classes?: string[]; rtol: number; atol: number; grad_rtol: number; grad_atol: number
  trainable_weights: { key: string; name: string }[]; weights: { name: string }[]; inputs: { dtype: string }[]
  has_train_mode: boolean; updated_weights?: number[]
}

const folder = join(golden, 'layers')
const readCase = (name: string): Case => JSON.parse(readFileSync(join(folder, name, 'case.json'), 'utf8')) as Case
const all = hasGolden ? readdirSync(folder).map(readCase) : []
const cases = all.filter((c) => c.layer_classes?.every((k) => Object.hasOwn(layerTable, k)))
if (hasGolden) console.log(`layer cases made of what exists: ${cases.length} of ${all.length}`)

beforeEach(clearSession)

const fileOf = (name: string): Promise<KerasFile> => readKerasH5(readFileSync(join(folder, name, 'model.h5')), name)

describe.skipIf(!hasGolden)('layers against Keras', () => {
  it('are there', () => expect(cases.length).toBeGreaterThanOrEqual(119))

  it.each(cases)('$name', async (c) => {
    const file = await fileOf(c.name)
    const model = modelFromConfig(file.modelConfig)
    // Through text, so that the order of keys counts.
    expect(JSON.stringify(model.serialize())).toBe(JSON.stringify(file.modelConfig))
    loadWeightsInto(model, file)
    const io = await loadNpz(join(folder, c.name, 'io.npz'))
    compareOutputs(model, io, c)
    compareGradients(model, io, c, false)
    if (!c.has_train_mode) return
    compareGradients(model, io, c, true)
    compareUpdates(model, io, c)
  })
})

type Arrays = Awaited<ReturnType<typeof loadNpz>>

function compareOutputs(model: ModelClass, io: Arrays, c: Case): void {
  valuesOf(model, model.runGraph(false).outputs, io).forEach((y, k) => expectClose(y.data, io[`y_${k}`]!.data, c.rtol, c.atol, `y_${k}`))
}

/** `S = Σ c·y` differentiated. In training mode also the outputs. */
function compareGradients(model: ModelClass, io: Arrays, c: Case, training: boolean): void {
  const suffix = training ? '_train' : ''
  const run = model.runGraph(training)
  const coefficients = run.outputs.map((y, k) => input(`c_${k}`, y.type))
  const score = run.outputs.map((y, k) => sum(mul(y, coefficients[k]!))).reduce((a, b) => add(a, b))
  const floatInputs = run.inputs.flatMap((x, i): [string, Node][] => (x.type.dtype === 'float32' ? [[`dx${suffix}_${i}`, x]] : []))
  const weights = model.trainableWeights.map((w): [string, Node] => {
    const found = c.trainable_weights.find((t) => t.name === w.name)
    expect(found, w.name).toBeDefined()
    return [found!.key.replace('dw', `dw${suffix}`), w.node]
  })
  const wanted = [...floatInputs, ...weights]
  const found = gradients(score, null, wanted.map(([, node]) => node))
  const bound = Object.fromEntries(run.outputs.map((_, k) => [`c_${k}`, toTensor(io[`c_${k}`]!)]))
  wanted.forEach(([key], i) => expect(found[i], `${key} flows`).not.toBeNull())
  valuesOf(model, found.flatMap((g) => g ?? []), io, bound)
    .forEach((g, i) => expectClose(g.data, io[wanted[i]![0]]!.data, c.grad_rtol, c.grad_atol, wanted[i]![0]))
  if (training) valuesOf(model, run.outputs, io).forEach((y, k) => expectClose(y.data, io[`y_train_${k}`]!.data, c.rtol, c.atol, `y_train_${k}`))
}

/** What the layers keep after one pass in training mode; a weight without an update is as before. */
function compareUpdates(model: ModelClass, io: Arrays, c: Case): void {
  const { updates } = model.runGraph(true)
  expect(updates.map((u) => u.variable).sort()).toEqual((c.updated_weights ?? []).map((j) => c.weights[j]!.name).sort())
  const values = valuesOf(model, updates.map((u) => u.node), io)
  updates.forEach((u, i) => {
    const key = `w_after_${c.weights.findIndex((w) => w.name === u.variable)}`
    expectClose(values[i]!.data, io[key]!.data, c.rtol, c.atol, key)
  })
}
