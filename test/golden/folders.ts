/** THE list of folders. */
import type { Folder } from './case.js'
import { layers } from './layers.js'
import { models } from './models.js'
import { training } from './training.js'

export const folders: readonly Folder[] = [layers, training, models]
