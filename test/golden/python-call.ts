/** Calls as the vectors spell them in Python: `losses.Huber(delta=0.5)`, `relu(x, max_value=3.)`, `[EarlyStopping(patience=2)]`. */

/** A name that stands for something else than a literal, such as `x`. */
export type PythonName = { readonly name: string }
export type PythonCall = { readonly call: string; readonly args: readonly PythonValue[]; readonly options: Readonly<Record<string, PythonValue>> }
export type PythonValue = number | string | boolean | null | readonly PythonValue[] | PythonName | PythonCall

export const isCall = (v: PythonValue): v is PythonCall => typeof v === 'object' && v !== null && 'call' in v

export const camelCase = (name: string): string => name.replaceAll(/_([a-z0-9])/g, (_, c: string) => c.toUpperCase())
/** Python's options in our spelling. */
export const camelOptions = (options: PythonCall['options']): Record<string, PythonValue> =>
  Object.fromEntries(Object.entries(options).map(([key, value]) => [camelCase(key), value]))

const tokenPattern = /\s*(?:(-?(?:\d+\.?\d*|\.\d+)(?:e-?\d+)?)|'([^']*)'|([A-Za-z_][\w.]*)|([()[\],=]))/y
const literals: Readonly<Record<string, boolean | null>> = { True: true, False: false, None: null }

class Reader {
  private at = 0
  constructor(private readonly text: string) {}

  /** The next token's groups: number, string, name, punctuation. */
  private token(): RegExpExecArray | null {
    tokenPattern.lastIndex = this.at
    return tokenPattern.exec(this.text)
  }

  private take(): RegExpExecArray {
    const found = this.token()
    if (!found) throw new Error(`cannot read this Python: ${this.text}`)
    this.at = tokenPattern.lastIndex
    return found
  }

  private takeIf(punctuation: string): boolean {
    if (this.token()?.[4] !== punctuation) return false
    this.take()
    return true
  }

  value(): PythonValue {
    const [, number, text, name, punctuation] = this.take()
    if (number !== undefined) return Number(number)
    if (text !== undefined) return text
    if (punctuation === '[' || punctuation === '(') return this.items(punctuation === '[' ? ']' : ')').args
    if (name === undefined) throw new Error(`cannot read this Python: ${this.text}`)
    if (this.takeIf('(')) return { call: name, ...this.items(')') }
    return Object.hasOwn(literals, name) ? literals[name]! : { name }
  }

  /** Values and `key=value` up to `end`. */
  private items(end: string): Pick<PythonCall, 'args' | 'options'> {
    const args: PythonValue[] = []
    const options: Record<string, PythonValue> = {}
    while (!this.takeIf(end)) {
      const value = this.value()
      if (this.takeIf('=')) options[(value as PythonName).name] = this.value()
      else args.push(value)
      this.takeIf(',')
    }
    return { args, options }
  }

  end(): void { if (this.text.slice(this.at).trim() !== '') throw new Error(`cannot read this Python: ${this.text}`) }
}

/** @throws Error for anything but literals, lists, names and calls. */
export function parsePython(text: string): PythonValue {
  const reader = new Reader(text)
  const value = reader.value()
  reader.end()
  return value
}

export function parseCall(text: string): PythonCall {
  const value = parsePython(text)
  if (!isCall(value)) throw new Error(`not a call: ${text}`)
  return value
}
