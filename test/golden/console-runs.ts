/** Whole runs of the small model of the texts, to a pipe; times and the choice of intermediate lines are left aside. */
import * as kcc from '../../compiler/index.js'
import type { LoadedModel } from '../../compiler/files/load.js'
import type { FitOptions } from '../../runtime/contract/fit-types.js'
import { callbacksOf } from './callbacks.js'
import { Unsupported, type GoldenCase, type Prepared } from './case.js'
import type { Checks } from './checks.js'
import { summaryOf } from './models.js'
import { loadAlone, type Arrays } from './models-shared.js'
import { serve, type NativeBatch } from './native-batch.js'
import { camelCase, isCall, parsePython, type PythonCall, type PythonName, type PythonValue } from './python-call.js'
import { arraysOf, jsonVector, readVector, vectorPath } from './vectors.js'

type Entry = { readonly file: string; readonly python: string }

export const consoleCases = (): GoldenCase[] =>
  jsonVector<{ files: Entry[] }>('text', 'index.json').files.map((entry) => ({
    name: entry.file,
    required: () => !/callbacks=|generator/.test(entry.python),
    prepare: (batch) => prepare(entry, batch),
  }))

async function prepare({ file, python }: Entry, batch: NativeBatch): Promise<Prepared> {
  callbacksOf(/callbacks=(\[.*\])/.exec(python)?.[1] ?? '')
  const model = await loadAlone(vectorPath('text', 'tiny.h5'))
  if (python.startsWith('model.summary')) return (check) => check.text(file, summaries(model, python), readVector('text', file))
  const method = camelCase(/model\.(\w+)/.exec(python)![1]!)
  if (!(method in model)) throw new Unsupported(`Model.${method}`)
  const call = callOf(python)
  let text = ''
  serve(model, batch.addModel(model), { screen: { output: { isTTY: false, write: (t) => { text += t } }, clock: () => performance.now() / 1000 } })
  return async (check) => {
    const result = await run(model, call, await arraysOf('text', 'tiny.npz'))
    compare(check, file, text, result)
  }
}

/** The call on the model, without the `print` around it. */
function callOf(python: string): PythonCall {
  const value = parsePython(python)
  if (!isCall(value)) throw new Error(`not a call: ${python}`)
  const [inner] = value.args
  return value.call === 'print' && inner !== undefined && isCall(inner) ? inner : value
}

async function run(model: LoadedModel, { call, args, options }: PythonCall, data: Arrays): Promise<unknown> {
  const [x, y] = args.map((a) => data[(a as PythonName).name]!)
  const given = Object.fromEntries(Object.entries(options).map(([key, value]) => [camelCase(key), bound(value, data)])) as FitOptions & { verbose?: 0 | 1 }
  switch (call) {
    case 'model.fit': return void await model.fit(x!, y!, given)
    case 'model.evaluate': return model.evaluate(x!, y!, given)
    case 'model.predict': return void await model.predict(x!, given)
    default: throw new Error(`cannot run ${call}`)
  }
}

/** Names replaced by the arrays they stand for. */
function bound(value: PythonValue, data: Arrays): unknown {
  if (Array.isArray(value)) return value.map((v) => bound(v as PythonValue, data))
  return typeof value === 'object' && value !== null && 'name' in value ? data[value.name] : value
}

/** "0s 98us/step" and "ETA: 0s" depend on the clock; so does which lines of an incomplete bar appear. */
const withoutTimes = (text: string): string =>
  text.replaceAll(/\d+s \d+[mu]?s\/step/g, 'TIME').replaceAll(/ - \d+s - /g, ' - TIME - ').split('\n').filter((line) => !line.includes('ETA')).join('\n')

/** What was printed, and for `evaluate` the list that the vector prints after it. */
function compare(check: Checks, file: string, got: string, result: unknown): void {
  const want = readVector('text', file)
  const at = result === undefined ? want.length : want.lastIndexOf('\n[') + 1
  check.text(file, withoutTimes(got), withoutTimes(want.slice(0, at)))
  if (result === undefined) return
  check.close('the values printed', result as number[], JSON.parse(want.slice(at)) as number[], { rtol: 1e-4, atol: 1e-5 })
}

/** `model.summary(line_length=90); print('-----'); model.summary(positions=[.3, .7, 1.])` */
function summaries(model: LoadedModel, python: string): string {
  return python.split('; ').map(parsePython).map((value) => {
    if (!isCall(value)) throw new Error(`not a call: ${python}`)
    if (value.call === 'print') return `${String(value.args[0])}\n`
    return summaryOf(model, Object.fromEntries(Object.entries(value.options).map(([k, v]) => [camelCase(k), v])))
  }).join('')
}

/** Whether the public API has what `keras.x.y(` names in Python, in any of its namespaces. */
export function hasExport(path: string): boolean {
  const name = path.split('.').at(-1)!
  const spellings = [name, camelCase(name)]
  const namespaces = [kcc, ...Object.values(kcc).filter((v) => typeof v === 'object')] as object[]
  return namespaces.some((space) => spellings.some((s) => Object.hasOwn(space, s) || s in space))
}
