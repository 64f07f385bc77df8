/** Where a data set may lie: in the folder that `KCC_DATASETS` names, then in Keras' own cache. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setting } from '../../support/env.js'
import { DatasetUnavailable, defaultCache, type GetFileOptions } from './get-file.js'

export type DatasetOptions = GetFileOptions & {
  /** Folder looked into first; default: the environment's `KCC_DATASETS`. */
  readonly datasets?: string | null
}

/** Folders to look into, in their order. Keras' own comes last: what is downloaded goes there. */
export function datasetFolders(options: DatasetOptions): string[] {
  const folder = options.datasets === undefined ? setting('KCC_DATASETS') : options.datasets
  return [...(folder === undefined || folder === null ? [] : [folder]), join(options.cacheDir ?? defaultCache(), options.cacheSubdir ?? 'datasets')]
}

/** The first of these files that is there, or null. */
export const firstFile = (...paths: readonly string[]): string | null => paths.find((path) => existsSync(path)) ?? null

/** Runs a download; when it fails, the error says where the data were looked for before. */
export async function downloaded<T>(name: string, folders: readonly string[], download: () => Promise<T>): Promise<T> {
  try {
    return await download()
  } catch (error) {
    if (!(error instanceof DatasetUnavailable)) throw error
    throw new DatasetUnavailable(`${name} is not on this machine (looked in ${folders.join(', ')}; KCC_DATASETS names a folder to look in) and could not be downloaded: ${error.message}`)
  }
}
