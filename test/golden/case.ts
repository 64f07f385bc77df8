/** A case of the vectors: first everything is prepared and handed over for compilation, then it runs. */
import { KccError } from '../../runtime/contract/errors.js'
import type { Checks } from './checks.js'
import type { NativeBatch } from './native-batch.js'

/** Carried out once the batch is built. */
export type Prepared = (check: Checks) => void | Promise<void>

export type GoldenCase = {
  readonly name: string
  /** Whether the case is made only of what must exist: then "not yet supported" is a failure. */
  readonly required: () => boolean | Promise<boolean>
  readonly prepare: (batch: NativeBatch) => Prepared | Promise<Prepared>
}

export type Folder = { readonly name: string; readonly cases: () => readonly GoldenCase[] }

/** Thrown for what the public API does not have. `message` says what, such as "callback EarlyStopping". */
export class Unsupported extends Error {}

/** What kcc's own errors say of names it does not know. */
const declarations: readonly (readonly [RegExp, (name: string) => string])[] = [
  [/^Unknown layer: (\w+)$/, (name) => `layer ${name}`],
  [/^Unknown (initializer: \S+)$/, (name) => name.replace(':', '')],
  [/^Unknown (regularizer: \S+)$/, (name) => name.replace(':', '')],
  [/^Unknown (constraint: \S+)$/, (name) => name.replace(':', '')],
  [/^Unknown (optimizer: \S+)$/, (name) => name.replace(':', '')],
  [/^Unknown activation function:(\S+)$/, (name) => `activation ${name}`],
  [/^Unknown loss function:(\S+)$/, (name) => `loss ${name}`],
  [/^Unknown metric function:(\S+)$/, (name) => `metric ${name}`],
  [/^`(mask_zero)` must be false: /, () => 'masks'],
  [/^\('Keyword argument not understood:', '(\w+)'\)$/, (name) => `option ${name}`],
]

/** What is missing, if the error says so; null for every other error. */
export function missingOf(error: unknown): string | null {
  if (error instanceof Unsupported) return error.message
  if (!(error instanceof KccError)) return null
  const found = declarations.find(([pattern]) => pattern.test(error.message))
  return found ? found[1](found[0].exec(error.message)![1]!) : null
}
