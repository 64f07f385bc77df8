/** The graph IR as text: reader of what `graph-text.ts` prints, line by line. Blank lines and `#` comments are skipped. */
import { dataType, type ElementType } from './element-type.js'
import type { Dim } from './dim.js'
import { parseDim } from './dim-parse.js'
import { dtypeNames } from './graph-text.js'
import { nowhere, type Attrs, type AttrValue, type Graph, type Module, type Node, type Output, type Provenance, type Scalar, type TensorType, type Update, type Variable } from './graph.js'

/** @throws SyntaxError naming the line. */
export function parseModule(text: string): Module {
  const lines = new Lines(text)
  const name = lines.expect(/^module ("(?:[^"\\]|\\.)*") \{$/, 'module "<name>" {')[1]!
  const variables: Variable[] = [], scalars: Scalar[] = [], functions: Graph[] = []
  for (let line = lines.next(); line !== '}'; line = lines.next()) {
    if (line.startsWith('variable ')) variables.push(parseVariable(line, lines))
    else if (line.startsWith('scalar ')) scalars.push(parseScalar(line, lines))
    else functions.push(parseFunction(line, lines))
  }
  return { name: JSON.parse(name) as string, variables, scalars, functions }
}

/** Reads one `function "<name>" { … }`. @throws SyntaxError naming the line. */
export function parseGraph(text: string): Graph {
  const lines = new Lines(text)
  return parseFunction(lines.next(), lines)
}

/** Trimmed lines with content, and errors that say where. */
class Lines {
  readonly #lines: readonly { readonly text: string; readonly number: number }[]
  #at = 0

  constructor(text: string) {
    this.#lines = text.split('\n').map((t, i) => ({ text: t.trim(), number: i + 1 })).filter((l) => l.text !== '' && !l.text.startsWith('#'))
  }

  next(): string {
    const line = this.#lines[this.#at++]
    return line ? line.text : this.fail('expected more lines, found the end')
  }

  expect(pattern: RegExp, form: string): RegExpExecArray {
    return this.match(this.next(), pattern, form)
  }

  match(line: string, pattern: RegExp, form: string): RegExpExecArray {
    return pattern.exec(line) ?? this.fail(`expected \`${form}\`, found \`${line}\``)
  }

  fail(message: string): never {
    const line = this.#lines[Math.min(this.#at, this.#lines.length) - 1]
    throw new SyntaxError(`line ${line?.number ?? 1}: ${message}`)
  }

  /** Runs `body`, adding the line to its errors. */
  guard<T>(body: () => T): T {
    try {
      return body()
    } catch (error) {
      return this.fail(error instanceof Error ? error.message : String(error))
    }
  }
}

const quoted = String.raw`("(?:[^"\\]|\\.)*")`
const unquote = (text: string): string => JSON.parse(text) as string

function parseVariable(line: string, lines: Lines): Variable {
  const m = lines.match(line, new RegExp(`^variable ${quoted} : (\\S+) (weight|slot|state|metric)( trainable)?$`), 'variable "<name>" : <type> <role>')
  const { dtype, shape } = lines.guard(() => parseType(m[2]!))
  const sizes = shape.filter((d): d is number => typeof d === 'number')
  if (sizes.length !== shape.length) lines.fail('expected a shape of numbers')
  return { name: unquote(m[1]!), dtype: lines.guard(() => dataType(dtype)), shape: sizes, role: m[3] as Variable['role'], trainable: m[4] !== undefined }
}

function parseScalar(line: string, lines: Lines): Scalar {
  const m = lines.match(line, new RegExp(`^scalar ${quoted} = (\\S+)$`), 'scalar "<name>" = <value>')
  return { name: unquote(m[1]!), value: Number(m[2]) }
}

function parseFunction(first: string, lines: Lines): Graph {
  const name = unquote(lines.match(first, new RegExp(`^function ${quoted} \\{$`), 'function "<name>" {')[1]!)
  const nodes = new Map<string, Node>()
  const at = (ref: string): Node => nodes.get(ref.trim()) ?? lines.fail(`no node ${ref.trim()} above`)
  let inputs: Node[] = []
  const outputs: Output[] = [], updates: Update[] = []
  for (let line = lines.next(); line !== '}'; line = lines.next()) {
    if (line.startsWith('%')) {
      const [key, node] = parseNode(line, at, lines)
      if (nodes.has(key)) lines.fail(`${key} is defined twice`)
      nodes.set(key, node)
    } else if (line.startsWith('inputs ')) {
      inputs = line.slice('inputs '.length).split(',').map(at)
    } else {
      const m = lines.match(line, new RegExp(`^(output|update) ${quoted} = (%\\w+)$`), 'output "<name>" = %node')
      if (m[1] === 'output') outputs.push({ name: unquote(m[2]!), node: at(m[3]!) })
      else updates.push({ variable: unquote(m[2]!), node: at(m[3]!) })
    }
  }
  return { name, inputs, outputs, updates }
}

