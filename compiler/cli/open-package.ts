/** Opens compiled packages for `kcc predict`, `evaluate`, `fit` and `tune`: their code is there already, with the precision it was built for. */
import { statSync } from 'node:fs'
import type { CompiledModel } from '../../runtime/index.js'
import { displayPath } from '../support/paths.js'
import { precisionNamed } from './compile-options.js'
import { UsageError } from './exit-codes.js'
import { deviceChoiceOf, type RunFlags } from './run-target.js'

/** Models are in files, packages are folders. */
export const isPackage = (file: string): boolean => statSync(file, { throwIfNoEntry: false })?.isDirectory() ?? false

/** @throws UsageError for flags that are not well formed, and for a precision that the package was not built for */
export async function packageAt(folder: string, options: RunFlags): Promise<CompiledModel> {
  const asked = options.precision === undefined ? null : precisionNamed(options.precision), device = deviceChoiceOf(options)
  const { loadPackage } = await import('../../runtime/index.js')
  const model = loadPackage(folder, { device }), { precision } = model
  if (asked === null || asked === precision) return model
  await model.close()
  throw new UsageError(`${displayPath(folder)} was built to compute in ${precision}, found --precision ${asked}: build it again with that`)
}
