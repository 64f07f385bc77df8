/** Everything that users can import says what it is. */
import ts from 'typescript'
import { expect, test } from 'vitest'
import { root } from '../architecture/files.js'

const entries = ['compiler/index.ts', 'runtime/index.ts']
const program = ts.createProgram(entries.map((file) => `${root}/${file}`), {
  target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.NodeNext, strict: true, skipLibCheck: true, noEmit: true, types: ['node'],
})
const checker = program.getTypeChecker()

/** Names of exported functions, classes and constants without a doc comment; those of a namespace as `namespace.name`. */
function undocumented(module: ts.Symbol, prefix = ''): string[] {
  return checker.getExportsOfModule(module).flatMap((exported) => {
    const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported
    if (symbol.flags & ts.SymbolFlags.ValueModule) return undocumented(symbol, `${prefix}${exported.name}.`)
    const isValue = (symbol.flags & ts.SymbolFlags.Value) !== 0
    return isValue && ts.displayPartsToString(symbol.getDocumentationComment(checker)) === '' ? [`${prefix}${exported.name}`] : []
  })
}

test.each(entries)('%s', (file) => {
  expect(undocumented(checker.getSymbolAtLocation(program.getSourceFile(`${root}/${file}`)!)!)).toEqual([])
})
