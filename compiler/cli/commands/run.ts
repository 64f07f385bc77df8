/** `kcc run script.ts [arguments]`: a script that builds and trains models, with its type errors shown first. */
import { warmUp } from '../../build/native.js'
import { PRODUCTS } from '../../support/kernel-units.js'
import { importUserModule, userFile } from '../../trace/load.js'
import { runOn } from '../../engine.js'
import { reportError } from '../report.js'
import { runTargetOf, type RunFlags } from '../run-target.js'

export type RunOptions = RunFlags & { readonly check: boolean }

/** Runs the script in this process. It sees `process.argv` as if Node had been started with it. */
export async function runScript(file: string, args: readonly string[], options: RunOptions): Promise<void> {
  runOn(runTargetOf(options))
  process.argv = [process.argv[0] ?? 'node', userFile(file), ...args]
  // A promise that the script forgot to await must not show a bare stack.
  process.once('uncaughtException', (error) => process.exit(reportError(error)))
  warmUp([PRODUCTS])
  await importUserModule(file, options)
}
