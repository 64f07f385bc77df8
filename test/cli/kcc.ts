/** Runs the compiled command line in a process of its own, as a user does. */
import { execa } from 'execa'
import { inPackage } from '../../compiler/support/paths.js'

export type Ran = { readonly code: number | undefined; readonly stdout: string; readonly stderr: string; readonly seconds: number }

export async function kcc(args: readonly string[], options: { cwd?: string; env?: Record<string, string> } = {}): Promise<Ran> {
  const started = performance.now()
  const result = await execa(process.execPath, [inPackage('build', 'compiler', 'cli', 'main.js'), ...args],
    { reject: false, cwd: options.cwd ?? process.cwd(), env: { NO_COLOR: '1', ...options.env } })
  return { code: result.exitCode, stdout: result.stdout, stderr: result.stderr, seconds: (performance.now() - started) / 1000 }
}
