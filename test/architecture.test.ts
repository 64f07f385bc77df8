/** The code is built as the README says: who imports whom, how long things are, what is nowhere. */
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import { environmentVariables } from '../compiler/support/env.js'
import { importsOf, parse, read, repositoryFiles, typescriptFiles } from './architecture/files.js'
import { readRooms, roomOf, shortName, targetName, violation } from './architecture/rooms.js'

const product = typescriptFiles('compiler', 'runtime')
const written = [...product, ...typescriptFiles('examples', 'test')]
const rooms = readRooms()
const imports = written.flatMap(importsOf)

describe('imports', () => {
  test('follow the rooms table', () => {
    expect(imports.map((i) => violation(rooms, i)).filter((v) => v !== null)).toEqual([])
  })

  test('the table has no room that is not there, and no right that nobody uses', () => {
    const files = repositoryFiles()
    expect(rooms.filter((room) => !files.some((file) => file.startsWith(room.path))).map((room) => room.path)).toEqual([])
    const used = new Set(imports.map((i) => `${roomOf(rooms, i.from)!.path} → ${targetName(rooms, i.to)!}`))
    const unused = rooms.flatMap(({ path, allowed }) => allowed.map(({ name }) => `${path} → ${name}`)).filter((right) => !right.endsWith('*') && !used.has(right))
    expect(unused).toEqual([])
  })

  test('go upwards in the table, so that rooms cannot depend on each other in a circle', () => {
    const order = rooms.map(shortName)
    const downwards = rooms.flatMap((room, i) => room.allowed.filter(({ name }) => order.indexOf(name) >= i).map(({ name }) => `${room.path} → ${name}`))
    expect(downwards).toEqual([])
  })

  test('make no circle of files', () => {
    const targets = new Map(product.map((file) => [file, imports.filter((i) => i.from === file && !i.typesOnly && product.includes(i.to)).map((i) => i.to)]))
    expect(circles(targets)).toEqual([])
  })

  test('of the runtime are its own files and Node', () => {
    const foreign = imports.filter(({ from, to }) => from.startsWith('runtime/') && !to.startsWith('runtime/') && !to.startsWith('node:'))
    expect(foreign).toEqual([])
  })

  test('of examples are packages by their names', () => {
    expect(imports.filter(({ from, to }) => from.startsWith('examples/') && (to.startsWith('compiler/') || to.startsWith('runtime/')))).toEqual([])
  })
})

/** Every file that can reach itself. */
function circles(targets: ReadonlyMap<string, readonly string[]>): string[] {
  const reaches = (from: string): Set<string> => {
    const seen = new Set<string>(), open = [...targets.get(from)!]
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (!seen.has(next)) open.push(...targets.get(next)!)
      seen.add(next)
    }
    return seen
  }
  return [...targets.keys()].filter((file) => reaches(file).has(file))
}

describe('shared code asks the record, never for an op by name', () => {
  const shared = ['passes', 'lower', 'schedule', 'plan', 'emit'].flatMap((room) => typescriptFiles(`compiler/${room}`))

  test.each(shared)('%s', (file) => {
    expect(nodesOf(file).filter(comparesOp).map((node) => node.getText())).toEqual([])
  })

  /** `x.op === …`, `switch (x.op)`, `set.has(x.op)`: with anything, on either side. */
  function comparesOp(node: ts.Node): boolean {
    if (ts.isBinaryExpression(node)) return /^[!=]==?$/.test(node.operatorToken.getText()) && [node.left, node.right].some(isOp)
    if (ts.isSwitchStatement(node)) return isOp(node.expression)
    return ts.isCallExpression(node) && /\b(has|includes|opNamed)$/.test(node.expression.getText()) && node.arguments.some(isOp)
  }

  const isOp = (node: ts.Node): boolean => ts.isPropertyAccessExpression(node) && node.name.text === 'op'
})

function nodesOf(file: string): ts.Node[] {
  const found: ts.Node[] = []
  const visit = (node: ts.Node): void => { found.push(node); ts.forEachChild(node, visit) }
  visit(parse(file))
  return found
}

describe('sizes', () => {
  const handWritten = repositoryFiles().filter((file) => /\.(ts|cc|h|hbs|inc)$/.test(file) && !file.includes('/golden/'))

  test('no file is longer than 400 lines', () => {
    const long = handWritten.map((file) => ({ file, lines: read(file).split('\n').length - 1 })).filter(({ lines }) => lines > 400)
    expect(long).toEqual([])
  })

  test('half of the functions with a body have at most 12 lines, nine in ten at most 40, none more than 80', () => {
    const lengths = product.flatMap(functionLengths).sort((a, b) => a.lines - b.lines)
    const at = (share: number): number => lengths[Math.floor(share * lengths.length)]!.lines
    expect(at(0.5)).toBeLessThanOrEqual(12)
    expect(at(0.9)).toBeLessThanOrEqual(40)
    expect(lengths.filter(({ lines }) => lines > 80)).toEqual([])
  })

  function functionLengths(file: string): { readonly name: string; readonly lines: number }[] {
    return nodesOf(file).filter((node) => ts.isFunctionLike(node) && 'body' in node && node.body !== undefined && ts.isBlock(node.body as ts.Node)).map((node) => {
      const source = node.getSourceFile()
      const line = (position: number): number => source.getLineAndCharacterOfPosition(position).line
      return { name: `${file}:${line(node.getStart()) + 1}`, lines: line(node.end) - line(node.getStart()) + 1 }
    })
  }
})

describe('nowhere', () => {
  test('is `any`', () => {
    expect(written.filter((file) => nodesOf(file).some((node) => node.kind === ts.SyntaxKind.AnyKeyword))).toEqual([])
  })

  // Written so that this file does not contain what it looks for.
  const marks = new RegExp(['@ts-' + 'ignore', '@ts-' + 'nocheck', '@ts-' + 'expect-error', '\\bTO' + 'DO\\b', '\\bFIX' + 'ME\\b', '\\.only' + '\\('].join('|'))
  test('is a switched-off check, a promise for later or a test that runs alone', () => {
    const sources = repositoryFiles().filter((file) => /\.(ts|cc|h|hbs)$/.test(file))
    expect(sources.filter((file) => marks.test(read(file)))).toEqual([])
  })

  test('is a path of one machine or a host of a registry', () => {
    const texts = repositoryFiles().filter((file) => !/\.(npz|npy|h5|png|idx|gz|safetensors)$/.test(file))
    const place = new RegExp(['/(work|home|Users)' + '/[A-Za-z]', 'registry\\.[a-z]+' + '\\.', '"resol' + 'ved":', 'ssh:' + '//'].join('|'))
    expect(texts.filter((file) => place.test(read(file)))).toEqual([])
  })
})

test('every environment variable of `kcc --help` changes something', () => {
  const sources = repositoryFiles().filter((file) => /^(compiler|runtime|native)\//.test(file) && file !== 'compiler/support/env.ts').map(read).join('\n')
  const unread = environmentVariables.filter(({ name }) => !new RegExp(`(enabled|setting|getenv)\\(['"]${name}['"]|env\\[?\\.?['"]?${name}`).test(sources))
  expect(unread.map(({ name }) => name)).toEqual([])
})
