import * as fs from 'node:fs'
import * as os from 'node:os'
import * as path from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { environmentVariables, describeEnvironment, enabled, setting } from '../../compiler/support/env.js'
import { filesBelow, replaceFolder, writeFileAtomic } from '../../compiler/support/files.js'
import { stampHolds, stampOf } from '../../compiler/support/fingerprint.js'
import { hashParts, sha256 } from '../../compiler/support/hash.js'
import { cacheFolder, displayPath, inPackage, kccVersion } from '../../compiler/support/paths.js'

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'kcc-support-'))
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))
const at = (...parts: string[]): string => path.join(folder, ...parts)

test('a file is written whole, with its folders, and nothing else is left', () => {
  writeFileAtomic(at('a', 'b', 'file'), 'one')
  writeFileAtomic(at('a', 'b', 'file'), 'two')
  expect(fs.readFileSync(at('a', 'b', 'file'), 'utf8')).toBe('two')
  expect(fs.readdirSync(at('a', 'b'))).toEqual(['file'])
})

test('a write that fails keeps the old content and leaves nothing beside it', () => {
  fs.mkdirSync(at('blocked', 'target'), { recursive: true })
  fs.writeFileSync(at('blocked', 'target', 'inside'), 'old')
  expect(() => writeFileAtomic(at('blocked', 'target'), 'new')).toThrow()
  expect(filesBelow(at('blocked'))).toEqual(['target/inside'])
})

test('a folder takes the place of another', () => {
  for (const name of ['old', 'new']) writeFileAtomic(at('swap', name, 'file'), name)
  replaceFolder(at('swap', 'new'), at('swap', 'old'))
  expect(filesBelow(at('swap'))).toEqual(['old/file'])
  expect(fs.readFileSync(at('swap', 'old', 'file'), 'utf8')).toBe('new')
})

test('a folder that cannot be replaced stays', () => {
  writeFileAtomic(at('stay', 'old', 'file'), 'old')
  expect(() => replaceFolder(at('stay', 'missing'), at('stay', 'old'))).toThrow()
  expect(filesBelow(at('stay'))).toEqual(['old/file'])
})

test('keys depend on where parts begin and end', () => {
  expect(hashParts(['ab', 'c'])).not.toBe(hashParts(['a', 'bc']))
  expect(hashParts(['a', ''])).not.toBe(hashParts(['a']))
  expect(sha256('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
})

test('a stamp holds until a file changes or goes', () => {
  writeFileAtomic(at('stamped'), '1')
  const stamp = stampOf([at('stamped')])
  expect(stampHolds(stamp)).toBe(true)
  writeFileAtomic(at('stamped'), '2')
  expect(stampHolds(stamp)).toBe(false)
  fs.rmSync(at('stamped'))
  expect(stampHolds(stamp)).toBe(false)
})

test('the package is found from its sources', () => {
  expect(kccVersion).toBe((JSON.parse(fs.readFileSync(inPackage('package.json'), 'utf8')) as { version: string }).version)
  expect(fs.existsSync(inPackage('compiler', 'support', 'paths.ts'))).toBe(true)
})

test('paths inside the working folder are shown relative', () => {
  expect(displayPath('/a/b/c.ts', '/a')).toBe('b/c.ts')
  expect(displayPath('/other/c.ts', '/a')).toBe('/other/c.ts')
})

test('the cache is where KCC_CACHE_DIR says, else in the project, else at home', () => {
  const before = process.env['KCC_CACHE_DIR']
  delete process.env['KCC_CACHE_DIR']
  fs.mkdirSync(at('project', 'node_modules'), { recursive: true })
  fs.mkdirSync(at('project', 'src'))
  expect(cacheFolder(at('project', 'src'))).toBe(at('project', 'node_modules', '.cache', 'kcc'))
  expect(cacheFolder('/')).toBe(path.join(os.homedir(), '.cache', 'kcc'))
  process.env['KCC_CACHE_DIR'] = at('elsewhere')
  expect(cacheFolder(at('project'))).toBe(at('elsewhere'))
  if (before === undefined) delete process.env['KCC_CACHE_DIR']
  else process.env['KCC_CACHE_DIR'] = before
})

test('switches are off when unset, empty, 0 or false', () => {
  const states = [undefined, '', '0', 'false', '1', 'yes'].map((value) => {
    if (value === undefined) delete process.env['KCC_KEEP']
    else process.env['KCC_KEEP'] = value
    return [enabled('KCC_KEEP'), setting('KCC_KEEP')]
  })
  delete process.env['KCC_KEEP']
  expect(states).toEqual([[false, undefined], [false, undefined], [false, '0'], [false, 'false'], [true, '1'], [true, 'yes']])
})

test('every variable that the sources read is in the table', () => {
  const texts = ['compiler', 'runtime', 'native'].flatMap((room) => filesBelow(inPackage(room)).map((file) => fs.readFileSync(inPackage(room, file), 'utf8')))
  const used = texts.flatMap((text) => [...text.matchAll(/(?:env\[?\.?['"]?|getenv\(")(KCC_[A-Z_]+)/g)].map((m) => m[1]!))
  const known = environmentVariables.map((v) => v.name)
  expect(used.filter((name) => !known.includes(name))).toEqual([])
  for (const name of known) expect(describeEnvironment()).toContain(name)
})
