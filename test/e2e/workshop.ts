/**
 * A folder as a user has one, away from kcc's own: files are written into it, and `kcc` and Node run in it as
 * processes of their own. Compiled objects are kept in one cache for all tests, except where a test starts cold.
 */
import * as fs from 'node:fs'
import * as os from 'node:os'
import * as path from 'node:path'
import { execa } from 'execa'
import { inPackage } from '../../compiler/support/paths.js'
import { kcc, type Ran } from '../cli/kcc.js'

/** The cache of the environment, or what an unprepared `kcc` in the repository uses. */
export const sharedCache = process.env['KCC_CACHE_DIR'] ?? inPackage('node_modules', '.cache', 'kcc')

export type Workshop = {
  readonly folder: string
  path(...parts: string[]): string
  write(name: string, text: string | Uint8Array): string
  read(name: string): string
  exists(name: string): boolean
  kcc(args: readonly string[], env?: Record<string, string>): Promise<Ran>
  /** `kcc … --json`, which must succeed and print nothing else. */
  kccJson<T>(args: readonly string[], env?: Record<string, string>): Promise<T>
  node(args: readonly string[], env?: Record<string, string>): Promise<Ran>
  remove(): void
}

export type BuildReport = {
  readonly upToDate: boolean
  readonly seconds: number
  readonly packages: readonly {
    readonly name: string; readonly folder: string; readonly written: boolean; readonly compiled: number
    readonly files: readonly { readonly path: string; readonly bytes: number }[]
  }[]
}

export function openWorkshop(name: string): Workshop {
  // macOS and some containers reach the temporary folder through a link, which messages would show resolved.
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), `kcc-e2e-${name}-`)))
  const at = (...parts: string[]): string => path.join(folder, ...parts)
  const environment = (env: Record<string, string>): Record<string, string> => ({ KCC_CACHE_DIR: sharedCache, ...env })
  const run: Workshop['kcc'] = (args, env = {}) => kcc(args, { cwd: folder, env: environment(env) })
  return {
    folder, path: at, kcc: run,
    write: (file, content) => {
      fs.mkdirSync(path.dirname(at(file)), { recursive: true })
      fs.writeFileSync(at(file), content)
      return at(file)
    },
    read: (file) => fs.readFileSync(at(file), 'utf8'),
    exists: (file) => fs.existsSync(at(file)),
    kccJson: async <T>(args: readonly string[], env = {}) => {
      const ran = await run([...args, '--json'], env)
      if (ran.code !== 0 || ran.stderr !== '') throw new Error(`kcc ${args.join(' ')} ended with ${ran.code}\n${ran.stderr}${ran.stdout}`)
      return JSON.parse(ran.stdout) as T
    },
    node: async (args, env = {}) => {
      const started = performance.now()
      const result = await execa(process.execPath, args, { cwd: folder, reject: false, env: environment(env) })
      return { code: result.exitCode, stdout: result.stdout, stderr: result.stderr, seconds: (performance.now() - started) / 1000 }
    },
    remove: () => fs.rmSync(folder, { recursive: true, force: true }),
  }
}

/** What a program printed as JSON in its last line. @throws Error with all it printed when it failed. */
export function lastJson<T>(ran: Ran): T {
  if (ran.code !== 0) throw new Error(`the program ended with ${ran.code}\n${ran.stdout}\n${ran.stderr}`)
  return JSON.parse(ran.stdout.trim().split('\n').at(-1)!) as T
}

/** A small classifier with known first weights: 12-16-3 with dropout, so that a build takes seconds. */
export const smallModel = (units = 16): string => `import { Dense, Dropout, Sequential, initializers, optimizers } from 'kcc'

const start = (seed: number) => initializers.glorotUniform({ seed })
const model = Sequential([
  Dense(${units}, { activation: 'relu', inputShape: [12], kernelInitializer: start(1) }),
  Dropout(0.25),
  Dense(3, { activation: 'softmax', name: 'kind', kernelInitializer: start(2) }),
])
model.compile({ optimizer: optimizers.RMSprop({ learningRate: 0.01 }), loss: 'sparse_categorical_crossentropy', metrics: ['accuracy'] })
export default model
`

/** Text of a function of user programs: numbers in [0, 1) that depend on nothing but their count and a salt. */
export const numbersText = `const numbers = (count, salt = 0) => Float32Array.from({ length: count }, (_, i) => ((i + salt) * 7919 + (i + salt) * (i + salt) * 31) % 1009 / 1009)
`

/** The same function here. */
export const numbers = (count: number, salt = 0): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => (((i + salt) * 7919 + (i + salt) * (i + salt) * 31) % 1009) / 1009)
