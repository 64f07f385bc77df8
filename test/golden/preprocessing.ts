/** Functions on single arrays, and the preparation of data. */
import * as kcc from '../../compiler/index.js'
import { readNpz } from '../../compiler/files/npz.js'
import { readFileSync } from 'node:fs'
import { activationCases } from './activation-cases.js'
import { backendCases } from './backend-cases.js'
import { Unsupported, type Folder, type GoldenCase } from './case.js'
import { hasExport } from './console-runs.js'
import { lossAndMetricCases } from './loss-cases.js'
import type { Arrays } from './models-shared.js'
import { numberedNames } from './small-cases.js'
import { flatNumbers, jsonVector, vectorPath } from './vectors.js'
import { initializerCases, projectionCases } from './weight-cases.js'

export const preprocessing: Folder = {
  name: 'preprocessing',
  cases: () => [
    ...activationCases(),
    ...lossAndMetricCases(once(() => readNpz(readFileSync(vectorPath('preprocessing', 'metrics.npz')), 'metrics.npz'))),
    ...projectionCases(), ...initializerCases(), ...categoricalCases(), ...backendCases(), ...apiCases(),
  ],
}

function once(make: () => Arrays): () => Arrays {
  let made: Arrays | null = null
  return () => (made ??= make())
}

type CategoricalCase = { readonly y: number[]; readonly options: { readonly num_classes: number | null; readonly dtype: 'float32' | 'int32' }; readonly result: unknown; readonly shape: readonly number[]; readonly dtype: string }

const categoricalCases = (): GoldenCase[] =>
  numberedNames(jsonVector<{ to_categorical: CategoricalCase[] }>('preprocessing', 'np_utils.json').to_categorical, () => 'to_categorical').map(({ item: c, name }) => ({
    name,
    required: () => true,
    prepare: () => (check) => {
      const got = kcc.toCategorical(c.y, c.options.num_classes, c.options.dtype)
      check.close('values', got.data, flatNumbers(c.result), { rtol: 0, atol: 0 })
      check.same('shape and type', [got.shape, got.dtype], [c.shape, c.dtype])
    },
  }))

/** Lists of cases by the file, and the function of the public API each needs. */
const lists: readonly { readonly file: string; readonly list: string; readonly api: string }[] = [
  { file: 'np_utils', list: 'normalize', api: 'normalize' },
  { file: 'tokenizer', list: 'cases', api: 'Tokenizer' },
  { file: 'sequence', list: 'pad_sequences', api: 'pad_sequences' },
  { file: 'sequence', list: 'TimeseriesGenerator', api: 'TimeseriesGenerator' },
  { file: 'sequence', list: 'TimeseriesGenerator_errors', api: 'TimeseriesGenerator' },
  { file: 'sequence', list: 'skipgrams', api: 'skipgrams' },
  { file: 'sequence', list: 'make_sampling_table', api: 'make_sampling_table' },
  { file: 'text', list: 'text_to_word_sequence', api: 'text_to_word_sequence' },
  { file: 'text', list: 'hashing_trick', api: 'hashing_trick' },
  { file: 'image', list: 'standardize', api: 'ImageDataGenerator' },
  { file: 'image', list: 'apply_transform', api: 'ImageDataGenerator' },
  { file: 'image', list: 'flow', api: 'ImageDataGenerator' },
  { file: 'cudnn_weights', list: 'cases', api: 'CuDNNLSTM' },
]

function apiCases(): GoldenCase[] {
  const listed = lists.flatMap(({ file, list, api }) => Object.values(jsonVector<Record<string, object>>('preprocessing', `${file}.json`)[list]!).map(() => ({ file, list, api })))
  const applications = Object.keys(readNpz(readFileSync(vectorPath('preprocessing', 'preprocess_input.npz')), 'preprocess_input.npz')).map(() => ({ file: 'preprocess_input', list: 'arrays', api: 'applications' }))
  return numberedNames([...listed, ...applications], ({ file, list }) => `${file}: ${list}`).map(({ item: { api }, name }) => ({ name, required: () => false, prepare: () => absent(api) }))
}

/** What exists must be compared: a case that is only counted fails then. */
function absent(api: string): never {
  if (!hasExport(api)) throw new Unsupported(api)
  throw new Error(`${api} exists and is not compared yet`)
}
