/** Builds that cannot succeed or are killed: a clear message and exit code, and never a half-written file. */
import { spawn } from 'node:child_process'
import * as fs from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { filesBelow } from '../../compiler/support/files.js'
import { inPackage } from '../../compiler/support/paths.js'
import { lastJson, numbersText, openWorkshop, sharedCache, smallModel, type BuildReport } from './workshop.js'
import { MANIFEST_FORMAT } from '../../runtime/contract/manifest.js'

const shop = openWorkshop('build-errors')
afterAll(() => {
  fs.rmSync(shop.path('locked'), { recursive: true, force: true })
  shop.remove()
})

/** Loads a package and prints its prediction of two samples. */
const use = `${numbersText}
const { predictSync } = await import(process.argv[2] + '/index.mjs')
console.log(JSON.stringify(Array.from(predictSync(numbers(24)).data)))
`
const predictionOf = async (folder: string): Promise<number[]> => lastJson<number[]>(await shop.node([shop.path('use.mjs'), folder]))
const dist = shop.path('dist', 'small')
let sound: number[]

beforeAll(async () => {
  shop.write('small.ts', smallModel())
  shop.write('changed.ts', smallModel(17))
  shop.write('use.mjs', use)
  await shop.kccJson<BuildReport>(['build', 'small.ts'])
  sound = await predictionOf(dist)
})

const script = (name: string, body: string): string => {
  const file = shop.write(name, `#!/bin/sh\n${body}\n`)
  fs.chmodSync(file, 0o755)
  return file
}

describe('a compiler that', () => {
  const rebuild = (env: Record<string, string>) => shop.kcc(['build', 'changed.ts', '--no-check', '--out', dist, '--force'], { KCC_CACHE_DIR: shop.path('fresh-cache'), ...env })

  test('fails: its message, the kept source and the next step are shown', async () => {
    const ran = await rebuild({ KCC_CXX: script('failing-c++', 'echo "model.cc:1:1: error: I refuse" >&2\nexit 1') })
    expect([ran.code, ran.stdout]).toEqual([3, ''])
    expect(ran.stderr).toMatch(/✘ \[ERROR\] ToolchainError: The C\+\+ compiler failed\./)
    expect(ran.stderr).toMatch(/source kept: {2}\S+/)
    expect(ran.stderr).toMatch(/next step: {4}\S+/)
    const kept = /source kept: {2}(\S+)/.exec(ran.stderr)![1]!
    expect(fs.existsSync(kept)).toBe(true)
    expect(await predictionOf(dist)).toEqual(sound)
  })

  test('dies', async () => {
    const ran = await rebuild({ KCC_CXX: script('dying-c++', 'kill -9 $$') })
    expect(ran.code).toBe(3)
    expect(ran.stderr).toContain('The C++ compiler failed.')
    expect(await predictionOf(dist)).toEqual(sound)
  })

  test('is missing: how to get it', async () => {
    const ran = await rebuild({ PATH: '/nonexistent' })
    expect(ran.code).toBe(3)
    expect(ran.stderr).toContain('No C++ compiler (c++, g++ or clang++) was found on PATH.')
    expect(ran.stderr).toContain('apt-get install g++')
    expect(ran.stderr).toContain('kcc doctor')
  })

  test('is named but not there', async () => {
    const ran = await rebuild({ KCC_CXX: '/nonexistent/c++' })
    expect(ran.code).toBe(3)
    expect(ran.stderr).toContain('KCC_CXX is "/nonexistent/c++", which is not an executable file.')
  })

  test('fails for a model of a script: the script can catch it, and go on with the next model', async () => {
    shop.write('script.ts', `import { Dense, Sequential } from 'kcc'
const make = (units: number) => Sequential([Dense(units, { inputShape: [3] })])
process.env['KCC_CXX'] = '/nonexistent/c++'
const model = make(5)
try { await model.predict([[1, 2, 3]]) } catch (error) { console.log((error as Error).name) }
delete process.env['KCC_CXX']
const again = await model.predict([[1, 2, 3]])
console.log(JSON.stringify({ shape: Array.isArray(again) ? null : again.shape }))
`)
    const ran = await shop.kcc(['run', '--no-check', 'script.ts'])
    expect([ran.code, ran.stderr]).toEqual([0, ''])
    expect(ran.stdout.split('\n')).toEqual(['ToolchainError', '{"shape":[1,5]}'])
  })
})

