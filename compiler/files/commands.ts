/**
 * `kcc predict`, `kcc evaluate` and `kcc fit` on arrays in `.npz` files. How a model is opened (traced, loaded from
 * `.h5`, or as a package) is the caller's business.
 */
import { extname } from 'node:path'
import { KccError, RuntimeError, ValueError } from '../../runtime/contract/errors.js'
import type { ArrayResult, EvaluateOptions, EvaluateResult, FitOptions, History, PredictOptions, PredictResult, SampleWeight, Verbose } from '../../runtime/contract/fit-types.js'
import { writeFileAtomic } from '../support/files.js'
import type { FileArray } from './file-array.js'
import { loadNpz, saveNpz } from './npz.js'
import { pythonJson } from './python-json.js'

type Arrays = Readonly<Record<string, FileArray>>

/** What the commands need of a model, however it was opened. */
export type OpenedModel = {
  readonly inputNames: readonly string[]
  readonly outputNames: readonly string[]
  /** Outputs that have a loss, in order; empty for a model that is not compiled. */
  readonly targetNames: readonly string[]
  readonly metricsNames: readonly string[]
  predict(x: Arrays, options: PredictOptions): Promise<PredictResult>
  evaluate(x: Arrays, y: Arrays, options: EvaluateOptions): Promise<EvaluateResult>
  fit(x: Arrays, y: Arrays, options: FitOptions): Promise<History>
  /** Writes a `.h5` file. @throws RuntimeError when this kind of model cannot be written so. */
  save(path: string): Promise<void>
  close(): void | Promise<void>
}
export type OpenModel = (path: string) => Promise<OpenedModel>

export type PredictArguments = { readonly x: string; readonly out: string; readonly batchSize?: number; readonly verbose?: 0 | 1 }
export type EvaluateArguments = { readonly x: string; readonly y: string; readonly batchSize?: number; readonly verbose?: 0 | 1 }
export type FitArguments = {
  readonly x: string
  readonly y: string
  readonly batchSize?: number
  readonly epochs?: number
  readonly shuffle?: boolean
  readonly validationSplit?: number
  readonly verbose?: Verbose
  /** A `.h5` file. */
  readonly out?: string
  /** A JSON file. */
  readonly history?: string
}

/** Writes the outputs as `y_0`, `y_1`, … and returns them. Nothing is written when anything fails. */
export async function predictCommand(open: OpenModel, path: string, args: PredictArguments): Promise<Record<string, FileArray>> {
  requireEnding(args.out, '.npz', '--out')
  const x = await loadNpz(args.x)
  return using(open, path, async (model) => {
    const result = await model.predict(pick(x, model.inputNames, model.inputNames, 'x', 'input', args.x), batchOptions(args, 0))
    const arrays = Object.fromEntries(listOf(result).map((y, k) => [`y_${k}`, { dtype: y.dtype, shape: y.shape, data: y.data }]))
    saveNpz(args.out, arrays)
    return arrays
  })
}

const listOf = (result: PredictResult): readonly ArrayResult[] => (Array.isArray(result) ? result : [result])

/** Loss and metrics by name, in the order of `metricsNames`. */
export async function evaluateCommand(open: OpenModel, path: string, args: EvaluateArguments): Promise<Record<string, number>> {
  const x = await loadNpz(args.x), y = await archiveOfTargets(args, x)
  return using(open, path, async (model) => {
    const data = trainingData(model, x, y, args, path)
    const result = await model.evaluate(data.x, data.y, { ...batchOptions(args, 1), sampleWeight: data.sampleWeight })
    const values = Array.isArray(result) ? result : [result]
    return Object.fromEntries(model.metricsNames.map((name, i) => [name, values[i]!]))
  })
}

