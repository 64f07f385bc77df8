/**
 * Operators on tensors. TypeScript has no operator overloading, so `(a - b) ** 2` in a user's file is read as
 * `K.pow(K.subtract(a, b), 2)` wherever the type of an operand is a tensor of kcc: before the types are checked, so that
 * what the operator gives has the right type, and in the JavaScript that runs. Numbers, strings and everything else keep
 * their operators; so do `===` and `!==`, which ask whether two tensors are the same one.
 */
import type { ts } from 'ts-morph'
import { inPackage } from '../support/paths.js'
import { EditedText, type Edit } from './edited-text.js'

type Ts = typeof ts

/** Functions of `K` by operator. */
const binary: Readonly<Record<string, string>> = {
  '+': 'add', '-': 'subtract', '*': 'multiply', '/': 'divide', '**': 'pow',
  '>': 'greater', '>=': 'greaterEqual', '<': 'less', '<=': 'lessEqual', '&': 'logicalAnd', '|': 'logicalOr',
}
const assigning: Readonly<Record<string, string>> = { '+=': 'add', '-=': 'subtract', '*=': 'multiply', '/=': 'divide', '**=': 'pow' }
const prefix: Readonly<Record<string, string>> = { '-': 'negative', '~': 'logicalNot' }

/** What to write instead of an operator that tensors do not have. */
const without: Readonly<Record<string, string>> = {
  '%': 'K has no remainder', '^': 'K.notEqual(a, b) is the exclusive or of two bool tensors',
  '==': 'K.equal(a, b) compares elements', '!=': 'K.notEqual(a, b) compares elements',
  '+x': 'leave it out', '++': '`x = x + 1` makes a new tensor', '--': '`x = x - 1` makes a new tensor',
}
/** Operators that ask whether a value is true. */
const choices: Readonly<Record<string, string>> = {
  '&&': '`a & b` or K.logicalAnd(a, b) works on elements', '||': '`a | b` or K.logicalOr(a, b) works on elements',
  '!': '`~x` or K.logicalNot(x) works on elements', '?:': 'K.switch(condition, then, otherwise) chooses by elements', if: 'K.switch(condition, then, otherwise) chooses by elements',
}

/** An operator that is rewritten, by positions in the original text. */
type Site = { readonly start: number; readonly end: number; readonly operator: { readonly start: number; readonly end: number }; readonly name: string; readonly kind: 'binary' | 'assigning' | 'prefix' }

/** An operator that makes no sense for tensors. */
export type Refusal = { readonly file: string; readonly start: number; readonly end: number; readonly message: string; readonly note: string }

/** The name under which rewritten files know `K`: one that nobody has. */
const alias = '$kccK'

/** The operators of one file. */
export class OperatorFile {
  private readonly sites = new Map<string, Site>()
  readonly refusals = new Map<number, Refusal>()
  edited: EditedText

  constructor(private readonly ts: Ts, readonly file: string, original: string) { this.edited = new EditedText(original, []) }

  /** Takes in what the types of one program say. Returns whether more operators turned out to be on tensors. */
  collect(source: ts.SourceFile, checker: ts.TypeChecker): boolean {
    const before = this.sites.size
    this.refusals.clear()
    new Search(this.ts, checker, source, (node, operator, name, kind) => this.add(source, node, operator, name, kind), (node, message, note) => this.refuse(source, node, message, note)).run()
    if (this.sites.size === before) return false
    this.edited = new EditedText(this.edited.original, this.edits())
    return true
  }

  /** Whether a refusal covers this place of the original. */
  explains(position: number): boolean { return [...this.refusals.values()].some(({ start, end }) => start <= position && position < end) }

  private add(source: ts.SourceFile, node: ts.Node, operator: readonly [number, number], name: string, kind: Site['kind']): void {
    const at = (position: number): number => this.edited.toOriginal(position)
    const site: Site = { start: at(node.getStart(source)), end: at(node.end), operator: { start: at(operator[0]), end: at(operator[1]) }, name, kind }
    this.sites.set(`${site.start}-${site.end}`, site)
  }

  private refuse(source: ts.SourceFile, node: ts.Node, message: string, note: string): void {
    const start = this.edited.toOriginal(node.getStart(source))
    this.refusals.set(start, { file: this.file, start, end: this.edited.toOriginal(node.end), message, note })
  }

  /** `a - b` → `K.subtract(a , b)`, each in pieces around the operands, and the import at the end, where it moves nothing. */
  private edits(): Edit[] {
    const { original } = this.edited
    const edits = [...this.sites.values()].flatMap((site) => this.editsOf(site))
    edits.sort((a, b) => a.start - b.start || a.end - b.end || b.reach - a.reach)
    return [...edits, { start: original.length, end: original.length, text: `\nimport { K as ${alias} } from 'kcc'` }]
  }

  private editsOf({ start, end, operator, name, kind }: Site): (Edit & { reach: number })[] {
    // The space keeps `return-x` two words. Of insertions at one place the one that reaches farthest comes first.
    const call = ` ${alias}.${name}(`, reach = end - start
    const close = { start: end, end, text: ')', reach: -reach }
    if (kind === 'prefix') return [{ ...operator, text: call, reach }, close]
    if (kind === 'binary') return [{ start, end: start, text: call, reach }, { ...operator, text: ',', reach }, close]
    return [{ ...operator, text: `=${call}${this.edited.original.slice(start, operator.start).trimEnd()}, `, reach }, close]
  }
}

const tensorFolder = inPackage('build', 'compiler', 'nn')

/** One walk over a file. Operands come before their operators, so that `a - b` is known as a tensor when `(a - b) ** 2` asks. */
class Search {
  private readonly found = new Set<ts.Node>()

