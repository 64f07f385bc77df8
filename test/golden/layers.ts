/** One layer or a small graph: outputs, gradients, training mode, and both again after saving and loading. */
import { readFile } from 'node:fs/promises'
import { readKerasH5 } from '../../compiler/files/keras-h5.js'
import type { Graph, Node } from '../../compiler/ir/graph.js'
import { add, input, mul, sum } from '../../compiler/ops/build.js'
import { gradients } from '../../compiler/ops/gradients.js'
import type { LoadedModel } from '../../compiler/files/load.js'
import { Unsupported, type Folder, type GoldenCase, type Prepared } from './case.js'
import type { Checks, Tolerance } from './checks.js'
import { loadAlone, numbered, oneOrList, outputsOf, saveAndLoad, type Arrays } from './models-shared.js'
import { callFunction, serve, type CompiledCase, type NativeBatch } from './native-batch.js'
import { areRequiredLayers } from './required.js'
import { arraysOf, caseFolders, jsonVector, vectorPath } from './vectors.js'

type Case = {
  readonly layer_classes: readonly string[]
  readonly rtol: number
  readonly atol: number
  readonly grad_rtol: number
  readonly grad_atol: number
  readonly trainable_weights: readonly { readonly name: string }[]
  readonly weights: readonly { readonly name: string }[]
  readonly stateful: boolean
  readonly has_train_mode: boolean
  readonly updated_weights?: readonly number[]
}

export const layers: Folder = { name: 'layers', cases: () => caseFolders('layers').map(layerCase) }

function layerCase(name: string): GoldenCase {
  const c = jsonVector<Case>('layers', name, 'case.json')
  return { name, required: () => areRequiredLayers(c.layer_classes), prepare: (batch) => prepare(name, c, batch) }
}

async function prepare(name: string, c: Case, batch: NativeBatch): Promise<Prepared> {
  const path = vectorPath('layers', name, 'model.h5')
  const model = await loadAlone(path, { compile: false })
  if (c.stateful && !('resetStates' in model)) throw new Unsupported('stateful models')
  const { modelConfig } = await readKerasH5(await readFile(path), path)
  const modes = c.has_train_mode ? [false, true] : [false]
  const code = batch.addModel(model, modes.flatMap((training) => gradientGraphs(model, c, training)))
  return async (check) => {
    const io = await arraysOf('layers', name, 'io.npz')
    check.json('configuration', model.serialize(), modelConfig)
    check.same('names of weights', model.weights.map((w) => w.name), c.weights.map((w) => w.name))
    await compareOutputs(check, 'predict', model, code, io, c)
    modes.forEach((training) => compareGradients(check, model, code, io, c, training))
    const again = await saveAndLoad(model, { compile: false })
    check.json('configuration after saving', again.serialize(), modelConfig)
    await compareOutputs(check, 'predict after saving', again, code, io, c)
    if (c.stateful) check.that('the calls of stateful layers are compared', false)
  }
}

async function compareOutputs(check: Checks, what: string, model: LoadedModel, code: CompiledCase, io: Arrays, tolerance: Tolerance): Promise<void> {
  serve(model, code)
  const outputs = outputsOf(await model.predict(oneOrList(numbered(io, 'x_'))))
  const wanted = numbered(io, 'y_')
  check.same(`${what}: number of outputs`, outputs.length, wanted.length)
  wanted.forEach((y, k) => check.close(`${what} y_${k}`, outputs[k], y.data, tolerance))
}

const suffix = (training: boolean): string => (training ? '_train' : '')

/** `S = Σ c·y` differentiated; in training mode also the outputs themselves, and the layers' own updates. */
function gradientGraphs(model: LoadedModel, c: Case, training: boolean): Graph[] {
  const run = model.runGraph(training)
  const coefficients = run.outputs.map((y, k) => input(`c_${k}`, y.type))
  const score = run.outputs.map((y, k) => sum(mul(y, coefficients[k]!))).reduce((a, b) => add(a, b))
  const wanted: [string, Node][] = [
    ...run.inputs.flatMap((x, i): [string, Node][] => (x.type.dtype === 'float32' ? [[`dx${suffix(training)}_${i}`, x]] : [])),
    ...c.trainable_weights.map(({ name }, j): [string, Node] => [`dw${suffix(training)}_${j}`, weightNode(model, name)]),
  ]
  const found = gradients(score, null, wanted.map(([, node]) => node))
  const outputs = wanted.flatMap(([name], i) => (found[i] ? [{ name, node: found[i] }] : []))
  const inputs = [...run.inputs, ...coefficients]
  const values = training ? run.outputs.map((node, k) => ({ name: `y_train_${k}`, node })) : []
  const gradient: Graph = { name: `gradients${suffix(training)}`, inputs, outputs: [...values, ...outputs], updates: [] }
  if (!training) return [gradient]
  return [gradient, { name: 'layer_updates', inputs: run.inputs, outputs: values, updates: run.updates }]
}

function weightNode(model: LoadedModel, name: string): Node {
  const weight = model.trainableWeights.find((w) => w.name === name)
  if (!weight) throw new Error(`the model has no trainable weight ${name}`)
  return weight.node
}

function compareGradients(check: Checks, model: LoadedModel, code: CompiledCase, io: Arrays, c: Case, training: boolean): void {
  const program = code.program()
  for (const w of model.weights) program.writeVariable(w.name, w.read())
  const x = numbered(io, 'x_')
  const got = callFunction(program, `gradients${suffix(training)}`, [...x, ...numbered(io, 'c_')])
  const gradient = { rtol: c.grad_rtol, atol: c.grad_atol }
  for (const kind of ['dx', 'dw']) {
    for (const key of Object.keys(io).filter((k) => new RegExp(`^${kind}${suffix(training)}_\\d+$`).test(k))) check.close(key, got[key], io[key]!.data, gradient)
  }
  if (!training) return
  numbered(io, 'y_train_').forEach((y, k) => check.close(`y_train_${k}`, got[`y_train_${k}`], y.data, c))
  callFunction(program, 'layer_updates', x)
  for (const j of c.updated_weights ?? []) check.close(`w_after_${j}`, program.readVariable(c.weights[j]!.name).data, io[`w_after_${j}`]?.data, c)
}
