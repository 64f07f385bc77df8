/** Every layer case of Keras made only of what exists here: outputs and gradients of inputs and weights. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { readKerasH5, type KerasFile } from '../../compiler/files/keras-h5.js'
import { loadNpz } from '../../compiler/files/npz.js'
import type { Node } from '../../compiler/ir/graph.js'
import { layerTable } from '../../compiler/nn/layer-table.js'
import { modelFromConfig } from '../../compiler/nn/serialization.js'
import { clearSession } from '../../compiler/nn/session.js'
import { add, input, mul, sum } from '../../compiler/ops/build.js'
import { gradients } from '../../compiler/ops/gradients.js'
import { loadWeightsInto, valuesOf } from './layers-shared.js'
import { expectClose, golden, hasGolden, toTensor } from './training-shared.js'

type Case = { name: string; layer_classes?: string[]; rtol: number; atol: number; grad_rtol: number; grad_atol: number; trainable_weights: { key: string; name: string }[]; inputs: { dtype: string }[] }

const folder = join(golden, 'layers')
const readCase = (name: string): Case => JSON.parse(readFileSync(join(folder, name, 'case.json'), 'utf8')) as Case
const all = hasGolden ? readdirSync(folder).map(readCase) : []
const cases = all.filter((c) => c.layer_classes?.every((k) => Object.hasOwn(layerTable, k)))
if (hasGolden) console.log(`layer cases made of what exists: ${cases.length} of ${all.length}`)

beforeEach(clearSession)

const fileOf = (name: string): Promise<KerasFile> => readKerasH5(readFileSync(join(folder, name, 'model.h5')), name)

describe.skipIf(!hasGolden)('layers against Keras', () => {
  it('are there', () => expect(cases.length).toBeGreaterThanOrEqual(30))

  it.each(cases)('$name', async (c) => {
    const file = await fileOf(c.name)
    const model = modelFromConfig(file.modelConfig)
    // Through text, so that the order of keys counts.
    expect(JSON.stringify(model.serialize())).toBe(JSON.stringify(file.modelConfig))
    loadWeightsInto(model, file)
    const io = await loadNpz(join(folder, c.name, 'io.npz'))
    const run = model.runGraph(false)
    valuesOf(model, run.outputs, io).forEach((y, k) => expectClose(y.data, io[`y_${k}`]!.data, c.rtol, c.atol, `y_${k}`))

    const coefficients = run.outputs.map((y, k) => input(`c_${k}`, y.type))
    const score = run.outputs.map((y, k) => sum(mul(y, coefficients[k]!))).reduce((a, b) => add(a, b))
    const floatInputs = run.inputs.flatMap((x, i): [string, Node][] => (x.type.dtype === 'float32' ? [[`dx_${i}`, x]] : []))
    const weights = model.trainableWeights.map((w): [string, Node] => {
      expect(c.trainable_weights.map((t) => t.name)).toContain(w.name)
      return [c.trainable_weights.find((t) => t.name === w.name)!.key, w.node]
    })
    const wanted = [...floatInputs, ...weights]
    const found = gradients(score, null, wanted.map(([, node]) => node))
    const bound = Object.fromEntries(run.outputs.map((_, k) => [`c_${k}`, toTensor(io[`c_${k}`]!)]))
    wanted.forEach(([key], i) => expect(found[i], `${key} flows`).not.toBeNull())
    valuesOf(model, found.flatMap((g) => g ?? []), io, bound)
      .forEach((g, i) => expectClose(g.data, io[wanted[i]![0]]!.data, c.grad_rtol, c.grad_atol, wanted[i]![0]))
  })
})
