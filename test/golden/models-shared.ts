/** What the runners of layers, models and training share. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { clearSession, loadModel } from '../../compiler/index.js'
import type { LoadedModel, LoadOptions } from '../../compiler/files/load.js'
import type { FileArray } from '../../compiler/files/file-array.js'
import type { ArrayData, PredictResult } from '../../runtime/contract/fit-types.js'
import type { TypedArray } from '../../runtime/contract/dtype.js'

export type Arrays = Readonly<Record<string, FileArray>>

/** Loads as the first thing of a session, so that names are those of the file. */
export function loadAlone(path: string, options: LoadOptions = {}): Promise<LoadedModel> {
  clearSession()
  return loadModel(path, { warn: () => undefined, ...options })
}

/** Saves and loads again. */
export async function saveAndLoad(model: LoadedModel, options: LoadOptions = {}): Promise<LoadedModel> {
  const folder = mkdtempSync(join(tmpdir(), 'kcc-golden-'))
  try {
    await model.save(join(folder, 'model.h5'))
    return await loadAlone(join(folder, 'model.h5'), options)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** `x_0`, `x_1`, … in order. */
export function numbered(arrays: Arrays, prefix: string): FileArray[] {
  const found: FileArray[] = []
  for (let i = 0; arrays[`${prefix}${i}`]; i++) found.push(arrays[`${prefix}${i}`]!)
  return found
}

/** One array as itself, several as a list. */
export const oneOrList = (arrays: readonly FileArray[]): ArrayData => (arrays.length === 1 ? arrays[0]! : arrays)

/** The arrays of `predict`'s result. */
export const outputsOf = (result: PredictResult): TypedArray[] => (Array.isArray(result) ? result : [result]).map((r) => r.data)
