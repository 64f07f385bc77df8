/** Files of what was measured on GPUs, and the words that a model is told of them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { FileFormatError } from '../../runtime/contract/errors.js'
import { applyTuned, readTuned, TUNED_FORMAT } from '../../runtime/tuned.js'
import type { ProductChoice } from '../../runtime/tuned.js'
import { tinyFunctions, tinyManifest } from './fake-models.js'
import { FakeModule } from './fake-native.js'

const folder = mkdtempSync(join(tmpdir(), 'kcc-tuned-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

class OnGpu extends FakeModule {
  read: string | null = null
  constructor(readonly name = 'GPU, 9.0') { super(tinyManifest(), tinyFunctions) }
  override describe(): string | null { return this.name }
  override readChoices(text?: string): void { this.read = text ?? null }
}

class Lost extends OnGpu {
  override describe(): string { throw new Error('the GPU is lost') }
}

const byLibrary: ProductChoice = { kernel: 'k', rows: 1, columns: 2, terms: 3, by: 'library', library: 'cublaslt', algorithm: '0'.repeat(128), workspace: 0, ownNanoseconds: 20, libraryNanoseconds: 10, why: '' }
const slower: ProductChoice = { ...byLibrary, by: 'own', algorithm: '-', ownNanoseconds: 10, libraryNanoseconds: 20 }
const byWindows: ProductChoice = { ...byLibrary, library: 'cudnn', by: 'library, then end' }
const untimed: ProductChoice = { ...slower, ownNanoseconds: 0, libraryNanoseconds: 0, why: 'there was no time left to measure it' }

function fileOf(content: unknown): string {
  const file = join(folder, 'tuned.json')
  writeFileSync(file, JSON.stringify(content))
  return file
}
const measured = (cublaslt: number, ...products: ProductChoice[]): string => fileOf({ format: TUNED_FORMAT, gpus: [{ gpu: 'GPU, 9.0', cublaslt, cudnn: 92400, products }] })

const own = 'kernels of kcc compute all products: '
const words: readonly (readonly [what: string, file: () => string, said: string])[] = [
  ['there is a file', () => join(folder, 'none.json'), `${own}\`kcc tune\` has measured nothing on GPU, 9.0`],
  ['a library was faster', () => measured(130101, byLibrary, slower), 'cuBLASLt 13.1.1, where it is installed, is to compute 1 of 2 products that were measured on GPU, 9.0'],
  ['two libraries were', () => measured(130101, byLibrary, byWindows, byLibrary, slower), 'cuBLASLt 13.1.1 and cuDNN 9.24.0, where they are installed, are to compute 2 and 1 of 4 products that were measured on GPU, 9.0'],
  ['only the other was', () => measured(130101, slower, byWindows), 'cuDNN 9.24.0, where it is installed, is to compute 1 of 2 products that were measured on GPU, 9.0'],
  ['none was', () => measured(130101, slower, slower), `${own}they were the fastest on GPU, 9.0`],
  ['there was no library', () => measured(0, { ...untimed, why: 'there is no cuBLASLt on this machine' }), `${own}nothing else could be measured on GPU, 9.0 (there is no cuBLASLt on this machine)`],
  ['time ran out', () => measured(130101, slower, untimed), `${own}they were the fastest for 1 of 2 on GPU, 9.0, and nothing else could be measured for the others (there was no time left to measure it)`],
  ['there was nothing to measure', () => measured(130101), `${own}there were none to measure on GPU, 9.0`],
]

describe('what a model is told', () => {
  it.each(words)('whether %s', (_what, file, said) => {
    expect(applyTuned(new OnGpu(), file())).toBe(said)
  })

  it('is what native code is told', () => {
    const native = new OnGpu(), line = ['k', 1, 2, 3, 'library', 'cublaslt', '0'.repeat(128), 0, 20, 10, ''].join('\t')
    applyTuned(native, measured(130101, byLibrary))
    expect(native.read).toBe(`cublaslt 130101\ncudnn 92400\n${line}\n`)
  })

  it('is no reason to fail, whatever the GPU does', () => {
    expect(applyTuned(new Lost(), measured(130101, byLibrary))).toBe(`${own}the GPU is lost`)
  })

  it('is nothing on the CPU', () => {
    expect(applyTuned(new FakeModule(tinyManifest(), tinyFunctions), measured(130101, byLibrary))).toBeNull()
  })
})

describe('files', () => {
  const gpu = { gpu: 'GPU, 9.0', cublaslt: 0, cudnn: 0, products: [slower] }
  const damaged: readonly (readonly [what: string, content: unknown])[] = [
    ['a GPU that is null', { format: TUNED_FORMAT, gpus: [gpu, null] }],
    ['a GPU that is a number', { format: TUNED_FORMAT, gpus: [3] }],
    ['a product that is null', { format: TUNED_FORMAT, gpus: [{ ...gpu, products: [slower, null] }] }],
    ['a product without times', { format: TUNED_FORMAT, gpus: [{ ...gpu, products: [{ ...slower, ownNanoseconds: null }] }] }],
    ['a product of no library', { format: TUNED_FORMAT, gpus: [{ ...gpu, products: [{ ...slower, library: 'cufft' }] }] }],
    ['a library without a version', { format: TUNED_FORMAT, gpus: [{ gpu: 'GPU, 9.0', cublaslt: 0, products: [slower] }] }],
    ['no GPUs', { format: TUNED_FORMAT }],
    ['nothing', null],
  ]
  it.each(damaged)('with %s are refused with the way out', (_what, content) => {
    const file = fileOf(content)
    expect(() => readTuned(file)).toThrow(FileFormatError)
    expect(() => readTuned(file)).toThrow(/Measure again with `kcc tune`, or remove it\.$/)
    expect(() => readTuned(file, 'What is measured now replaces it.')).toThrow(/What is measured now replaces it\.$/)
  })
})
