/**
 * Our files in Python, and Python's in ours: a model of every layer is saved here, loaded and run by the package `keras`
 * (Keras 3), given other weights there, saved again, and its weights are loaded here. One Python process does all of it.
 * Needs a Python with keras: `KCC_PYTHON`, or `python3` on the path.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadWeights } from '../../compiler/files/load.js'
import { saveModel } from '../../compiler/files/save.js'
import type { ModelClass } from '../../compiler/nn/model.js'
import { clearSession } from '../../compiler/nn/session.js'
import { predictions } from '../nn/layers-shared.js'
import { fillWeights, layerNames, made, modelOf, valuesFor } from './every-layer.js'

const quiet = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3', CUDA_VISIBLE_DEVICES: '-1', KERAS_BACKEND: process.env['KERAS_BACKEND'] ?? 'tensorflow' }
const python = [process.env['KCC_PYTHON'], 'python3'].find((p) => p !== undefined && spawnSync(p, ['-c', 'import importlib.util as u, sys; sys.exit(not (u.find_spec("keras") and u.find_spec("h5py")))']).status === 0)
if (python === undefined) console.log('skipped: our .h5 files in Python Keras and back, because no Python with keras and h5py was found (set KCC_PYTHON)')

const trainable = 'Keras 3 refuses the option `trainable` of this layer, in files of Keras 2.3 as in ours'

/** What Keras 3 cannot load, with the reason. It fails on Keras 2.3's own files of these layers in the same way. */
const leftOut: Readonly<Record<string, string>> = {
  LocallyConnected1D: 'Keras 3 has no such layer',
  LocallyConnected2D: 'Keras 3 has no such layer',
  ThresholdedReLU: 'Keras 3 has no such layer',
  Lambda: 'files do not hold the function',
  SpatialDropout1D: trainable, SpatialDropout2D: trainable, SpatialDropout3D: trainable,
  Sequential: 'Keras 3 counts the batch twice in the `batch_input_shape` of a first layer, in files of Keras 2.3 as in ours',
  TimeDistributed: 'Keras 3 does not find the class of the inner layer, in files of Keras 2.3 as in ours',
}

const program = `
import json, sys, warnings
warnings.simplefilter("ignore")
import numpy as np, keras
results = []
for case in json.load(open(sys.argv[1])):
    try:
        model = keras.models.load_model(case["path"], compile=False)
        inputs = [np.array(i["data"], i["dtype"]).reshape(i["shape"]) for i in case["inputs"]]
        run = lambda: np.asarray(model(inputs if len(inputs) > 1 else inputs[0], training=False)).ravel().tolist()
        before = run()
        model.set_weights([0.5 * w + 0.125 for w in model.get_weights()])
        model.save(case["changed"])
        results.append({"before": before, "after": run()})
    except Exception as e:
        results.append({"error": type(e).__name__ + ": " + str(e)[:600]})
json.dump({"version": keras.__version__, "results": results}, open(sys.argv[2], "w"))
`

type Result = { readonly before: number[]; readonly after: number[]; readonly error?: undefined } | { readonly error: string }
const names = layerNames().filter((name) => !(name in leftOut))
const folder = mkdtempSync(join(tmpdir(), 'kcc-keras-'))
const models = new Map<string, ModelClass>()
let results: readonly Result[] = []

async function prepare(name: string): Promise<object> {
  const model = modelOf(() => made(name)), path = join(folder, `${name}.h5`)
  fillWeights(model)
  models.set(name, model)
  await saveModel(model, path)
  return { path, changed: join(folder, `${name}_changed.h5`), inputs: Object.values(valuesFor(model)).map(({ dtype, shape, data }) => ({ dtype, shape, data: [...data] })) }
}

beforeAll(async () => {
  if (python === undefined) return
  const cases: object[] = []
  for (const name of names) cases.push(await prepare(name))
  writeFileSync(join(folder, 'cases.json'), JSON.stringify(cases))
  const { status, stderr } = spawnSync(python, ['-c', program, join(folder, 'cases.json'), join(folder, 'results.json')], { encoding: 'utf8', env: quiet })
  if (status !== 0) throw new Error(stderr)
  const read = JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8')) as { version: string; results: Result[] }
  results = read.results
  console.log(`${names.length} models in Keras ${read.version}; left out: ${Object.entries(leftOut).map(([name, why]) => `${name} (${why})`).join(', ')}`)
}, 300_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Both sum a few dozen float32 products, in different orders. */
function expectAlike(found: readonly number[], wanted: ArrayLike<number>): void {
  expect(found.length).toBe(wanted.length)
  found.forEach((v, i) => expect(Math.abs(v - wanted[i]!)).toBeLessThanOrEqual(1e-5 * Math.max(1, Math.abs(wanted[i]!))))
}

describe.skipIf(python === undefined)('Keras 3', () => {
  it.each(names)('%s: predicts the same from our file, and we from the weights of its', async (name) => {
    const result = results[names.indexOf(name)]!
    if (result.error !== undefined) throw new Error(result.error)
    const model = models.get(name)!, io = valuesFor(model)
    expectAlike(result.before, predictions(model, io)[0]!.data)
    clearSession()
    await loadWeights(model, join(folder, `${name}_changed.h5`))
    expectAlike(result.after, predictions(model, io)[0]!.data)
  })
})
