/** The loop IR as text: reader of what `loop-text.ts` prints. */
import type { ElementType } from './element-type.js'
import { isStatic, multiplyDims, type Dim } from './dim.js'
import { parseDim } from './dim-parse.js'
import { addIndex, axisIndex, callExpr, castExpr, constIndex, divideIndex, scaleIndex } from './expr.js'
import { parseProvenance, parseType } from './graph-parse.js'
import { dtypeNames } from './graph-text.js'
import { nowhere, type Provenance } from './graph.js'
import { accumulatorsOf, type Arithmetic, type Axis, type Bound, type AxisMode, type Buffer, type Chain, type Combination, type Expr, type Index, type Intrinsic, type KernelProgram, type Launch, type LibraryCall, type LibraryOperand, type ReduceOp, type Split, type Squares, type StaticAxis, type Stmt, type TeamSize, type Totals } from './loop.js'

/** @throws SyntaxError naming the line. */
export function parseKernel(text: string): KernelProgram {
  const lines = text.split('\n').map((raw, i) => ({ ...splitNote(raw.trim()), number: i + 1 })).filter((l) => l.text !== '')
  return new KernelReader(lines).kernel()
}

type Line = { readonly text: string; readonly from: Provenance; readonly number: number }

function splitNote(line: string): { text: string; from: Provenance } {
  const at = line.indexOf('  // ')
  return at < 0 ? { text: line, from: nowhere } : { text: line.slice(0, at), from: parseProvenance(line.slice(at + 5)) }
}

class KernelReader {
  private at = 0
  private readonly buffers = new Map<string, Buffer>()
  private readonly locals = new Map<string, ElementType>()

  constructor(private readonly lines: readonly Line[]) {}

