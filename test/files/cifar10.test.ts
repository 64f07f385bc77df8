/** CIFAR-10 and Fashion-MNIST from files in each of their forms. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { readCifarPickle } from '../../compiler/files/datasets/cifar-pickle.js'
import { loadCifar10 } from '../../compiler/files/datasets/cifar10.js'
import { loadFashionMnist } from '../../compiler/files/datasets/fashion-mnist.js'
import { DatasetUnavailable } from '../../compiler/files/datasets/get-file.js'
import { readTar } from '../../compiler/files/datasets/tar.js'
import { inTemporaryFolder, shared } from './shared.js'

/** `count` records: labels count up from `first`; the byte of channel c and pixel p of record i is 100 c + i + p modulo 251. */
const records = (count: number, first = 0): Buffer => Buffer.concat(Array.from({ length: count }, (_, i) =>
  Buffer.from([(first + i) % 10, ...Array.from({ length: 3072 }, (_, k) => (100 * Math.floor(k / 1024) + i + (k % 1024)) % 251)])))

/** A pickle of protocol 2 as Python 2 wrote the batches: `{'labels': [...], 'data': numpy array of bytes}`. */
function pickle(batch: Buffer): Buffer {
  const count = batch.length / 3073
  const data = Buffer.concat(Array.from({ length: count }, (_, i) => batch.subarray(i * 3073 + 1, (i + 1) * 3073)))
  const labels = Array.from({ length: count }, (_, i) => batch[i * 3073]!)
  const text = (s: string): Buffer => Buffer.concat([Buffer.from('U'), Buffer.from([s.length]), Buffer.from(s)])
  const length = Buffer.alloc(4)
  length.writeUInt32LE(data.length)
  return Buffer.concat([
    Buffer.from('\x80\x02}q\x01(', 'latin1'), text('labels'), Buffer.from('q\x02]q\x03(', 'latin1'), ...labels.map((l) => Buffer.from([0x4b, l])), Buffer.from('e'),
    text('data'), Buffer.from('cnumpy.core.multiarray\n_reconstruct\nq\x04cnumpy\nndarray\nq\x05K\x00\x85', 'latin1'), text('b'), Buffer.from('\x87Rq\x06(K\x01', 'latin1'),
    Buffer.from([0x4d, count & 255, count >> 8, 0x4d, 0x00, 0x0c, 0x86]), Buffer.from('cnumpy\ndtype\n', 'latin1'), text('u1'), Buffer.from('K\x00K\x01\x87R(K\x03', 'latin1'), text('|'),
    Buffer.from('NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T', 'latin1'), length, data, Buffer.from('tbu.'),
  ])
}

const tarEntry = (name: string, data: Buffer): Buffer => {
  const head = Buffer.alloc(512)
  head.write(name, 0)
  head.write(data.length.toString(8).padStart(11, '0'), 124)
  head.write('0', 156)
  return Buffer.concat([head, data, Buffer.alloc((512 - (data.length % 512)) % 512)])
}

const write = (folder: string, files: Readonly<Record<string, Buffer>>): void => {
  mkdirSync(folder, { recursive: true })
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes)
}

