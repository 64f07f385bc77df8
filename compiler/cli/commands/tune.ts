/**
 * `kcc tune`: measures on this machine's GPU, for each product of a model that a library of the GPU's vendor could compute too, how
 * long that and kcc's own kernels take. What was measured is kept in the package, or for a model file in kcc's cache folder, and
 * used from then on; nothing is ever measured elsewhere.
 */
import * as path from 'node:path'
import { FileFormatError, RuntimeError } from '../../../runtime/contract/errors.js'
import { TUNED_FILE } from '../../../runtime/contract/manifest.js'
import type { CompiledModel, ProductChoice, Tuned, TunedGpu } from '../../../runtime/index.js'
import { choicesOf, librariesText, libraryNames, nothingTuned, readTuned, withGpu, writeFileAtomic } from '../../../runtime/index.js'
import { compileAndLoad, runOn, tunedFile } from '../../engine.js'
import { displayPath } from '../../support/paths.js'
import { choiceText } from '../choice-text.js'
import { UsageError } from '../exit-codes.js'
import { loadModels } from '../load-models.js'
import { isPackage, packageAt } from '../open-package.js'
import { printResult } from '../report.js'
import { runTargetOf, type RunFlags } from '../run-target.js'

export type TuneOptions = RunFlags & { readonly batchSize: string; readonly check: boolean; readonly json: boolean }

export async function tune(file: string, options: TuneOptions): Promise<void> {
  const sizes = sizesOf(options.batchSize), ofPackage = isPackage(file)
  const into = ofPackage ? path.join(file, TUNED_FILE) : tunedFile()
  const before = measuredBefore(into), models = ofPackage ? [await packageAt(file, options)] : await compiled(file, options)
  const measured = models.map((model) => measure(model, sizes)).reduce(together)
  // Of models in files others may have been measured before; a package is measured as a whole.
  const known = ofPackage ? undefined : before.gpus.find((each) => each.gpu === measured.gpu && libraryNames.every((name) => each[name] === 0 || measured[name] === 0 || each[name] === measured[name]))
  const all = known === undefined ? measured : together(measured, known)
  await writeFileAtomic(into, [Buffer.from(`${JSON.stringify(withGpu(before, all), null, 1)}\n`)])
  for (const model of models) await model.close()
  printResult({ text: `${tunedText(measured)}\nKept in ${displayPath(into)}\n`, json: { file: into, ...measured } }, options.json)
}

function sizesOf(text: string): readonly number[] {
  if (!/^[1-9]\d*(,[1-9]\d*)*$/.test(text)) throw new UsageError(`Cannot read --batch-size "${text}". Expected sizes of the batch, as in --batch-size 32,128`)
  return [...new Set(text.split(',').map(Number))]
}

/** A file that cannot be read is what this command is there to mend. */
function measuredBefore(file: string): Tuned {
  try {
    return readTuned(file, 'What is measured now replaces it.')
  } catch (error) {
    if (!(error instanceof FileFormatError)) throw error
    process.stderr.write(`kcc: ${error.message}\n`)
    return nothingTuned
  }
}

async function compiled(file: string, options: TuneOptions): Promise<readonly CompiledModel[]> {
  runOn(runTargetOf({ ...options, target: options.target ?? 'cuda' }))
  const { models } = await loadModels(file, options)
  return Promise.all(models.map(({ model }) => compileAndLoad(model)))
}

/** Making room for a function measures what is not known of it. @throws RuntimeError for a model that is on the CPU, or whose sizes are not told by that of the batch */
function measure({ program, device }: CompiledModel, sizes: readonly number[]): TunedGpu {
  const { native, manifest } = program, free = manifest.dims.filter((_, i) => i !== program.batchDim)
  if (native.describe() === null) throw new RuntimeError(`Only a GPU is measured, and the model runs on ${device.name}: ${device.reason}`)
  if (free.length > 0) throw new RuntimeError(`The sizes ${free.join(', ')} of the model's inputs are not known before it runs: give them in inputShape`)
  native.readChoices('')
  choicesOf(native, true)
  for (const { name } of manifest.functions) for (const size of sizes) program.reserve(program.find(name)!, manifest.dims.map(() => size), size, size)
  return choicesOf(native)!
}

const keyOf = ({ kernel, rows, columns, terms }: ProductChoice): string => [kernel, rows, columns, terms].join(' ')

/** What the first has, and what only the second has; of libraries that the first did not ask, the second's versions. */
function together(first: TunedGpu, second: TunedGpu): TunedGpu {
  const known = new Set(first.products.map(keyOf))
  return { ...first, cublaslt: first.cublaslt || second.cublaslt, cudnn: first.cudnn || second.cudnn, products: [...first.products, ...second.products.filter((choice) => !known.has(keyOf(choice)))] }
}

function tunedText(tuned: TunedGpu): string {
  return `${tuned.gpu}; ${librariesText(tuned)}\n${tuned.products.map((choice) => `  ${sizesText(choice).padEnd(22)} ${choiceText(choice).padEnd(64)} ${choice.kernel}\n`).join('')}`
}

const sizesText = ({ rows, columns, terms }: ProductChoice): string => `${rows} x ${columns} x ${terms}`