  kernel(): KernelProgram {
    const head = this.take()
    const m = this.match(head, /^kernel ("(?:[^"\\]|\\.)*") \((.*?)\)( split .*?)?( launch .*)? \{$/, 'kernel "<name>" (<buffers>) {')
    const accesses = [...m[2]!.matchAll(/(\w+): (\w+\[[^\]]*\]) (blocked )?(read|write|update|scratch)/g)]
      .map(([, name, type, blocked, access]) => ({ name: name!, access: access!, blocked: blocked !== undefined, ...parseType(type!) }))
    for (const { name, dtype, shape, blocked } of accesses) this.buffers.set(name, { name, dtype, shape, ...(blocked ? { blocked } : {}) })
    const outside = accesses.filter((a) => a.access !== 'scratch')
    const names = (not: string): string[] => outside.filter((a) => a.access !== not).map((a) => a.name)
    const buffersOf = (named: readonly { readonly name: string }[]): Buffer[] => named.map(({ name }) => this.buffers.get(name)!)
    const chains: Chain[] = []
    const body = this.block((line) => line.text.startsWith('chain ') && chains.push(this.chain(line)) > 0)
    return {
      name: JSON.parse(m[1]!) as string, buffers: buffersOf(outside), scratch: buffersOf(accesses.filter((a) => a.access === 'scratch')),
      reads: names('write'), writes: names('read'), splits: m[3] === undefined ? [] : this.splits(head, m[3]),
      launches: m[4] === undefined ? [] : m[4].slice(' launch '.length).split(/; | beside /).map((one) => this.launch(one)), isAtOnce: m[4]?.includes(' beside ') ?? false, chains, body, from: head.from,
    }
  }

  private take(): Line {
    return this.lines[this.at++] ?? this.fail('expected more lines, found the end')
  }

  private fail(message: string): never {
    throw new SyntaxError(`line ${this.lines[Math.min(this.at, this.lines.length) - 1]?.number ?? 1}: ${message}`)
  }

  private match(line: Line, pattern: RegExp, form: string): RegExpExecArray {
    return pattern.exec(line.text) ?? this.fail(`expected \`${form}\`, found \`${line.text}\``)
  }

  private splits(head: Line, text: string): (Split | null)[] {
    return text.slice(' split '.length).split('; ').map((one) => (one === 'whole' ? null : this.split(head, one)))
  }

  private split(head: Line, text: string): Split {
    const m = /^(.+) by (\d+) work (.+)$/.exec(text) ?? this.fail(`cannot read \`${head.text}\``)
    return { axes: splitArguments(m[1]!).map((axis) => this.axis(axis).axis), multiple: Number(m[2]), workPerItem: parseDim(m[3]!) }
  }

  private launch(text: string): Launch {
    const teams = /^teams of (1|8|32|256)( by column)?$/.exec(text)
    if (teams) return { kind: 'teams', threads: Number(teams[1]) as TeamSize, by: teams[2] === undefined ? 'row' : 'column' }
    const [, rows, columns, depth, arithmetic = 'fma', parts = '1', instead] = /^tiles of (\d+) x (\d+) x (\d+)(?: (tf32|bf16))?(?: in (\d+) parts)?(?: or (library.*))?$/.exec(text) ?? this.fail(`expected \`teams of <threads>\` or \`tiles of <rows> x <columns> x <depth>\`, found \`${text}\``)
    return { kind: 'tiles', rows: Number(rows), columns: Number(columns), depth: Number(depth), parts: Number(parts), arithmetic: arithmetic as Arithmetic, instead: instead === undefined ? null : this.library(instead) }
  }

  private library(text: string): LibraryCall {
    const [, over = 'matrices', rounded = '', into, then, bias, relu] = /^library(?: over (windows as rows|windows as terms))?(?: of rounded (lhs|rhs|lhs and rhs))?(?: into (\w+))?(?:(, then end)|(?: plus (\w+))?( above 0)?)$/.exec(text) ?? this.fail(`expected \`library into <buffer> plus <buffer> above 0\` or \`library into <buffer>, then end\`, found \`${text}\``)
    return { over: over as LibraryOperand, rounded: (['lhs', 'rhs'] as const).filter((name) => rounded.includes(name)), into: into ?? null, end: then === undefined ? { bias: bias ?? null, relu: relu !== undefined } : null }
  }

  private axis(text: string): { axis: Axis; mode: AxisMode } {
    const m = /^(\w+) < (.+?)(?: (vector|vector by 8|grid|grid by 4|team|team by 4))?$/.exec(text.trim()) ?? this.fail(`expected an axis such as \`d0 < B\`, found \`${text}\``)
    return { axis: { name: m[1]!, extent: parseDim(m[2]!) }, mode: (m[3] ?? 'serial') as AxisMode }
  }

  private chain(line: Line): Chain {
    const m = this.match(line, /^chain (\w+): (.+?) by (.+) below (.+)$/, 'chain <name>: <axis> by <row> below <extent>')
    return { name: m[1]!, axis: this.axis(m[2]!).axis, at: this.expr(m[3]!), extent: parseDim(m[4]!), from: line.from }
  }

  /** Statements up to the closing brace; a line that `special` takes is not one. */
  private block(special: (line: Line) => boolean = () => false): Stmt[] {
    const body: Stmt[] = []
    for (let line = this.take(); line.text !== '}'; line = this.take()) if (!special(line)) body.push(this.statement(line))
    return body
  }

  private statement(line: Line): Stmt {
    const word = line.text.split(' ')[0]
    switch (word) {
      case 'for': return this.loop(line)
      case 'let': return this.binding(line)
      case 'store': return this.store(line)
      case 'reduce': return this.reduction(line)
      case 'argmax': return this.argmax(line)
      case 'follow': return this.following(line)
      case 'contract': return this.contraction(line)
      default: return this.fail(`expected a statement, found \`${line.text}\``)
    }
  }

  private loop(line: Line): Stmt {
    const m = this.match(line, /^for (.+) \{$/, 'for <axis> {')
    return { kind: 'for', ...this.axis(m[1]!), body: this.block() }
  }

  private binding(line: Line): Stmt {
    const m = this.match(line, /^let (\w+) = (.+)$/, 'let <name> = <value>')
    const value = this.expr(m[2]!)
    this.locals.set(m[1]!, value.dtype)
    return { kind: 'let', name: m[1]!, value, from: line.from }
  }

  private store(line: Line): Stmt {
    const m = this.match(line, /^store (\w+)\[(.*?)\] = (.+)$/, 'store <buffer>[<index>] = <value>')
    return { kind: 'store', buffer: m[1]!, index: parseIndex(m[2]!), value: this.expr(m[3]!), from: line.from }
  }

  /** The body of a combination and the value it combines. */
  private combined(): { body: Stmt[]; value: Expr } {
    const { body, values } = this.withValues()
    return { body, value: values[0] ?? this.fail('expected `value <expression>`') }
  }

  private withValues(): { body: Stmt[]; values: Expr[] } {
    const values: Expr[] = []
    const body = this.block((line) => line.text.startsWith('value ') && values.push(this.expr(line.text.slice('value '.length))) > 0)
    return { body, values }
  }

  private reduction(line: Line): Stmt {
    const m = this.match(line, /^reduce (.+) over (.+) \{$/, 'reduce <name>: <type> = <op>, … over <axes> {')
    const axes = splitArguments(m[2]!).map((text) => this.axis(text))
    const { body, values } = this.withValues()
    const results = splitArguments(m[1]!).map((text, i) => this.combination(text, values[i] ?? this.fail('expected `value <expression>` for each result')))
    for (const { name, dtype } of results) this.locals.set(name, dtype)
    return { kind: 'reduce', results, axes: axes.map((a) => a.axis), modes: axes.map((a) => a.mode), body, from: line.from }
  }

  private combination(text: string, value: Expr): Combination {
    const m = /^(\w+): (\w+) = (\w+)$/.exec(text) ?? this.fail(`expected \`<name>: <type> = <op>\`, found \`${text}\``)
    return { name: m[1]!, dtype: dtypeNamed(m[2]!) ?? this.fail(`unknown type ${m[2]}`), op: m[3] as ReduceOp, value }
  }

  private argmax(line: Line): Stmt {
    const m = this.match(line, /^argmax (\w+) over (.+) \{$/, 'argmax <name> over <axis> {')
    const inside = this.combined()
    this.locals.set(m[1]!, 'int32')
    return { kind: 'argmax', name: m[1]!, ...this.axis(m[2]!), ...inside, from: line.from }
  }

  private following(line: Line): Stmt {
    const m = this.match(line, /^follow (\w+): (\w+) = (\w+) along (\w+)\[(.*?)\] as (\w+) \{$/, 'follow <name>: <type> = <op> along <chain>[<row>] as <axis> {')
    const dtype = dtypeNamed(m[2]!) ?? this.fail(`unknown type ${m[2]}`)
    const inside = this.combined()
    this.locals.set(m[1]!, dtype)
    return { kind: 'follow', name: m[1]!, op: m[3] as ReduceOp, dtype, chain: m[4]!, row: parseIndex(m[5]!), position: m[6]!, ...inside, from: line.from }
  }

  private contraction(line: Line): Stmt {
    const m = this.match(line, /^contract (.+) as (\w+)(?: together (.+?))?(?: in squares of (.+))? \{$/, 'contract <m>, …; <n>, …; <k>, … as <name> [together <axis>, …] [in squares of <height> x <width> x <channels> by <lines> x <pixels>] {')
    const [rows, columns, sums] = m[1]!.split(';').map((group) => splitArguments(group).map((text) => this.axis(text).axis))
    if (!rows || !columns || !sums) return this.fail('expected three groups of axes')
    const together = this.together(rows, m[3])
    for (const name of accumulatorsOf({ accumulator: m[2]!, together })) this.locals.set(name, 'float32')
    const operands = new Map<string, Expr>()
    let totals: Totals | null = null
    const epilogue = this.block(({ text }) => {
      const operand = /^(lhs|rhs) (.+)$/.exec(text), column = /^totals as (\w+) \{$/.exec(text)
      if (operand) operands.set(operand[1]!, this.expr(operand[2]!))
      if (column) totals = this.totals(column[1]!)
      return operand !== null || column !== null
    })
    const [lhs, rhs] = [operands.get('lhs'), operands.get('rhs')]
    if (!lhs || !rhs) return this.fail('expected `lhs` and `rhs`')
    return { kind: 'contract', m: rows, n: columns, k: sums, lhs, rhs, accumulator: m[2]!, together, totals, squares: this.squares(m[4]), epilogue, from: line.from }
  }

  private squares(text: string | undefined): Squares | null {
    if (text === undefined) return null
    const m = /^(\d+) x (\d+) x (\d+) by (\d+) x (\d+)( along rows)?$/.exec(text) ?? this.fail(`expected <height> x <width> x <channels> by <lines> x <pixels> [along rows], found ${text}`)
    const [height, width, channels, lines, pixels] = m.slice(1, 6).map(Number) as [number, number, number, number, number]
    return { height, width, channels, window: [lines, pixels], along: m[6] === undefined ? 'columns' : 'rows' }
  }

  private totals(accumulator: string): Totals {
    this.locals.set(accumulator, 'float32')
    return { accumulator, epilogue: this.block() }
  }

  /** The last axes of the rows, which are named. */
  private together(rows: readonly Axis[], names: string | undefined): StaticAxis[] {
    const named = names === undefined ? [] : splitArguments(names), last = rows.slice(rows.length - named.length)
    return last.map((axis, i) => (axis.name === named[i] && isStatic(axis.extent) ? { name: axis.name, extent: axis.extent } : this.fail(`expected the last rows, of fixed sizes, found \`${names}\``)))
  }

  private expr(text: string): Expr {
    const call = /^([a-z]\w*)(?::(\w+))?\((.*)\)$/.exec(text)
    if (call) return this.call(call[1]!, call[2], call[3]!)
    const indexed = /^(\w+)(?::(\w+))?\[(.*)\]$/.exec(text)
    if (indexed) return this.indexed(indexed[1]!, indexed[2], indexed[3]!)
    const constant = /^([^:]+):(\w+)$/.exec(text)
    if (constant) return { kind: 'const', dtype: dtypeNamed(constant[2]!) ?? this.fail(`unknown type in \`${text}\``), value: Number(constant[1]) }
    return { kind: 'local', name: text, dtype: this.locals.get(text) ?? this.fail(`unknown name ${text}`) }
  }

  private call(name: string, type: string | undefined, inside: string): Expr {
    if (name === 'scalar') return { kind: 'scalar', dtype: 'float32', name: JSON.parse(inside) as string }
    if (name === 'cast') return castExpr(dtypeNamed(type ?? '') ?? this.fail('a cast needs a type'), this.expr(inside))
    if (name === 'lookup') return this.lookup(splitArguments(inside))
    if (name === 'guard') return this.guard(splitArguments(inside))
    return callExpr(name as Intrinsic, ...splitArguments(inside).map((arg) => this.expr(arg)))
  }

  private guard([value, otherwise, ...bounds]: readonly string[]): Expr {
    const inside = this.expr(value ?? ''), outside = this.expr(otherwise ?? '')
    if (outside.kind !== 'const' || bounds.length === 0) return this.fail('expected `guard(<value>, <constant>, <index> < <extent>, …)`')
    return { kind: 'guard', dtype: inside.dtype, value: inside, otherwise: outside.value, bounds: bounds.map((text) => this.bound(text)) }
  }

  private bound(text: string): Bound {
    const [index, extent] = text.split(' < ')
    if (index === undefined || extent === undefined) return this.fail(`expected \`<index> < <extent>\`, found \`${text}\``)
    return { index: parseIndex(index), extent: parseDim(extent) }
  }

  private lookup([element, at, stride, extent]: readonly string[]): Expr {
    const first = this.expr(element ?? '')
    if (first.kind !== 'load' || at === undefined || stride === undefined || extent === undefined) return this.fail('expected `lookup(<buffer>[<index>], <value>, <stride>, <extent>)`')
    return { ...first, kind: 'lookup', at: this.expr(at), stride: parseDim(stride), extent: parseDim(extent) }
  }

  private indexed(name: string, type: string | undefined, inside: string): Expr {
    if (name === 'dim') return { kind: 'dim', dtype: dtypeNamed(type ?? '') ?? 'float32', dim: parseDim(inside) }
    if (name === 'index') return { kind: 'index', dtype: dtypeNamed(type ?? '') ?? 'int32', index: parseIndex(inside) }
    const stream = /^random(\d+)$/.exec(name)
    if (stream) return { kind: 'random', dtype: 'float32', stream: Number(stream[1]), index: parseIndex(inside) }
    const buffer = this.buffers.get(name) ?? this.fail(`unknown buffer ${name}`)
    return { kind: 'load', dtype: buffer.dtype, buffer: name, index: parseIndex(inside) }
  }
}

const dtypeNamed = (short: string): ElementType | undefined => (Object.entries(dtypeNames) as [ElementType, string][]).find(([, name]) => name === short)?.[0]

/** Reads "512*d0 + (4*B)*floor((d1 + 1) / 2) + 3": factors first, then the axis or quotient; a part without either is the offset. */
export function parseIndex(text: string): Index {
  return splitOutside(text, ' + ').map((part): Index => {
    const m = /^(?:(\d+|-\d+|\([^/]+\))\*)?(?:([a-z]\w*)|floor\(\((.+)\) \/ (\d+)\))$/.exec(part)
    if (!m) return constIndex(parseFactor(part))
    const whole = m[2] === undefined ? divideIndex(parseIndex(m[3]!), Number(m[4])) : axisIndex(m[2])
    return scaleIndex(whole, m[1] === undefined ? 1 : parseFactor(m[1]))
  }).reduce(addIndex, constIndex(0))
}

const parseFactor = (text: string): Dim => multiplyDims(parseDim(text.replace(/^\((.*)\)$/, '$1')), 1)

const splitArguments = (text: string): string[] => splitOutside(text, ',').map((p) => p.trim()).filter((p) => p !== '')

/** Pieces between separators that are outside brackets. */
function splitOutside(text: string, separator: string): string[] {
  const pieces: string[] = ['']
  let depth = 0
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!
    if (c === '(' || c === '[') depth++
    if (c === ')' || c === ']') depth--
    if (depth === 0 && text.startsWith(separator, i)) { pieces.push(''); i += separator.length - 1 }
    else pieces[pieces.length - 1] += c
  }
  return pieces
}
