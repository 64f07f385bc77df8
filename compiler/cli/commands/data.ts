/** `kcc predict`, `kcc evaluate` and `kcc fit`: models and arrays in files. */
import type { EvaluateArguments as EvaluateFiles, FitArguments as FitFiles, OpenModel, PredictArguments as PredictFiles } from '../../files/commands.js'
import { evaluateCommand, fitCommand, predictCommand } from '../../files/commands.js'
import { displayPath } from '../../support/paths.js'
import { openModel } from '../open-model.js'
import { printResult } from '../report.js'
import type { RunFlags } from '../run-target.js'

type Checked = RunFlags & { readonly check: boolean }
export type PredictArguments = PredictFiles & Checked
export type EvaluateArguments = EvaluateFiles & Checked & { readonly json: boolean }
export type FitArguments = FitFiles & Checked

const opener = (options: Checked): OpenModel => (path) => openModel(path, options)

export async function predict(model: string, options: PredictArguments): Promise<void> {
  const results = await predictCommand(opener(options), model, options)
  const lines = Object.entries(results).map(([name, { dtype, shape }]) => `  ${name}  ${dtype} [${shape.join(', ')}]\n`)
  process.stdout.write(`${displayPath(options.out)}\n${lines.join('')}`)
}

export async function evaluate(model: string, options: EvaluateArguments): Promise<void> {
  const values = await evaluateCommand(opener(options), model, { ...options, verbose: options.json ? 0 : options.verbose })
  printResult({ text: Object.entries(values).map(([name, value]) => `${name}: ${value}\n`).join(''), json: values }, options.json)
}

export async function fit(model: string, options: FitArguments): Promise<void> {
  await fitCommand(opener(options), model, options)
  for (const file of [options.out, options.history]) if (file !== undefined) process.stdout.write(`${displayPath(file)}\n`)
}
