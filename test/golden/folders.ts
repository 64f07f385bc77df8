/** THE list of folders. */
import type { Folder } from './case.js'
import { layers } from './layers.js'
import { models } from './models.js'
import { preprocessing } from './preprocessing.js'
import { text } from './text.js'
import { training } from './training.js'

export const folders: readonly Folder[] = [layers, training, models, text, preprocessing]
