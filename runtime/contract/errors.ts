/**
 * The exceptions a user of kcc meets, named as Python Keras names them.
 * Both the compiler and the runtime throw these, so they live in the contract.
 */

/** A place in the user's source; `line` and `column` count from 1. */
export type SourceLocation = { readonly file: string; readonly line: number; readonly column: number }

/**
 * Base of all errors kcc raises on purpose. `location` is the user's line where it is known; `hint` says what was
 * expected where the message, being Keras' own, does not.
 */
export class KccError extends Error {
  readonly location: SourceLocation | null
  readonly hint: string | null
  constructor(message: string, location: SourceLocation | null = null, hint: string | null = null) {
    super(message)
    this.name = new.target.name
    this.location = location
    this.hint = hint
  }
}

/** A value of the right kind that cannot be used: a wrong shape, an unknown name. */
export class ValueError extends KccError {}
/** A value of the wrong kind, an unknown option. (Not the built-in `TypeError`, so that it can carry a location.) */
export class ArgumentTypeError extends KccError { override readonly name = 'TypeError' }
/** A call that is not possible in the present state, such as `fit` before `compile`. */
export class RuntimeError extends KccError {}
/** A property that does not exist yet or is ambiguous, such as `layer.output` of a shared layer. */
export class AttributeError extends KccError {}
/** A condition that Keras asserts without words; `hint` has them. */
export class AssertionError extends KccError {}
/** A damaged or foreign file. */
export class FileFormatError extends KccError {}
/** A compiler or CMake that is missing or fails. `log` is the tool's own output. */
export class ToolchainError extends KccError {
  constructor(message: string, readonly log: string = '') { super(message) }
}
