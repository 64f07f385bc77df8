/** The shared material the tests compare against: beside the repository, or where KCC_SHARED points. */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'

const root = process.env['KCC_SHARED'] ?? path.resolve(import.meta.dirname, '../../../shared')
const golden = path.join(root, 'golden/text')

export const sharedPresent = existsSync(path.join(golden, 'index.json'))
if (!sharedPresent) console.warn(`tests against golden/text are skipped: ${golden} is not there (set KCC_SHARED)`)

export const goldenText = (file: string): string => readFileSync(path.join(golden, file), 'utf8')
