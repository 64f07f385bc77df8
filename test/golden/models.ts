/** The models of the programs: predictions, configuration and summary, in the small widths of the vectors and in full. */
import type { ModelClass } from '../../compiler/nn/model.js'
import * as kcc from '../../compiler/index.js'
import { Unsupported, type Folder, type GoldenCase, type Prepared } from './case.js'
import type { Checks } from './checks.js'
import { loadAlone, numbered, oneOrList, outputsOf } from './models-shared.js'
import { lambdaFunctions, withoutPythonCode } from './lambda-functions.js'
import { serve, type NativeBatch } from './native-batch.js'
import { areRequiredLayers, layerClassesOf } from './required.js'
import { arraysOf, caseFolders, hasVector, jsonVector, readVector, vectorPath } from './vectors.js'

type Case = { readonly rtol: number; readonly atol: number; readonly compiled: boolean; readonly architecture_only?: boolean; readonly weights: readonly { readonly name: string }[] }

export const models: Folder = { name: 'models', cases: () => caseFolders('models').map(modelCase) }

function modelCase(name: string): GoldenCase {
  const c = jsonVector<Case>('models', name, 'case.json')
  return {
    name,
    required: () => c.architecture_only !== true && areRequiredLayers(layerClassesOf(jsonVector('models', name, 'config.json'))),
    prepare: (batch) => (c.architecture_only === true ? application() : prepare(name, c, batch)),
  }
}

function application(): Prepared {
  if (!('applications' in kcc)) throw new Unsupported('applications')
  return (check) => check.that('the architectures of keras.applications are compared', false)
}

async function prepare(name: string, c: Case, batch: NativeBatch): Promise<Prepared> {
  const path = vectorPath('models', name, 'model.h5')
  const customObjects = lambdaFunctions[name] ?? {}
  const compiled = await loadAlone(path, { customObjects })
  const model = await loadAlone(path, { compile: false, customObjects })
  const code = batch.addModel(model)
  serve(model, code)
  return async (check) => {
    check.same('compiled', compiled.training !== null, c.compiled)
    const io = await arraysOf('models', name, 'io.npz')
    const outputs = outputsOf(await model.predict(oneOrList(numbered(io, 'x_'))))
    numbered(io, 'y_').forEach((y, k) => check.close(`predict y_${k}`, outputs[k], y.data, c))
    check.same('names of weights', model.weights.map((w) => w.name), c.weights.map((w) => w.name))
    check.text('summary', summaryOf(model), readVector('models', name, 'summary.txt'))
    compareArchitecture(check, name, '')
    // A program whose sizes are those of the vectors has its summary twice and its configuration once.
    if (hasVector('models', name, 'full_config.json')) compareArchitecture(check, name, 'full_')
    else if (hasVector('models', name, 'full_summary.txt')) check.text('full_summary.txt', summaryOf(model), readVector('models', name, 'full_summary.txt'))
  }
}

function compareArchitecture(check: Checks, name: string, prefix: string): void {
  const text = readVector('models', name, `${prefix}config.json`)
  kcc.clearSession()
  const model = kcc.modelFromJson(text, lambdaFunctions[name])
  check.text(`${prefix}config.json`, model.toJson(), JSON.stringify(withoutPythonCode(JSON.parse(text))))
  check.text(`${prefix}summary.txt`, summaryOf(model), readVector('models', name, `${prefix}summary.txt`))
}

export function summaryOf(model: ModelClass, options: Omit<Parameters<ModelClass['summary']>[0] & object, 'printFn'> = {}): string {
  const lines: string[] = []
  model.summary({ ...options, printFn: (line) => lines.push(line) })
  return lines.map((line) => `${line}\n`).join('')
}