describe('cifar10', () => {
  const expectBatches = async (options: Parameters<typeof loadCifar10>[0]): Promise<void> => {
    const { xTrain, yTrain, xTest, yTest } = await loadCifar10(options)
    expect([xTrain, yTrain, xTest, yTest].map(({ dtype, shape }) => [dtype, ...shape])).toEqual([['uint8', 5, 32, 32, 3], ['uint8', 5, 1], ['uint8', 2, 32, 32, 3], ['uint8', 2, 1]])
    expect([[...yTrain.data], [...yTest.data]]).toEqual([[0, 1, 2, 7, 8], [4, 5]])
    // Pixel 33 of record 1, in red, green and blue; and the last byte of the last record.
    expect([...xTrain.data.slice(3072 + 99, 3072 + 102)]).toEqual([34, 134, 234])
    expect(xTrain.data.at(-1)).toBe((200 + 1 + 1023) % 251)
  }
  const batches = { data_batch_1: records(3), data_batch_2: records(2, 7), test_batch: records(2, 4) }
  const renamed = (suffix: string, form: (b: Buffer) => Buffer): Record<string, Buffer> => Object.fromEntries(Object.entries(batches).map(([name, b]) => [name + suffix, form(b)]))

  it('is read from binary batches, gzipped or not, in the folder of data sets', async () => {
    await inTemporaryFolder(async (folder) => {
      write(join(folder, 'a', 'cifar10'), renamed('.bin.gz', (b) => gzipSync(b)))
      await expectBatches({ datasets: join(folder, 'a'), cacheDir: folder })
      write(join(folder, 'b', 'cifar-10-batches-bin'), renamed('.bin', (b) => b))
      await expectBatches({ datasets: join(folder, 'b'), cacheDir: folder })
    })
  })

  it("is read from Keras' own folder of pickles, and from the archive of the site", async () => {
    await inTemporaryFolder(async (folder) => {
      write(join(folder, 'a', 'datasets', 'cifar-10-batches-py'), renamed('', pickle))
      await expectBatches({ datasets: null, cacheDir: join(folder, 'a') })
      const archive = Buffer.concat([...Object.entries(batches).map(([name, b]) => tarEntry(`cifar-10-batches-bin/${name}.bin`, b)), Buffer.alloc(1024)])
      write(join(folder, 'b', 'datasets'), { 'cifar-10-binary.tar.gz': gzipSync(archive) })
      await expectBatches({ datasets: null, cacheDir: join(folder, 'b') })
    })
  })

  it('says where it looked, and what is wrong with a file', async () => {
    await inTemporaryFolder(async (folder) => {
      const options = { datasets: folder, cacheDir: join(folder, 'cache'), answerMs: 1, log: () => undefined }
      await expect(loadCifar10(options)).rejects.toThrow(DatasetUnavailable)
      await expect(loadCifar10(options)).rejects.toThrow(`looked in ${join(folder, 'cifar-10-batches-py')}, ${join(folder, 'cifar-10-batches-bin')}, ${join(folder, 'cifar10')}, `)
      write(join(folder, 'cifar10'), { 'data_batch_1.bin': records(1).subarray(0, 3000), 'test_batch.bin': records(1) })
      await expect(loadCifar10(options)).rejects.toThrow('data_batch_1.bin: expected records of 3073 bytes, found 3000 bytes')
      write(join(folder, 'cifar10'), { 'data_batch_1.bin': Buffer.alloc(3073, 12) })
      await expect(loadCifar10(options)).rejects.toThrow('expected labels from 0 to 9, found 12')
      write(join(folder, 'cifar10'), { 'data_batch_1.bin.gz': Buffer.from('no gzip'), data_batch_1: Buffer.from('\x80\x02}q\x01.', 'latin1') })
      await expect(loadCifar10(options)).rejects.toThrow('data_batch_1: not a batch of CIFAR-10')
    })
  })

  it('refuses pickles of anything else without running them', () => {
    const read = (text: string) => () => readCifarPickle(Buffer.from(text, 'latin1'), 'p')
    expect(read('\x80\x02')).toThrow('p: not a pickle of CIFAR-10: it ends early')
    expect(read("cos\nsystem\n(U\x04exittR.")).toThrow('not a batch of CIFAR-10')
    expect(read('\x80\x02U\xff.')).toThrow('it ends early')
    expect(read('\x80\x02e.')).toThrow('a mark is missing')
    expect(read('\x80\x02Z.')).toThrow('instruction "Z" is not expected')
    expect(() => readTar(tarEntry('a', Buffer.alloc(600)).subarray(0, 700), 't')).toThrow('t: not a whole tar archive')
  })

  const python = ((): string | null => {
    try {
      execFileSync('python3', ['-c', 'import numpy'], { stdio: 'ignore' })
      return 'python3'
    } catch {
      return null
    }
  })()
  if (python === null) console.log('skipped: pickles written by Python, because python3 with numpy is not there')
  it.skipIf(python === null).each([3, 4])('Python itself with protocol %i: 3 is read, 4 refused', async (protocol) => {
    await inTemporaryFolder(async (folder) => {
      const data = join(folder, 'batch.pickle')
      execFileSync(python!, ['-c', `import pickle, sys, numpy as np
d = {'batch_label': 'training batch 1 of 5', 'labels': [3, 1, 250 % 10], 'data': (np.arange(3 * 3072) % 251).astype('uint8').reshape(3, 3072), 'filenames': ['a.png', 'b.png', 'c.png']}
pickle.dump(d, open(sys.argv[1], 'wb'), protocol=${protocol})`, data])
      if (protocol === 4) return expect(() => readCifarPickle(readFileSync(data), data)).toThrow(/instruction .* is not expected in it/)
      const { labels, planes } = readCifarPickle(readFileSync(data), data)
      expect([[...labels], planes.length, planes[300], planes.at(-1)]).toEqual([[3, 1, 0], 9216, 49, 9215 % 251])
    })
  })

  const real = join(shared, 'data', 'cifar10')
  if (!existsSync(real)) console.log(`skipped: reading CIFAR-10, because ${real} does not exist (set KCC_SHARED)`)
  it.skipIf(!existsSync(real))('the real pictures: as many of each class', async () => {
    const { xTrain, yTrain, xTest, yTest } = await loadCifar10({ datasets: join(shared, 'data') })
    expect([xTrain.shape, yTrain.shape, xTest.shape, yTest.shape]).toEqual([[10000, 32, 32, 3], [10000, 1], [2000, 32, 32, 3], [2000, 1]])
    const counts = (labels: ArrayLike<number>): number[] => Array.from({ length: 10 }, (_, k) => Array.from(labels).filter((l) => l === k).length)
    expect([counts(yTrain.data), counts(yTest.data)]).toEqual([Array(10).fill(1000), Array(10).fill(200)])
  })
})

