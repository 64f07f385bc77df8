/** Which of a module's exports are models, and what their packages are called. */
import * as path from 'node:path'
import { ValueError } from '../../runtime/contract/errors.js'
import { displayPath } from '../support/paths.js'

export type ExportedModel<M> = {
  /** Name of the package: from the file (its folder for `model.ts` and `index.ts`), plus the export's name unless default. */
  readonly name: string
  readonly exportName: string
  readonly model: M
}

/**
 * The models a file exports, the default export first. A promise of a model counts as one.
 * @throws ValueError when there is none, naming what was found.
 */
export async function exportedModels<M>(file: string, exports: Readonly<Record<string, unknown>>, isModel: (value: unknown) => value is M):
Promise<readonly ExportedModel<M>[]> {
  const names = Object.keys(exports).sort((a, b) => Number(b === 'default') - Number(a === 'default') || (a < b ? -1 : 1))
  const found = new Map<M, ExportedModel<M>>()
  for (const exportName of names) {
    const model = await exports[exportName]
    if (isModel(model) && !found.has(model)) found.set(model, { name: packageName(file, exportName), exportName, model })
  }
  if (found.size === 0) throw noModel(file, names)
  return [...found.values()]
}

/** `mnist-mlp/model.ts` → `mnist-mlp`; `gan.ts` exporting `generator` → `gan-generator`. Only plain characters. */
export function packageName(file: string, exportName = 'default'): string {
  const base = path.basename(file).replace(/\.[^.]+$/, '')
  const stem = base === 'model' || base === 'index' ? path.basename(path.dirname(path.resolve(file))) : base
  const full = exportName === 'default' ? stem : `${stem}-${exportName}`
  return full.toLowerCase().replace(/[^a-z0-9._-]+/g, '-').replace(/^[._-]+|[._-]+$/g, '') || 'model'
}

function noModel(file: string, names: readonly string[]): ValueError {
  const found = names.length === 0 ? 'no exports at all' : `only: ${names.join(', ')}`
  return new ValueError(
    `${displayPath(path.resolve(file))} exports no model. Expected \`export default model\` (or named exports) of a Sequential or Model; found ${found}.`)
}
