import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DatasetUnavailable, getFile } from '../../compiler/files/datasets/get-file.js'
import { loadMnist } from '../../compiler/files/datasets/mnist.js'
import { syntheticDigits } from '../../compiler/files/datasets/synthetic-digits.js'
import { saveNpz } from '../../compiler/files/npz.js'
import { IndexError, toCategorical } from '../../compiler/files/to-categorical.js'
import { golden, hasGolden, inTemporaryFolder, shared } from './shared.js'

const content = 'the file'
const md5 = createHash('md5').update(content).digest('hex')
let server: Server, origin: string, requests = 0
beforeAll(async () => {
  server = createServer((request, response) => {
    requests++
    if (request.url === '/silent') return
    response.writeHead(request.url === '/file' ? 200 : 404).end(request.url === '/file' ? content : 'no')
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => { server.closeAllConnections(); server.close() })

describe('getFile', () => {
  it('downloads once, checks the checksum, and uses what is there', async () => {
    await inTemporaryFolder(async (cacheDir) => {
      const lines: string[] = []
      const options = { cacheDir, fileHash: md5, log: (line: string) => void lines.push(line) }
      requests = 0
      const path = await getFile('a.txt', `${origin}/file`, options)
      expect(readFileSync(path, 'utf8')).toBe(content)
      expect(path).toBe(join(cacheDir, 'datasets', 'a.txt'))
      await getFile('a.txt', `${origin}/file`, options)
      expect([requests, lines]).toEqual([1, [`Downloading data from ${origin}/file`]])
      writeFileSync(path, 'cut')
      await getFile('a.txt', `${origin}/file`, options)
      expect(readFileSync(path, 'utf8')).toBe(content)
      expect(lines[1]).toMatch(/seems to be incomplete or outdated/)
    })
  })

  it('fails clearly and leaves nothing behind', async () => {
    await inTemporaryFolder(async (cacheDir) => {
      const options = { cacheDir, log: () => undefined }
      await expect(getFile('a', `${origin}/none`, options)).rejects.toThrow(`URL fetch failure on ${origin}/none: 404 Not Found`)
      await expect(getFile('a', `${origin}/file`, { ...options, fileHash: '0'.repeat(64) })).rejects.toThrow(`the checksum is not ${'0'.repeat(64)}`)
      await expect(getFile('a', `${origin}/silent`, { ...options, answerMs: 50 })).rejects.toThrow('the server does not answer')
      await expect(getFile('../a', `${origin}/file`, options)).rejects.toThrow('a name without folders is expected')
      expect(existsSync(join(cacheDir, 'datasets', 'a'))).toBe(false)
    })
  })
})

describe('mnist', () => {
  const mnist = join(shared, 'data/mnist/mnist.npz')
  if (!existsSync(mnist)) console.log(`skipped: reading MNIST, because ${mnist} does not exist (set KCC_SHARED)`)

  it.skipIf(!existsSync(mnist))('is read from the folder of data sets, also from a folder in it', async () => {
    const digits = await loadMnist({ datasets: join(shared, 'data') })
    expect([digits.xTrain.shape, digits.yTest.shape, digits.xTrain.dtype]).toEqual([[60000, 28, 28], [10000], 'uint8'])
    expect([...digits.yTrain.data.subarray(0, 10)]).toEqual([5, 0, 4, 1, 9, 2, 1, 3, 1, 4])
    expect([...digits.yTest.data.subarray(0, 10)]).toEqual([7, 2, 1, 0, 4, 1, 4, 9, 5, 9])
    await inTemporaryFolder(async (cacheDir) => {
      mkdirSync(join(cacheDir, 'datasets'))
      symlinkSync(mnist, join(cacheDir, 'datasets', 'mnist.npz'))
      expect((await loadMnist({ datasets: null, cacheDir })).xTest.shape).toEqual([10000, 28, 28])
    })
  })

  it('says where it looked, and what is wrong with a foreign file', async () => {
    await inTemporaryFolder(async (folder) => {
      const options = { datasets: folder, cacheDir: join(folder, 'cache'), answerMs: 1, log: () => undefined }
      await expect(loadMnist(options)).rejects.toThrow(DatasetUnavailable)
      await expect(loadMnist(options)).rejects.toThrow(`looked for ${join(folder, 'mnist.npz')}, ${join(folder, 'mnist', 'mnist.npz')}, ${join(folder, 'cache', 'datasets', 'mnist.npz')}`)
      saveNpz(join(folder, 'mnist.npz'), { x_train: { dtype: 'float32', shape: [1], data: new Float32Array(1) } })
      await expect(loadMnist(options)).rejects.toThrow('expected x_train to be uint8 of shape (60000, 28, 28), found float32 of shape (1)')
      expect(readdirSync(folder)).toEqual(['mnist.npz'])
    })
  })
})

describe('synthetic digits', () => {
  const digits = syntheticDigits({ train: 1000, test: 500, seed: 3 })

  it('look like data: all classes, ink in the middle, empty margin', () => {
    const counts = new Array<number>(10).fill(0)
    for (const label of digits.yTrain.data) counts[label]!++
    expect(Math.min(...counts)).toBeGreaterThan(60)
    const mean = Array.from(digits.xTrain.data).reduce((sum, p) => sum + p, 0) / digits.xTrain.data.length
    expect(mean).toBeGreaterThan(20)
    expect(mean).toBeLessThan(45)
    const corner = Array.from(digits.xTrain.data).filter((_, i) => i % 784 === 0).reduce((sum, p) => sum + p, 0)
    expect(corner).toBe(0)
  })

  it('are the same for the same seed, and each depends only on its number', () => {
    const bytes = (train: number, seed: number): Buffer => Buffer.from(syntheticDigits({ train, test: 0, seed }).xTrain.data as Uint8Array)
    const whole = Buffer.from(digits.xTrain.data as Uint8Array)
    expect(bytes(1000, 3).equals(whole)).toBe(true)
    expect(bytes(200, 3).equals(whole.subarray(0, 200 * 784))).toBe(true)
    expect(bytes(1000, 4).equals(whole)).toBe(false)
  })

  it('can be told apart, but not by comparing with an average digit alone', () => {
    const means = Array.from({ length: 10 }, () => new Float64Array(784))
    const counts = new Array<number>(10).fill(0)
    digits.yTrain.data.forEach((label, i) => {
      counts[label]!++
      for (let p = 0; p < 784; p++) means[label]![p]! += digits.xTrain.data[i * 784 + p]!
    })
    const squared = (image: number, label: number): number => means[label]!.reduce((sum, total, p) => sum + (total / counts[label]! - digits.xTest.data[image * 784 + p]!) ** 2, 0)
    let right = 0
    digits.yTest.data.forEach((label, i) => {
      const errors = means.map((_, k) => squared(i, k))
      if (errors.indexOf(Math.min(...errors)) === label) right++
    })
    expect(right / digits.yTest.data.length).toBeGreaterThan(0.7)
    expect(right / digits.yTest.data.length).toBeLessThan(0.97)
  })
})

describe('toCategorical', () => {
  type Case = { y: number[]; options: { num_classes: number | null; dtype: 'float32' | 'int32' }; result: unknown[]; shape: number[] }
  const cases = hasGolden ? (JSON.parse(readFileSync(join(golden, 'preprocessing/np_utils.json'), 'utf8')) as { to_categorical: Case[] }).to_categorical : []

  it.each(cases)('as Keras: %j', ({ y, options, result, shape }) => {
    const got = toCategorical(y, options.num_classes, options.dtype)
    expect([got.shape, got.dtype, [...got.data]]).toEqual([shape, options.dtype, result.flat(Infinity)])
  })

  it('takes typed arrays and arrays with a shape, and counts negative labels from the end', () => {
    expect([...toCategorical(Uint8Array.of(1, 0)).data]).toEqual([0, 1, 1, 0])
    expect(toCategorical({ data: Int32Array.of(1, 0), shape: [2, 1] }).shape).toEqual([2, 2])
    expect([...toCategorical([-1], 3).data]).toEqual([0, 0, 1])
  })

  it('refuses labels outside the classes in numpy’s words', () => {
    expect(() => toCategorical([0, 1, 5], 3)).toThrow('index 5 is out of bounds for axis 1 with size 3')
    expect(() => toCategorical([-4], 3)).toThrow(IndexError)
    expect(() => toCategorical([Number.NaN], 3)).toThrow('a label must be a number, found NaN')
  })
})