describe('a folder that cannot be written', () => {
  test('is named, and nothing is left in it', async () => {
    // A file where a folder is needed stops root as well, which permissions do not.
    shop.write('locked/blocked', 'a file')
    const ran = await shop.kcc(['build', 'small.ts', '--no-check', '--out', shop.path('locked/blocked/small')])
    expect(ran.code).toBe(1)
    expect(ran.stderr).toMatch(/blocked/)
    expect(filesBelow(shop.path('locked'))).toEqual(['blocked'])
  })

  const isRoot = process.getuid?.() === 0
  if (isRoot) console.log('skipped: an output folder without permission, because root may write anywhere')
  test.skipIf(isRoot)('for want of permission', async () => {
    fs.mkdirSync(shop.path('read-only'), { mode: 0o500 })
    const ran = await shop.kcc(['build', 'small.ts', '--no-check', '--out', shop.path('read-only/small')])
    expect(ran.code).toBe(1)
    expect(ran.stderr).toMatch(/EACCES|read-only/)
    expect(fs.readdirSync(shop.path('read-only'))).toEqual([])
  })

  test('a cache that everyone can write is refused', async () => {
    fs.mkdirSync(shop.path('open-cache'))
    fs.chmodSync(shop.path('open-cache'), 0o777)
    const ran = await shop.kcc(['build', 'changed.ts', '--no-check', '--out', shop.path('never')], { KCC_CACHE_DIR: shop.path('open-cache') })
    expect(ran.code).toBe(1)
    expect(ran.stderr).toContain('can be written by everyone')
    expect(shop.exists('never')).toBe(false)
  })
})

describe('a package', () => {
  const damaged = (name: string, change: (folder: string) => void): string => {
    const folder = shop.path('damaged', name)
    fs.cpSync(dist, folder, { recursive: true })
    change(folder)
    return folder
  }
  const replace = (file: string, edit: (bytes: Buffer) => Uint8Array): void => fs.writeFileSync(file, edit(fs.readFileSync(file)))

  test.each([
    ['without its native file', 'no-native', (f: string) => fs.rmSync(`${f}/model.node`), /the native file .* is missing/],
    ['with half a native file', 'half-native', (f: string) => replace(`${f}/model.node`, (b) => b.subarray(0, 65536)), /model\.node is damaged or of another build: expected \d+ bytes .*, found 65536 bytes/],
    ['with a native file of another build', 'other-native', (f: string) => replace(`${f}/model.node`, (b) => { b[b.length >> 1]! ^= 1; return b }), /model\.node is damaged or of another build/],
    ['with half its weights', 'half-weights', (f: string) => replace(`${f}/weights.safetensors`, (b) => b.subarray(0, b.length - 8)), /weights\.safetensors/],
    ['with weights of another model', 'other-weights', (f: string) => replace(`${f}/weights.safetensors`, (b) => Buffer.from(b.toString('latin1').replace('dense_1/kernel', 'dense_9/kernel'), 'latin1')), /dense_1\/kernel|dense_9\/kernel/],
    ['with a damaged manifest', 'bad-manifest', (f: string) => replace(`${f}/manifest.json`, (b) => b.subarray(0, 100)), /manifest\.json is damaged/],
    ['of a later format', 'later', (f: string) => replace(`${f}/manifest.json`, (b) => Buffer.from(b.toString().replace(`"format": ${MANIFEST_FORMAT}`, `"format": ${MANIFEST_FORMAT + 1}`))), new RegExp(`format ${MANIFEST_FORMAT + 1}, but this runtime reads format ${MANIFEST_FORMAT}`)],
  ])('%s is refused', async (_, name, change, message) => {
    const folder = damaged(name, change)
    const ran = await shop.node([shop.path('use.mjs'), folder])
    expect(ran.code).toBe(1)
    expect(ran.stderr).toMatch(message)
  })

  test('for another CPU is refused before any of its code runs', async () => {
    // A compiler that makes the question for each CPU feature answer no stands in for an older CPU.
    const older = script('older-cpu-c++', `for file; do case "$file" in */kcc_levels.cc) sed -i 's/__builtin_cpu_supports("[^"]*")/0/' "$file";; esac; done\nexec c++ "$@"`)
    const built = await shop.kcc(['build', 'small.ts', '--no-check', '--out', shop.path('other-cpu')], { KCC_CXX: older, KCC_CACHE_DIR: shop.path('older-cache') })
    expect([built.code, built.stderr]).toEqual([0, ''])
    const ran = await shop.node([shop.path('use.mjs'), shop.path('other-cpu')])
    expect(ran.code).toBe(1)
    expect(ran.stderr).toMatch(/holds kernels for native, and this CPU runs none of them \(it has [^)]*\)/)
    expect(ran.stderr).toMatch(/build the package there, or with `--cpu`/)
  })
})

