/**
 * Which names a template uses and which its view has. Names come from Handlebars' own parser, views from the types of
 * what the compiler hands to each template, so that a name is checked on every branch, rendered or not.
 */
import { basename } from 'node:path'
import Handlebars from 'handlebars'
import ts from 'typescript'
import { read, repositoryFiles, root, typescriptFiles } from '../architecture/files.js'

/** Templates by their path below `templates/`, without `.hbs`; partials begin with `_`. */
export const templates = repositoryFiles().filter((file) => file.startsWith('templates/') && file.endsWith('.hbs')).map((file) => file.slice('templates/'.length, -'.hbs'.length))

const program = ts.createProgram(typescriptFiles('compiler').map((file) => `${root}/${file}`), {
  target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.NodeNext, strict: true, noUncheckedIndexedAccess: true, skipLibCheck: true, noEmit: true, types: ['node'],
})
const checker = program.getTypeChecker()

/** The view each template is rendered from: `render('module.cc', view)`, and the types named here for the rest. */
export function viewTypes(): ReadonlyMap<string, ts.Type> {
  const views = new Map<string, ts.Type>()
  for (const file of program.getSourceFiles().filter((f) => f.fileName.startsWith(`${root}/compiler/`))) {
    visit(file, (node) => {
      if (!ts.isCallExpression(node)) return
      const [first, second] = node.arguments
      if (node.expression.getText() === 'render' && first && second && ts.isStringLiteral(first)) views.set(first.text, checker.getTypeAtLocation(second))
      const template = compiledDirectly[`${basename(file.fileName)}:${/\.compile$/.exec(calleeOf(node)) ? 'compile' : ''}`]
      if (template !== undefined && first) views.set(template, checker.getTypeAtLocation(first))
    })
  }
  const packageView = typeNamed('compiler/build/package-view.ts', 'PackageView')
  for (const name of templates.filter((t) => t.startsWith('package/'))) views.set(name, packageView)
  return views
}

/** Files that call `compile(text, options)(view)` themselves. */
const compiledDirectly: Readonly<Record<string, string>> = { 'cmake-project.ts:compile': 'CMakeLists.txt' }

/** For `x.compile(…)(view)`: the text `x.compile`. */
const calleeOf = (call: ts.CallExpression): string => (ts.isCallExpression(call.expression) ? call.expression.expression.getText() : '')

function visit(node: ts.Node, see: (node: ts.Node) => void): void {
  see(node)
  ts.forEachChild(node, (child) => visit(child, see))
}

function typeNamed(file: string, name: string): ts.Type {
  const module = checker.getSymbolAtLocation(program.getSourceFile(`${root}/${file}`)!)!
  const found = checker.getExportsOfModule(module).find((symbol) => symbol.name === name)
  if (!found) throw new Error(`${file} exports no type ${name}`)
  return checker.getDeclaredTypeOfSymbol(found)
}

/** Names the template uses that its view lacks, each as `line: path`. */
export function unknownNames(template: string, view: ts.Type): string[] {
  const found: string[] = []
  walk(Handlebars.parse(read(`templates/${template}.hbs`)).body, [view], found, [template])
  return found
}

type Scopes = readonly ts.Type[]
type Ast = { Block: hbs.AST.BlockStatement; Mustache: hbs.AST.MustacheStatement; Partial: hbs.AST.PartialStatement }

function walk(body: readonly hbs.AST.Statement[], scopes: Scopes, found: string[], inside: readonly string[]): void {
  for (const statement of body) {
    if (statement.type === 'MustacheStatement') walkMustache(statement as Ast['Mustache'], scopes, found)
    else if (statement.type === 'BlockStatement') walkBlock(statement as Ast['Block'], scopes, found, inside)
    else if (statement.type === 'PartialStatement') walkPartial(statement as Ast['Partial'], scopes, found, inside)
  }
}

function walkMustache({ path, params }: Ast['Mustache'], scopes: Scopes, found: string[]): void {
  for (const part of params.length > 0 ? params : [path]) if (part.type === 'PathExpression') resolve(part as hbs.AST.PathExpression, scopes, found)
}

function walkBlock(block: Ast['Block'], scopes: Scopes, found: string[], inside: readonly string[]): void {
  const [first] = block.params
  const type = first?.type === 'PathExpression' ? resolve(first as hbs.AST.PathExpression, scopes, found) : null
  const each = (block.path as hbs.AST.PathExpression).original === 'each'
  const item = type && each ? checker.getIndexTypeOfType(checker.getNonNullableType(type), ts.IndexKind.Number) : null
  walk(block.program.body, item ? [item, ...scopes] : scopes, found, inside)
  if ((block.inverse as hbs.AST.Program | undefined) !== undefined) walk(block.inverse.body, scopes, found, inside)
}

/** A partial sees the scope it is used in. One that uses itself is walked once. */
function walkPartial({ name }: Ast['Partial'], scopes: Scopes, found: string[], inside: readonly string[]): void {
  const partial = `_${(name as hbs.AST.PathExpression).original}`
  if (!templates.includes(partial)) found.push(`no template ${partial}`)
  else if (!inside.includes(partial)) walk(Handlebars.parse(read(`templates/${partial}.hbs`)).body, scopes, found, [...inside, partial])
}

/** The type a path leads to; null, and an entry in `found`, when the view has no such name. */
function resolve({ original, depth, parts, data, loc }: hbs.AST.PathExpression, scopes: Scopes, found: string[]): ts.Type | null {
  if (data) return null
  let type: ts.Type | undefined = scopes[depth]
  for (const part of parts as readonly string[]) {
    const symbol: ts.Symbol | undefined = type && checker.getNonNullableType(type).getProperty(part)
    type = symbol && checker.getTypeOfSymbol(symbol)
    if (!type) {
      found.push(`${loc.start.line}: ${original}`)
      return null
    }
  }
  return type ?? null
}
