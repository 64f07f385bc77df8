/** What reads and writes models' files. The facade provides it, as this room knows no file format. */
import { RuntimeError } from '../../runtime/contract/errors.js'
import type { Model } from './model.js'

export type SaveOptions = {
  /** Ask before overwriting: false refuses a file that exists. Default true. */
  readonly overwrite?: boolean
  /** Whether the optimizer's state is written too. Default true. */
  readonly includeOptimizer?: boolean
}
export type LoadWeightsOptions = {
  /** Match layers by name instead of by order. */
  readonly byName?: boolean
  /** With `byName`: pass over layers of other shapes. */
  readonly skipMismatch?: boolean
}

export interface ModelFiles {
  save(model: Model, path: string, options: SaveOptions): Promise<void>
  saveWeights(model: Model, path: string, options: Pick<SaveOptions, 'overwrite'>): Promise<void>
  loadWeights(model: Model, path: string, options: LoadWeightsOptions): Promise<void>
}

let files: ModelFiles | null = null

/** Called once by the facade. */
export const setModelFiles = (provided: ModelFiles): void => { files = provided }

/** @throws RuntimeError where no facade was loaded. */
export function modelFiles(): ModelFiles {
  if (!files) throw new RuntimeError('Nothing can read or write models: import models from the package kcc, not from its parts.')
  return files
}
