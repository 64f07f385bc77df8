/** Models from whatever file the user names: TypeScript that exports them, or a `.h5` written by Keras. */
import * as path from 'node:path'
import { Model } from '../nn/model.js'
import { importUserModule, userFile } from '../trace/load.js'
import type { ExportedModel } from '../trace/exported-models.js'
import { exportedModels, packageName } from '../trace/exported-models.js'

export type LoadedModel = Model

export type LoadedModels = {
  readonly models: readonly ExportedModel<LoadedModel>[]
  /** All files that decide what the models are. */
  readonly files: readonly string[]
}

const isModel = (value: unknown): value is Model => value instanceof Model

/** @throws ValueError when the file exports no model; DiagnosticsError for its type errors. */
export async function loadModels(file: string, options: { readonly check: boolean }): Promise<LoadedModels> {
  const entry = userFile(file)
  // The facade gives models their engine, and knows how to read files of Keras.
  const { loadModel } = await import('../index.js')
  if (path.extname(entry) === '.h5') {
    return { models: [{ name: packageName(entry), exportName: 'default', model: await loadModel(entry) }], files: [entry] }
  }
  const { exports, files } = await importUserModule(entry, options)
  return { models: await exportedModels(entry, exports, isModel), files }
}