  constructor(
    private readonly ts: Ts, private readonly checker: ts.TypeChecker, private readonly source: ts.SourceFile,
    private readonly add: (node: ts.Node, operator: readonly [number, number], name: string, kind: Site['kind']) => void,
    private readonly refuse: (node: ts.Node, message: string, note: string) => void,
  ) {}

  run(): void { this.visit(this.source) }

  private visit(node: ts.Node): void {
    this.ts.forEachChild(node, (child) => this.visit(child))
    if (this.ts.isBinaryExpression(node)) this.binary(node)
    else if (this.ts.isPrefixUnaryExpression(node)) this.prefix(node)
    else if (this.ts.isPostfixUnaryExpression(node)) this.unknown(node, [node.operand], node.operator === this.ts.SyntaxKind.PlusPlusToken ? '++' : '--')
    else if (this.ts.isConditionalExpression(node)) this.choice(node.condition, '?:')
    else if (this.ts.isIfStatement(node) || this.ts.isWhileStatement(node)) this.choice(node.expression, 'if')
  }

  private binary(node: ts.BinaryExpression): void {
    const { left, right, operatorToken } = node, text = operatorToken.getText(this.source)
    if (text === '&&' || text === '||') return [left, right].forEach((side) => this.choice(side, text))
    const name = binary[text] ?? assigning[text]
    if (name === undefined) return this.unknown(node, [left, right], text)
    const sides = [left, right]
    if (!sides.some((side) => this.isTensor(side)) || (/^\+=?$/.test(text) && sides.some((side) => this.isText(side)))) return
    if (text in assigning && !this.isPlainTarget(left)) return this.refuse(node, `The operator ${text} on a tensor needs a plain variable or property on its left.`, 'write: target = target ' + text.slice(0, -1) + ' value')
    this.found.add(node)
    this.add(node, [operatorToken.getStart(this.source), operatorToken.end], name, text in assigning ? 'assigning' : 'binary')
  }

  private prefix(node: ts.PrefixUnaryExpression): void {
    const text = this.source.text.slice(node.getStart(this.source), node.operand.getStart(this.source)).trim()
    if (text === '!') return this.choice(node.operand, '!')
    const name = prefix[text]
    if (name === undefined) return this.unknown(node, [node.operand], text === '+' ? '+x' : text)
    if (!this.isTensor(node.operand)) return
    const start = node.getStart(this.source)
    this.found.add(node)
    this.add(node, [start, start + text.length], name, 'prefix')
  }

  /** An operator that only numbers have. Comparing a tensor with null or with another tensor by `==` is TypeScript's own. */
  private unknown(node: ts.Node, operands: readonly ts.Expression[], text: string): void {
    const note = without[text] ?? (/^(<<|>>>?)$/.test(text) ? 'K has no shifts' : undefined)
    if (note === undefined || !operands.some((side) => this.isTensor(side))) return
    if (/^[!=]=$/.test(text) && !operands.some((side) => this.isNumber(side))) return
    this.refuse(node, `Tensors have no operator ${text === '+x' ? '+ with one operand' : text}.`, note)
  }

  /** A tensor that an operator gave has no truth value. (A variable may be null, so it is left alone.) */
  private choice(condition: ts.Expression, text: string): void {
    if (this.isResult(this.bare(condition))) this.refuse(condition, 'A tensor is neither true nor false while the model is being made: its values are known only when the model runs.', choices[text]!)
  }

  /** What an operator gave, in this program or, as a call, in the one before. */
  private isResult(node: ts.Expression): boolean {
    return this.found.has(node) || (this.ts.isCallExpression(node) && node.expression.getText(this.source).startsWith(`${alias}.`))
  }

  private bare(node: ts.Expression): ts.Expression { return this.ts.isParenthesizedExpression(node) ? this.bare(node.expression) : node }

  private isTensor(expression: ts.Expression): boolean {
    const node = this.bare(expression)
    return this.found.has(node) || this.holdsTensor(node) || this.members(node).some((type) => this.isTensorType(type))
  }

  /** Whether a variable begins as the result of an operator: its type says so only in the next program. */
  private holdsTensor(node: ts.Expression): boolean {
    const declaration = this.ts.isIdentifier(node) ? this.checker.getSymbolAtLocation(node)?.valueDeclaration : undefined
    return declaration !== undefined && this.ts.isVariableDeclaration(declaration) && declaration.type === undefined
      && declaration.initializer !== undefined && this.found.has(this.bare(declaration.initializer))
  }

  private members(node: ts.Expression): readonly ts.Type[] {
    const type = this.checker.getTypeAtLocation(node)
    return type.isUnion() ? type.types : [type]
  }

  /** Whether a type has the graph node that makes a tensor one: that of kcc's own classes. */
  private isTensorType(type: ts.Type): boolean {
    if ((type.flags & (this.ts.TypeFlags.Object | this.ts.TypeFlags.Intersection | this.ts.TypeFlags.TypeParameter)) === 0) return false
    const node = this.checker.getPropertyOfType(this.checker.getApparentType(type), 'node')
    return node?.declarations?.some((d) => d.getSourceFile().fileName.startsWith(tensorFolder)) ?? false
  }

  private isText(node: ts.Expression): boolean { return this.members(node).some((type) => (type.flags & this.ts.TypeFlags.StringLike) !== 0) }
  private isNumber(node: ts.Expression): boolean { return this.members(node).some((type) => (type.flags & this.ts.TypeFlags.NumberLike) !== 0) }

  /** `x`, `this.x`, `a.b.c`: what may be evaluated twice. */
  private isPlainTarget(node: ts.Expression): boolean {
    return this.ts.isIdentifier(node) || node.kind === this.ts.SyntaxKind.ThisKeyword || (this.ts.isPropertyAccessExpression(node) && this.isPlainTarget(node.expression))
  }
}