function parseNode(line: string, at: (ref: string) => Node, lines: Lines): [string, Node] {
  const { head, comment } = splitComment(line)
  const m = lines.match(head, /^(%\w+) = (\w+)\(([^)]*)\)(?: \{(.*)\})? : (\S+)$/, '%name = op(%inputs) {attributes} : type')
  const [, key, op, args, attrs, type] = m
  const resultType = lines.guard(() => parseType(type!))
  return [key!, {
    op: op!,
    inputs: args!.trim() === '' ? [] : args!.split(',').map(at),
    attrs: attrs === undefined ? {} : lines.guard(() => parseAttrs(attrs, resultType)),
    type: resultType,
    from: parseProvenance(comment),
  }]
}

/** Splits at the comment; a type follows the attributes, so `//` inside a quoted name is not taken for one. */
function splitComment(line: string): { head: string; comment: string } {
  const m = /^(%\w+ = \w+\([^)]*\)(?: \{(?:"(?:[^"\\]|\\.)*"|[^"}])*\})? : \S+)(?:\s*\/\/ ?(.*))?$/.exec(line)
  return m ? { head: m[1]!, comment: m[2] ?? '' } : { head: line, comment: '' }
}

export function parseProvenance(comment: string): Provenance {
  if (comment === '') return nowhere
  const located = /^(.*?):(\d+):(\d+)(?: (.*))?$/.exec(comment)
  if (comment.startsWith('- ') || !located) return { location: null, path: comment.replace(/^- /, '') }
  return { location: { file: located[1]!, line: Number(located[2]), column: Number(located[3]) }, path: located[4] ?? '' }
}

/** Reads "f32[B,64]". @throws SyntaxError */
export function parseType(text: string): TensorType {
  const m = /^(\w+)\[(.*)\]$/.exec(text)
  const dtype = (Object.entries(dtypeNames) as [ElementType, string][]).find(([, short]) => short === m?.[1])?.[0]
  if (!m || !dtype) throw new SyntaxError(`expected a type such as f32[B,64], found "${text}"`)
  return { dtype, shape: splitTop(m[2]!).map(parseDim) }
}

/** Pieces of `text` between commas that are outside brackets, parentheses and quotes. */
function splitTop(text: string): string[] {
  const pieces: string[] = []
  let depth = 0, start = 0
  for (let i = 0; i < text.length; i++) {
    const c = text[i]
    if (c === '"') i = endOfString(text, i)
    else if (c === '[' || c === '(') depth++
    else if (c === ']' || c === ')') depth--
    else if (c === ',' && depth === 0) { pieces.push(text.slice(start, i).trim()); start = i + 1 }
  }
  return [...pieces, text.slice(start).trim()].filter((p) => p !== '')
}

function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    if (text[i] === '\\') i++
    else if (text[i] === '"') return i
  }
  throw new SyntaxError('a string does not end')
}

function parseAttrs(text: string, type: TensorType): Attrs {
  return Object.fromEntries(splitTop(text).map((entry): [string, AttrValue] => {
    const eq = entry.indexOf('=')
    if (eq >= 0) return [entry.slice(0, eq), parseValue(entry.slice(eq + 1))]
    if (entry === 'dtype') return [entry, type.dtype]
    if (entry === 'shape') return [entry, type.shape]
    throw new SyntaxError(`attribute "${entry}" has no value`)
  }))
}

const isNumber = (text: string): boolean => /^-?(\d+(\.\d+)?(e[+-]?\d+)?|Infinity)$/.test(text) || text === 'NaN'

function parseValue(text: string): AttrValue {
  if (text.startsWith('"')) return unquote(text)
  if (text.startsWith('[')) return splitTop(text.slice(1, -1)).map(parseValue)
  if (text === 'true' || text === 'false') return text === 'true'
  if (text === 'null') return null
  return isNumber(text) ? Number(text) : (parseDim(text) satisfies Dim)
}