/** Trains; then writes the model to `out` and the history to `history`, where they are asked for. */
export async function fitCommand(open: OpenModel, path: string, args: FitArguments): Promise<History> {
  if (args.out !== undefined) requireEnding(args.out, '.h5', '--out')
  const x = await loadNpz(args.x), y = await archiveOfTargets(args, x)
  return using(open, path, async (model) => {
    const data = trainingData(model, x, y, args, path)
    const history = await model.fit(data.x, data.y, { ...fitOptions(args), sampleWeight: data.sampleWeight })
    if (args.out !== undefined) await model.save(args.out)
    if (args.history !== undefined) writeFileAtomic(args.history, historyText(history))
    return history
  })
}

const fitOptions = (args: FitArguments): FitOptions => ({
  batchSize: args.batchSize ?? 32,
  epochs: args.epochs ?? 1,
  shuffle: args.shuffle ?? true,
  validationSplit: args.validationSplit ?? 0,
  verbose: args.verbose ?? 1,
})

const batchOptions = (args: { readonly batchSize?: number; readonly verbose?: 0 | 1 }, verbose: 0 | 1): { batchSize: number; verbose: 0 | 1 } =>
  ({ batchSize: args.batchSize ?? 32, verbose: args.verbose ?? verbose })

/** NaN and infinities are written as Python writes them. */
const historyText = ({ epoch, history }: History): string => `${pythonJson({ epoch, history })}\n`

async function using<T>(open: OpenModel, path: string, use: (model: OpenedModel) => Promise<T>): Promise<T> {
  const model = await open(path)
  try { return await use(model) } finally { await model.close() }
}

/** One archive may hold both. */
const archiveOfTargets = (args: { readonly x: string; readonly y: string }, x: Arrays): Promise<Arrays> =>
  args.y === args.x ? Promise.resolve(x) : loadNpz(args.y)

type TrainingData = { readonly x: Arrays; readonly y: Arrays; readonly sampleWeight: SampleWeight | null }

function trainingData(model: OpenedModel, x: Arrays, y: Arrays, args: { readonly x: string; readonly y: string }, path: string): TrainingData {
  if (model.metricsNames.length === 0) {
    throw new RuntimeError(`You must compile a model before training/testing: ${path} has no loss and no optimizer. Call \`model.compile(...)\` in the model's file.`)
  }
  return {
    x: pick(x, model.inputNames, model.inputNames, 'x', 'input', args.x),
    y: pick(y, model.targetNames, model.outputNames, 'y', 'target', args.y),
    sampleWeight: sampleWeights(y, model),
  }
}

/**
 * The arrays of `names` by name: stored under the name itself or under `<letter>_<position among all>`.
 * @throws ValueError naming what is missing and what the file holds
 */
function pick(arrays: Arrays, names: readonly string[], all: readonly string[], letter: string, what: string, file: string): Arrays {
  const picked = names.map((name) => {
    const numbered = `${letter}_${all.indexOf(name)}`
    const array = own(arrays, name) ?? own(arrays, numbered)
    if (array === undefined) {
      throw new ValueError(`${file}: no array for the ${what} "${name}": expected "${name}" or "${numbered}", found ${listed(Object.keys(arrays))}`)
    }
    return [name, array] as const
  })
  return Object.fromEntries(picked)
}

const own = (arrays: Arrays, name: string): FileArray | undefined => (Object.hasOwn(arrays, name) ? arrays[name] : undefined)
const listed = (names: readonly string[]): string => (names.length === 0 ? 'an empty file' : names.map((n) => `"${n}"`).join(', '))

/** `sw_<k>` weighs the samples of output k; outputs without one count every sample alike. */
function sampleWeights(arrays: Arrays, model: OpenedModel): SampleWeight | null {
  const found = model.targetNames.map((name) => [name, own(arrays, `sw_${model.outputNames.indexOf(name)}`) ?? null] as const)
  if (found.every(([, weights]) => weights === null)) return null
  return found.length === 1 ? found[0]![1]! : Object.fromEntries(found)
}

function requireEnding(path: string, ending: string, option: string): void {
  if (extname(path).toLowerCase() !== ending) throw new KccError(`${option} writes a ${ending} file, found "${path}"`)
}
