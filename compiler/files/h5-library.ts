/**
 * The HDF5 library: libhdf5 compiled to WebAssembly. A damaged file can make it trap or run forever, so every use is
 * guarded: what goes wrong becomes a FileFormatError, and an instance that may be broken is replaced by a fresh one.
 * It sees only a file system in memory, so nothing in a file can make it open another file.
 */
import { runInNewContext } from 'node:vm'
import { FileFormatError, KccError } from '../../runtime/contract/errors.js'

export type H5Wasm = typeof import('h5wasm')

/** Longest time for one file: a second for every 4 MB, and half a minute for the machine being slow. */
const budgetMs = (bytes: number): number => 30_000 + bytes / 4_000

/** Loads the library when it is first used (about 0.2 s) and keeps it until it breaks. */
class Library {
  private current: Promise<H5Wasm> | null = null
  private generation = 0

  get(): Promise<H5Wasm> {
    return (this.current ??= this.instantiate())
  }

  /** The next call of `get` makes a new instance. */
  discard(): void { this.current = null }

  private async instantiate(): Promise<H5Wasm> {
    // Modules are cached by their address; another query makes another instance with memory of its own.
    const again = this.generation++
    const library = again === 0 ? await import('h5wasm') : (await import(`${import.meta.resolve('h5wasm')}?instance=${again}`)) as H5Wasm
    const module = await library.ready
    module.activate_throwing_error_handler()
    return library
  }
}

const library = new Library()

/**
 * Runs `use` with the library. Errors of kcc pass through; everything else that happens inside, including an endless
 * loop, is reported as a damaged file. @throws FileFormatError naming `path`
 */
export async function withHdf5<T>(path: string, bytes: number, use: (library: H5Wasm) => T): Promise<T> {
  const instance = await library.get()
  try {
    return withinTime(() => use(instance), budgetMs(bytes))
  } catch (error) {
    if (error instanceof KccError) throw error
    if (!isOrdinary(error)) library.discard()
    throw new FileFormatError(`${path}: not a readable HDF5 file (${reason(error)})`)
  }
}

/** V8 interrupts JavaScript and WebAssembly started through `vm` when the time is over. */
function withinTime<T>(body: () => T, timeout: number): T {
  return runInNewContext('body()', { body }, { timeout: Math.ceil(timeout) }) as T
}

/** An error that HDF5 reports by itself leaves the library usable; a trap or a time-out may not. */
const isOrdinary = (error: unknown): boolean =>
  error instanceof Error && error.name !== 'RuntimeError' && !(error instanceof RangeError) && !isTimeout(error)

const isTimeout = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'

/** The innermost entry of HDF5's error stack says what is wrong: "truncated file: eof = 3000, …". */
function reason(error: unknown): string {
  if (isTimeout(error)) return 'reading it does not end'
  const text = typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error)
  const stack = [...text.matchAll(/^ {2}#\d+: .* line \d+ in \S+ (.*)$/gm)]
  return stack.at(-1)?.[1] ?? text.split('\n')[0]!
}
