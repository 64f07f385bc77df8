#!/usr/bin/env node
/** The command `kcc`. */
import { makeProgram } from './program.js'
import { reportError } from './report.js'

try {
  await makeProgram().parseAsync(process.argv)
} catch (error) {
  process.exitCode = reportError(error)
}