describe('fashion_mnist', () => {
  const idx = (shape: readonly number[], data: readonly number[]): Buffer => {
    const head = Buffer.alloc(4 + 4 * shape.length)
    head.writeUInt32BE(0x0800 + shape.length)
    shape.forEach((size, i) => head.writeUInt32BE(size, 4 + 4 * i))
    return gzipSync(Buffer.concat([head, Buffer.from(data)]))
  }
  const files = { 'train-images-idx3-ubyte.gz': idx([2, 1, 2], [1, 2, 3, 4]), 'train-labels-idx1-ubyte.gz': idx([2], [9, 0]), 't10k-images-idx3-ubyte.gz': idx([1, 1, 2], [5, 6]), 't10k-labels-idx1-ubyte.gz': idx([1], [7]) }

  it("is read from Keras' four files", async () => {
    await inTemporaryFolder(async (folder) => {
      write(join(folder, 'datasets', 'fashion-mnist'), files)
      const { xTrain, yTrain, xTest, yTest } = await loadFashionMnist({ datasets: null, cacheDir: folder })
      expect([xTrain, yTrain, xTest, yTest].map(({ shape, data }) => [shape, [...data]])).toEqual([[[2, 1, 2], [1, 2, 3, 4]], [[2], [9, 0]], [[1, 1, 2], [5, 6]], [[1], [7]]])
    })
  })

  it('says where it looked, and what is wrong with a file', async () => {
    await inTemporaryFolder(async (folder) => {
      const options = { datasets: folder, cacheDir: join(folder, 'cache'), answerMs: 1, log: () => undefined }
      await expect(loadFashionMnist(options)).rejects.toThrow(`Fashion-MNIST is not on this machine (looked in ${join(folder, 'fashion-mnist')}, `)
      write(join(folder, 'fashion-mnist'), { ...files, 'train-images-idx3-ubyte.gz': files['train-labels-idx1-ubyte.gz'] })
      await expect(loadFashionMnist(options)).rejects.toThrow('train-images-idx3-ubyte.gz: expected an IDX file of bytes with 3 axes')
      write(join(folder, 'fashion-mnist'), { 'train-images-idx3-ubyte.gz': idx([2, 1, 2], [1]) })
      await expect(loadFashionMnist(options)).rejects.toThrow('expected 4 bytes for the shape (2, 1, 2), found 1')
    })
  })
})
