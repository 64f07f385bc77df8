import * as fs from 'node:fs'
import * as os from 'node:os'
import * as path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { checkTypes } from '../../compiler/trace/check.js'
import { inPackage } from '../../compiler/support/paths.js'
import { kcc } from '../cli/kcc.js'

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'kcc-trace-'))
const env = { KCC_CACHE_DIR: path.join(folder, 'cache') }
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))
beforeAll(() => {
  process.env['KCC_CACHE_DIR'] = env.KCC_CACHE_DIR
  for (const name of ['good.ts', 'helper.ts']) fs.copyFileSync(inPackage('test', 'trace', 'fixtures', name), path.join(folder, name))
  fs.copyFileSync(inPackage('test', 'trace', 'fixtures', 'wrong.ts.txt'), path.join(folder, 'wrong.ts'))
})
const write = (name: string, text: string): string => {
  fs.writeFileSync(path.join(folder, name), text)
  return path.join(folder, name)
}

test('a good file passes, with the files it imports', async () => {
  const { diagnostics, files } = await checkTypes(path.join(folder, 'good.ts'))
  expect(diagnostics).toEqual([])
  expect(files.map((file) => path.basename(file))).toEqual(['good.ts', 'helper.ts'])
})

test('a change in an imported file is noticed', async () => {
  const entry = write('uses.ts', "import { n } from './part.js'\nexport default n + 1\n")
  const part = write('part.ts', 'export const n = 1\n')
  expect((await checkTypes(entry)).diagnostics).toEqual([])
  fs.writeFileSync(part, "export const n: object = {}\n")
  expect((await checkTypes(entry)).diagnostics).toMatchObject([{ location: { file: entry, line: 2, column: 16 } }])
})

test("Node's types are there for files that use them, and for files whose imports do", async () => {
  const direct = write('direct.ts', "import { readFileSync } from 'node:fs'\nexport const n: string = readFileSync('x').length\n")
  write('reads.ts', "import { sep } from 'node:path'\nexport const separator = sep\n")
  const through = write('through.ts', "import { separator } from './reads.js'\nexport const n: number = separator\n")
  const clock = write('clock.ts', 'export const later: string = queueMicrotask\n')
  const messages = await Promise.all([direct, through, clock].map(async (file) => (await checkTypes(file)).diagnostics.map(({ message }) => message)))
  expect(messages).toEqual([
    ["Type 'number' is not assignable to type 'string'. [TS2322]"],
    ["Type 'string' is not assignable to type 'number'. [TS2322]"],
    ["Type '(callback: () => void) => void' is not assignable to type 'string'. [TS2322]"],
  ])
})

test('a type error has its place, its length, and what was expected', async () => {
  const { diagnostics } = await checkTypes(path.join(folder, 'wrong.ts'))
  expect(diagnostics.map(({ message, location, length }) => [message, location?.line, location?.column, length])).toEqual([
    ["Type 'string' is not assignable to type 'number'. [TS2322]", 3, 7, 4],
    ["Type 'string' is not assignable to type 'number'. [TS2322]", 4, 24, 5],
  ])
  expect(diagnostics[0]!.notes).toEqual(['expected: number\nfound:    string'])
})

test('a script runs with its imports and its own arguments, and stacks show its TypeScript lines', async () => {
  write('script.ts', [
    "import good, { place } from './good'",
    'interface Unused { a: number }',
    'console.log(JSON.stringify([good, process.argv.slice(2), place.includes("good.ts:8")]))', ''].join('\n'))
  const ran = await kcc(['run', 'script.ts', '--epochs', '3'], { cwd: folder, env })
  expect([ran.code, ran.stderr]).toEqual([0, ''])
  expect(JSON.parse(ran.stdout)).toEqual([{ name: 'good', answer: 42 }, ['--epochs', '3'], true])
})

test('a file without imports is a module too: it may await', async () => {
  write('awaits.ts', "console.log(await Promise.resolve('waited'))\n")
  expect(await kcc(['run', 'awaits.ts'], { cwd: folder, env })).toMatchObject({ code: 0, stdout: 'waited', stderr: '' })
})

test('type errors come before the run, as code frames; --no-check runs anyway', async () => {
  write('typed.ts', "const n: number = 'seven'\nconsole.log('ran', n)\n")
  const checked = await kcc(['run', 'typed.ts'], { cwd: folder, env })
  expect(checked).toMatchObject({ code: 1, stdout: '' })
  expect(checked.stderr).toContain("    typed.ts:1:7:\n      1 │ const n: number = 'seven'\n        ╵       ^\n")
  expect(checked.stderr).toContain('expected: number')
  expect(await kcc(['run', '--no-check', 'typed.ts'], { cwd: folder, env })).toMatchObject({ code: 0, stdout: 'ran seven' })
})

test("an error of the script shows the script's own lines", async () => {
  write('throws.ts', "type A = {\n  a: 1\n}\nfunction fails(): A {\n  throw new RangeError('too far')\n}\nfails()\n")
  const ran = await kcc(['run', '--no-check', 'throws.ts'], { cwd: folder, env })
  expect(ran.code).toBe(1)
  expect(ran.stderr).toContain('✘ [ERROR] RangeError: too far')
  expect(ran.stderr).toMatch(/at fails \(.*throws\.ts:5:9\)/)
})

test('a promise that was not awaited is reported too', async () => {
  write('late.ts', "void Promise.reject(new Error('late'))\n")
  const ran = await kcc(['run', '--no-check', 'late.ts'], { cwd: folder, env })
  expect(ran.code).toBe(1)
  expect(ran.stderr).toContain('✘ [ERROR] Error: late')
})
