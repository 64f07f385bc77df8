/** Console output and error messages. */
import type { Folder } from './case.js'
import { consoleCases } from './console-runs.js'
import { messageCases } from './messages.js'
import { progbarCases } from './progbar.js'

export const text: Folder = { name: 'text', cases: () => [...messageCases(), ...progbarCases(), ...consoleCases()] }