describe('kill -9', () => {
  /** Starts Node on `args`, kills it after `delay` ms, and says whether it was still running. */
  const killed = (args: readonly string[], delay: number, env: Record<string, string> = {}): Promise<boolean> => new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: shop.folder, stdio: 'ignore', env: { ...process.env, ...env } })
    const timer = setTimeout(() => child.kill('SIGKILL'), delay)
    child.on('error', reject)
    child.on('exit', (_code, signal) => { clearTimeout(timer); resolve(signal === 'SIGKILL') })
  })
  const main = inPackage('build', 'compiler', 'cli', 'main.js')

  test('during a build leaves the old package or the new one', async () => {
    const target = shop.path('killed', 'small'), env = { KCC_CACHE_DIR: sharedCache }
    await shop.kccJson<BuildReport>(['build', 'small.ts', '--no-check', '--out', target], env)
    const [before, models] = [await predictionOf(target), ['changed.ts', 'small.ts']]
    let interrupted = 0
    // The steps of a build that only links: check, trace, write; and of one that compiles.
    for (const [i, delay] of [150, 300, 450, 600, 900, 1300].entries()) {
      if (await killed([main, 'build', models[i % 2]!, '--no-check', '--out', target, ...(i > 3 ? ['--force'] : [])], delay, env)) interrupted++
      expect(await predictionOf(target), `killed after ${delay} ms`).toHaveLength(before.length)
    }
    expect(interrupted).toBeGreaterThan(0)
    // What was left beside the package, and half-done objects, do not harm the next build.
    const again = await shop.kccJson<BuildReport>(['build', 'small.ts', '--no-check', '--out', target], env)
    expect(again.packages).toHaveLength(1)
    expect(await predictionOf(target)).toEqual(before)
  })

  test('while a model is saved leaves the old file or the new one, whole', async () => {
    // Saves versions 1, 2, 3, … of a model over one file, each weight of a version being its number.
    shop.write('saver.ts', `import { Dense, Sequential } from 'kcc'
const model = Sequential([Dense(256, { inputShape: [256], name: 'big' })])
for (let version = 1; ; version++) {
  model.setWeights([{ data: new Float32Array(65536).fill(version), shape: [256, 256] }, { data: new Float32Array(256).fill(version), shape: [256] }])
  await model.save('saved.h5')
  console.log(version)
}
`)
    shop.write('reader.ts', `import { loadModel } from 'kcc'
const model = await loadModel('saved.h5', { compile: false })
const [kernel, bias] = model.getWeights()
console.log(JSON.stringify({ version: bias!.data[0], whole: kernel!.data.every((v) => v === bias!.data[0]) && bias!.data.every((v) => v === bias!.data[0]) }))
`)
    const versions: number[] = []
    for (const delay of [1, 8, 15, 22, 29]) {
      const saved = await saveUntilKilled(delay)
      const report = lastJson<{ version: number; whole: boolean }>(await shop.kcc(['run', '--no-check', 'reader.ts']))
      expect(report.whole, `killed ${delay} ms after version ${saved}`).toBe(true)
      expect(report.version).toBeGreaterThanOrEqual(saved)
      versions.push(report.version)
    }
    console.log(`versions found after kill -9 while saving: ${versions.join(', ')}`)
  })

  /** Kills the saver `delay` ms after it has said that it saved a version, and returns the last one it said. */
  const saveUntilKilled = (delay: number): Promise<number> => new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [main, 'run', '--no-check', 'saver.ts'], { cwd: shop.folder, stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, KCC_CACHE_DIR: sharedCache } })
    let said = ''
    child.stdout.on('data', (bytes: Buffer) => {
      if (said === '') setTimeout(() => child.kill('SIGKILL'), delay)
      said += bytes.toString()
    })
    child.on('error', reject)
    child.on('close', (_code, signal) => {
      const last = Number(said.trim().split('\n').at(-1))
      if (signal === 'SIGKILL' && last > 0) resolve(last)
      else reject(new Error(`the saver ended by itself: ${said}`))
    })
  })
})

describe('a damaged .h5', () => {
  test('is refused with its name: cut short, overwritten, empty, and no .h5 at all', async () => {
    shop.write('make.ts', "import model from './small.js'\nawait model.save('whole.h5')\nawait model.saveWeights('weights.h5')\n")
    expect((await shop.kcc(['run', '--no-check', 'make.ts'])).code).toBe(0)
    const whole = fs.readFileSync(shop.path('whole.h5'))
    const garbage = Buffer.from(whole)
    garbage.fill(0xa5, 64, 2048)
    for (const [name, bytes] of [['cut', whole.subarray(0, Math.floor(whole.length * 0.6))], ['garbage', garbage], ['empty', Buffer.alloc(0)], ['text', Buffer.from('this is no model')]] as const) shop.write(`${name}.h5`, bytes)
    shop.write('load.ts', `import { loadModel } from 'kcc'
import model from './small.js'
const kept = model.getWeights().map((w) => w.data.join())
for (const name of ['cut', 'garbage', 'empty', 'text', 'nowhere']) {
  const attempts = [() => loadModel(name + '.h5'), () => model.loadWeights(name + '.h5')]
  for (const attempt of attempts) try { await attempt(); console.log(name, 'accepted') } catch (error) { console.log(name, (error as Error).name, (error as Error).message.includes(name + '.h5')) }
}
try { await loadModel('weights.h5') } catch (error) { console.log((error as Error).name, (error as Error).message.slice(0, 29)) }
const again = await loadModel('whole.h5')
console.log(model.getWeights().every((w, i) => w.data.join() === kept[i]), again.getWeights().every((w, i) => w.data.join() === kept[i]))
`)
    const ran = await shop.kcc(['run', '--no-check', 'load.ts'])
    expect([ran.code, ran.stderr]).toEqual([0, ''])
    const refused = (name: string, kind: string): string[] => [`${name} ${kind} true`, `${name} ${kind} true`]
    expect(ran.stdout.split('\n')).toEqual([
      ...['cut', 'garbage', 'empty', 'text'].flatMap((name) => refused(name, 'FileFormatError')), ...refused('nowhere', 'Error'),
      'ValueError No model found in config file', 'true true',
    ])
  })
})
