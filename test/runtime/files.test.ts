/** Weights in files, packages, and what happens when they are damaged. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { writeFileAtomic } from '../../runtime/atomic-write.js'
import { FileFormatError, RuntimeError } from '../../runtime/contract/errors.js'
import { MANIFEST_FORMAT } from '../../runtime/contract/manifest.js'
import { loadPackage, loadPackageFrom, RUNTIME_ABI } from '../../runtime/load-package.js'
import { NDArray } from '../../runtime/ndarray.js'
import { decodeSafetensors, encodeSafetensors } from '../../runtime/safetensors.js'
import { fakeAddon } from './fake-native.js'
import type { FakeModule } from './fake-native.js'
import { tinyFunctions, tinyManifest, tinyModel, tinyX, tinyY } from './fake-models.js'

const folder = mkdtempSync(path.join(tmpdir(), 'kcc-runtime-'))
afterAll(() => rmSync(folder, { recursive: true }))
const at = (name: string): string => path.join(folder, name)
const join = (pieces: readonly Uint8Array[]): Buffer => Buffer.concat(pieces)

const sample = new Map([
  ['b', new NDArray(Uint8Array.of(1, 0, 1), [3], 'bool')], ['w:0', new NDArray(Float32Array.of(1, NaN, -0), [1, 3])],
  ['d', new NDArray(Float64Array.of(Math.PI), [])], ['i', new NDArray(Int32Array.of(-5), [1, 1])], ['none', new NDArray(new Float32Array(0), [0, 2])],
])

describe('safetensors', () => {
  it('come back as they were', () => {
    const { tensors, metadata } = decodeSafetensors(join(encodeSafetensors(sample, { a: 'b' })), 'f')
    expect(metadata).toEqual({ a: 'b' })
    expect(tensors.size).toBe(sample.size)
    for (const [name, { data, shape, dtype }] of sample) expect(tensors.get(name)).toMatchObject({ data, shape, dtype })
  })

  it('are read from any position in memory', () => {
    const bytes = join(encodeSafetensors(sample)), shifted = new Uint8Array(bytes.length + 1)
    shifted.set(bytes, 1)
    expect(decodeSafetensors(shifted.subarray(1), 'f').tensors.get('d')!.data[0]).toBe(Math.PI)
  })

  it('cut short anywhere are refused', () => {
    const bytes = join(encodeSafetensors(sample))
    for (let n = 0; n < bytes.length; n++) expect(() => decodeSafetensors(bytes.subarray(0, n), 'f')).toThrow(FileFormatError)
    expect(() => decodeSafetensors(Buffer.concat([bytes, Buffer.of(0)]), 'f')).toThrow('its arrays end at byte')
  })

  const withHeader = (header: unknown, data = 4): Buffer => {
    const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header)), length = Buffer.alloc(8)
    length.writeBigUInt64LE(BigInt(text.length))
    return Buffer.concat([length, text, Buffer.alloc(data)])
  }
  it.each<readonly [string, unknown, RegExp]>([
    ['no JSON', '{', /its header is not JSON/], ['a list', [], /its header is not an object/], ['metadata that are numbers', { __metadata__: { a: 1 } }, /metadata are not strings/],
    ['an unknown type', { a: { dtype: 'F8', shape: [4], data_offsets: [0, 4] } }, /a has the element type F8/],
    ['a negative size', { a: { dtype: 'F32', shape: [-1], data_offsets: [0, 4] } }, /a has the shape \[-1\]/],
    ['a size that overflows', { a: { dtype: 'F32', shape: [2 ** 40, 2 ** 40], data_offsets: [0, 4] } }, /a needs .* bytes and has 4/],
    ['offsets out of order', { a: { dtype: 'F32', shape: [1], data_offsets: [4, 0] } }, /a needs 4 bytes and has -4/],
    ['a hole', { a: { dtype: 'U8', shape: [1], data_offsets: [0, 1] }, b: { dtype: 'U8', shape: [1], data_offsets: [3, 4] } }, /b begins at byte 3 of the data where 1 was expected/],
    ['an overlap', { a: { dtype: 'U8', shape: [3], data_offsets: [0, 3] }, b: { dtype: 'U8', shape: [2], data_offsets: [2, 4] } }, /b begins at byte 2/],
    ['an entry that is a number', { a: 1 }, /the entry of a is not an object/],
  ])('%s is refused', (_what, header, message) => { expect(() => decodeSafetensors(withHeader(header), 'f')).toThrow(message) })
})

describe('weights in files', () => {
  it('are saved and loaded, with the optimizer when asked', async () => {
    const { model } = tinyModel()
    await model.fit(tinyX, tinyY, { verbose: 0, epochs: 2 })
    await model.saveWeights(at('w.safetensors'))
    await model.saveWeights(at('all.safetensors'), { optimizer: true })
    const plain = tinyModel(), full = tinyModel()
    await plain.model.loadWeights(at('w.safetensors'))
    await full.model.loadWeights(at('all.safetensors'))
    expect(plain.model.getWeights()).toEqual(model.getWeights())
    expect([plain, full].map(({ native }) => native.variables[4]![0])).toEqual([0, 2])
  })

  it('that do not fit change nothing', async () => {
    const { model } = tinyModel(), before = model.getWeights()
    const write = (change: (t: Map<string, NDArray>) => void): void => {
      const tensors = new Map(model.weightNames.map((n, i) => [n, before[i]!.shape.length === 1 ? NDArray.zeros(before[i]!.shape) : before[i]!]))
      change(tensors)
      writeFileSync(at('bad.safetensors'), join(encodeSafetensors(tensors)))
    }
    const refused: [(t: Map<string, NDArray>) => void, string][] = [
      [(t) => t.delete('dense_1/bias:0'), 'does not hold dense_1/bias:0'], [(t) => t.set('more', NDArray.zeros([1])), 'holds more, which the model tiny does not have'],
      [(t) => t.set('dense_2/bias:0', NDArray.zeros([3])), 'holds dense_2/bias:0 as float32 (3,), but the model has float32 (2,)'],
      [(t) => t.set('dense_2/bias:0', NDArray.zeros([2], 'float64')), 'as float64 (2,)'],
    ]
    for (const [change, message] of refused) {
      write(change)
      await expect(model.loadWeights(at('bad.safetensors'))).rejects.toThrow(message)
    }
    await expect(model.loadWeights(at('absent.safetensors'))).rejects.toThrow(FileFormatError)
    expect(model.getWeights()).toEqual(before)
    await model.predict(tinyX)
  })

  it('are written completely or not at all', async () => {
    const target = at('keep.bin')
    await writeFileAtomic(target, [Buffer.from('old')])
    await expect(writeFileAtomic(target, [Buffer.from('new'), null as unknown as Uint8Array])).rejects.toThrow()
    expect(readFileSync(target, 'utf8')).toBe('old')
    await expect(writeFileAtomic(at('no/such/folder/f'), [Buffer.from('x')])).rejects.toThrow('ENOENT')
    await writeFileAtomic(target, [Buffer.from('n'), Buffer.from('ew')])
    expect(readFileSync(target, 'utf8')).toBe('new')
    expect(readdirSync(folder).filter((f) => f.includes('.tmp'))).toEqual([])
  })
})

describe('packages', () => {
  const manifest = tinyManifest()
  it('open with weights of their own', async () => {
    await tinyModel().model.saveWeights(at('p.safetensors'), { optimizer: true })
    const addon = fakeAddon(manifest, tinyFunctions), [a, b] = [loadPackageFrom(addon, manifest, at('p.safetensors')), loadPackageFrom(addon, manifest, at('p.safetensors'))]
    a!.setWeights({ 'dense_2/bias:0': [9, 9] })
    expect([...b!.readVariable('dense_2/bias:0')]).toEqual([...tinyModel().model.readVariable('dense_2/bias:0')])
  })

  it('of another format, interface, CPU or build are refused', () => {
    const addon = fakeAddon(manifest, tinyFunctions)
    expect(() => loadPackageFrom(addon, { ...manifest, format: 1 as typeof MANIFEST_FORMAT }, null)).toThrow(`has format 1, but this runtime reads format ${MANIFEST_FORMAT}`)
    expect(() => loadPackageFrom({ ...addon, abi: 7 }, manifest, null)).toThrow(`interface version 7, but this runtime needs ${RUNTIME_ABI}`)
    // Of the version before there is no `describe`: asked for it, the module would fail with nothing a user could do.
    expect(() => loadPackageFrom({ ...addon, abi: 4 }, manifest, null)).toThrow(/interface version 4, but this runtime needs \d+\. Build the package again\./)
    expect(() => loadPackageFrom({ ...addon, level: '', levels: ['x86-64-v4'] }, manifest, null)).toThrow('was built for x86-64-v4, and this CPU supports none of these')
    expect(() => loadPackageFrom({ ...addon, modules: ['other'] }, manifest, null)).toThrow('holds other, not tiny')
  })

  it('with damaged weights free what they opened', () => {
    const opened: FakeModule[] = []
    writeFileSync(at('damaged.safetensors'), 'damaged')
    expect(() => loadPackageFrom(fakeAddon(manifest, tinyFunctions, opened), manifest, at('damaged.safetensors'))).toThrow(FileFormatError)
    expect(opened.map((m) => m.closed)).toEqual([true])
  })

  it('in folders that lack a part say which', () => {
    expect(() => loadPackage(folder)).toThrow('is not a package of kcc: it has no manifest.json')
    writeFileSync(at('manifest.json'), '{')
    expect(() => loadPackage(folder)).toThrow('is damaged')
    writeFileSync(at('manifest.json'), JSON.stringify(manifest))
    expect(() => loadPackage(folder)).toThrow(/the native file .*model\.node is missing/)
    writeFileSync(at('model.node'), 'not a library')
    expect(() => loadPackage(folder)).toThrow(RuntimeError)
    expect(() => loadPackage(folder)).toThrow(/cannot be loaded on/)
  })
})
