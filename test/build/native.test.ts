import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import * as os from 'node:os'
import * as path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ToolchainError } from '../../runtime/contract/errors.js'
import { BuildCache } from '../../compiler/build/cache.js'
import { parseLevels } from '../../compiler/build/levels.js'
import { buildNative } from '../../compiler/build/native.js'
import type { NativeAddon } from '../../runtime/contract/native.js'
import { scaleModule } from './fixture.js'

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'kcc-build-'))
const cache = new BuildCache(path.join(folder, 'cache'))
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))

/** As the runtime loads a package's native file. */
function load(file: string): NativeAddon {
  const holder = { exports: {} as NativeAddon }
  process.dlopen(holder as unknown as NodeModule, file)
  return holder.exports
}

const scaled = (file: string): number[] => {
  const module = load(file).open('scale')
  const y = new Float32Array(4)
  module.call(0, [Float32Array.of(1, 2, 3, 4)], [y], [1])
  module.close()
  return [...y]
}

describe('a native file', () => {
  test('is built, computes, and comes from the cache the second time', async () => {
    const first = await buildNative(scaleModule(2), { cache })
    expect(first).toMatchObject({ cached: false, compiled: first.units })
    expect(scaled(first.file)).toEqual([2, 4, 6, 8])
    const second = await buildNative(scaleModule(2), { cache })
    expect(second).toMatchObject({ cached: true, compiled: 0, file: first.file })
    expect(second.seconds).toBeLessThan(0.5)
  })

  test('is linked from cached objects: only the changed source is compiled', async () => {
    const changed = await buildNative(scaleModule(3), { cache })
    expect(changed).toMatchObject({ cached: false, compiled: 1 })
    expect(scaled(changed.file)).toEqual([3, 6, 9, 12])
  })

  test('is linked again when the cache lost it but kept the objects', async () => {
    const { file } = await buildNative(scaleModule(2), { cache })
    fs.rmSync(file)
    expect(await buildNative(scaleModule(2), { cache })).toMatchObject({ cached: false, compiled: 0, file })
    expect(scaled(file)).toEqual([2, 4, 6, 8])
  })

  test('that was damaged in the cache is not loaded but made again', async () => {
    const { file } = await buildNative(scaleModule(5), { cache })
    fs.appendFileSync(file, 'x')
    const again = await buildNative(scaleModule(5), { cache })
    expect(again.cached).toBe(false)
    expect(scaled(again.file)).toEqual([5, 10, 15, 20])
  })

  test('leaves no work folder behind', () => {
    expect(fs.readdirSync(path.join(cache.folder, 'work'))).toEqual([])
  })
})

describe.runIf(process.arch === 'x64')('CPU levels', () => {
  const levels = parseLevels('x86-64-v2,x86-64-v4,x86-64-v3')
  let file = ''
  beforeAll(async () => {
    file = (await buildNative(scaleModule(2), { cache, levels })).file
  })

  test('are all in the file, best first, and one is chosen', () => {
    const addon = load(file)
    expect(addon.levels).toEqual(['x86-64-v4', 'x86-64-v3', 'x86-64-v2'])
    expect(addon.levels).toContain(addon.level)
    expect(scaled(file)).toEqual([2, 4, 6, 8])
  })

  test('share no code: a weak symbol would let one level run code of a higher one', () => {
    const objects = fs.readdirSync(path.join(cache.folder, 'objects')).filter((name) => name.endsWith('.o'))
    const weak = objects.map((name) => path.join(cache.folder, 'objects', name))
      .map((object) => execFileSync('nm', ['-C', object], { encoding: 'utf8' }))
      .filter((symbols) => symbols.includes('kcc_features_') && !symbols.includes('kcc_levels'))
      .flatMap((symbols) => symbols.split('\n').filter((line) => /^\S* [WV] /.test(line)))
    expect(weak).toEqual([])
  })
})

describe('a compiler that fails', () => {
  const broken = () => ({ ...scaleModule(2), files: [...scaleModule(2).files, { name: 'broken.cc', perLevel: true, text: 'int f() { return nothing; }\n' }] })

  test('is reported with the command, the first error, the kept source and the next step', async () => {
    const error = await buildNative(broken(), { cache }).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(ToolchainError)
    const { message, log } = error as ToolchainError
    expect(message).toMatch(/first error: .*broken\.cc:1:\d+: error: .*nothing/)
    expect(message).toMatch(/command: .* -c .*broken\.cc/)
    expect(message).toContain('next step:')
    expect(log).toContain('broken.cc')
    const kept = /source kept: +(\S+)/.exec(message)![1]!
    expect(fs.readFileSync(kept, 'utf8')).toContain('return nothing')
  })

  test('does not hinder the next build, and its sound objects were kept', async () => {
    const { compiled } = await buildNative({ ...broken(), files: [...broken().files.slice(0, -1), { name: 'broken.cc', perLevel: true, text: 'int KCC_LEVEL_f() { return 1; }\n' }] }, { cache })
    expect(compiled).toBe(1)
  })

  test('that is missing is named with how to install it', async () => {
    process.env['KCC_CXX'] = '/nonexistent/c++'
    try {
      await expect(buildNative(scaleModule(2), { cache })).rejects.toThrow(/KCC_CXX is "\/nonexistent\/c\+\+".*\n.*apt-get install g\+\+/)
    } finally {
      delete process.env['KCC_CXX']
    }
  })
})

test('names of sources cannot reach CMake unless they are plain', async () => {
  for (const name of ['a b.cc', '../x.cc', 'a;b.cc', '$(x).cc', '-x.cc', 'x.cpp', 'x\n.cc']) {
    await expect(buildNative({ ...scaleModule(2), files: [{ name, perLevel: false, text: '' }] }, { cache })).rejects.toThrow('Not a name')
  }
})

test('a cache that everyone can write is refused', () => {
  const open = path.join(folder, 'open')
  fs.mkdirSync(open)
  fs.chmodSync(open, 0o777)
  expect(() => new BuildCache(open).workFolder()).toThrow('can be written by everyone')
})

test('two builds of the same sources at once do not disturb each other', async () => {
  const builds = await Promise.all([buildNative(scaleModule(7), { cache }), buildNative(scaleModule(7), { cache })])
  expect(new Set(builds.map((b) => b.file)).size).toBe(1)
  expect(scaled(builds[0].file)).toEqual([7, 14, 21, 28])
})
