/** The files of the repository, as the tests of the architecture see them. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** Made by installing, building and testing; as `.gitignore` has it. */
const made = new Set(['node_modules', 'dist', '.kcc', '.git'])

/** Paths from the root of all files that belong to the repository, with `/`. */
export const repositoryFiles = (folder = ''): string[] =>
  readdirSync(join(root, folder), { withFileTypes: true })
    .filter(({ name }) => !made.has(name) && `${folder}${name}` !== 'build' && !name.endsWith('.log'))
    .flatMap((entry) => (entry.isDirectory() ? repositoryFiles(`${folder}${entry.name}/`) : entry.isFile() ? [`${folder}${entry.name}`] : []))

export const read = (file: string): string => readFileSync(join(root, file), 'utf8')

export const typescriptFiles = (...folders: readonly string[]): string[] =>
  repositoryFiles().filter((file) => file.endsWith('.ts') && folders.some((folder) => file.startsWith(`${folder}/`)))

export type Import = {
  readonly from: string
  /** A path from the root, or the name of a package or of one of Node's modules. */
  readonly to: string
  readonly typesOnly: boolean
  readonly line: number
}

export const parse = (file: string): ts.SourceFile => ts.createSourceFile(file, read(file), ts.ScriptTarget.Latest, true)

/** Everything a file imports: declarations, `export … from`, `import()` of modules and of types. */
export function importsOf(file: string): Import[] {
  const source = parse(file)
  const found: Import[] = []
  const visit = (node: ts.Node): void => {
    const specifier = specifierOf(node)
    if (specifier) {
      const line = source.getLineAndCharacterOfPosition(node.getStart()).line + 1
      found.push({ from: file, to: target(file, specifier.text), typesOnly: specifier.typesOnly, line })
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

const target = (file: string, specifier: string): string =>
  specifier.startsWith('.') ? posix.join(posix.dirname(file), specifier).replace(/\.js$/, '.ts') : specifier

function specifierOf(node: ts.Node): { text: string; typesOnly: boolean } | null {
  if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier && ts.isStringLiteral(node.moduleSpecifier)) {
    return { text: node.moduleSpecifier.text, typesOnly: isTypesOnly(node) }
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument) && ts.isStringLiteral(node.argument.literal)) {
    return { text: node.argument.literal.text, typesOnly: true }
  }
  const [first] = ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword ? node.arguments : []
  return first && ts.isStringLiteral(first) ? { text: first.text, typesOnly: false } : null
}

/** The compiler drops such an import: nothing is loaded. `import { type A }` alone keeps the import, so it counts. */
const isTypesOnly = (node: ts.ImportDeclaration | ts.ExportDeclaration): boolean =>
  ts.isExportDeclaration(node) ? node.isTypeOnly : node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword
