import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readKerasH5, writeKerasH5, writeKerasWeights } from '../../compiler/files/keras-h5.js'
import type { KerasFile } from '../../compiler/files/keras-h5.js'
import { readH5 } from '../../compiler/files/h5.js'
import { buildH5 } from '../../compiler/files/h5-write.js'
import { withHdf5 } from '../../compiler/files/h5-library.js'
import { FileFormatError } from '../../runtime/contract/errors.js'
import { filesBelow, golden, hasGolden } from './shared.js'

const matrix = { dtype: 'float32', shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) } as const
const file: KerasFile = {
  kerasVersion: '2.3.1',
  backend: 'tensorflow',
  modelConfig: { class_name: 'Sequential', config: { name: 'größe', epsilon: 1e-7, limit: Number.POSITIVE_INFINITY, text: 'NaN, "quoted"' } },
  trainingConfig: { loss: 'mse', metrics: [], loss_weights: null },
  layers: [
    { name: 'dense_1', weights: [{ name: 'dense_1/kernel:0', value: matrix }, { name: 'dense_1/bias:0', value: { dtype: 'float32', shape: [0], data: new Float32Array(0) } }] },
    { name: 'dropout_1', weights: [] },
  ],
  optimizerWeights: [{ name: 'Adam/iterations:0', value: { dtype: 'int32', shape: [], data: Int32Array.of(12) } }, { name: 'training/Adam/m_0:0', value: matrix }],
}

describe('a Keras .h5', () => {
  it('is read back as it was written', async () => {
    expect(await readKerasH5(await writeKerasH5(file, 'a.h5'), 'a.h5')).toEqual(file)
  })

  it('of weights alone has the layers at its root', async () => {
    const read = await readKerasH5(await writeKerasWeights(file, 'w.h5'), 'w.h5')
    expect(read).toEqual({ ...file, modelConfig: null, trainingConfig: null, optimizerWeights: null })
  })

  it('keeps integers of the optimizer as int64 and texts of fixed length', async () => {
    const bytes = await writeKerasH5(file, 'a.h5')
    await withHdf5('a.h5', 0, (library) => {
      library.FS!.writeFile('/t.h5', bytes)
      const root = new library.File('/t.h5', 'r')
      expect(root.attrs['model_config']!.metadata.vlen).toBe(false)
      const iterations = root.get('optimizer_weights/Adam/iterations:0')
      expect(iterations !== null && 'dtype' in iterations && iterations.dtype).toBe('<q')
      root.close()
    })
  })

  it('splits long lists of names as Keras does', async () => {
    const layers = Array.from({ length: 3000 }, (_, i) => ({ name: `a_layer_with_a_rather_long_name_number_${i}`, weights: [] }))
    const bytes = await writeKerasWeights({ ...file, layers }, 'w.h5')
    expect(await readH5(bytes, 'w.h5', (root) => [root.hasAttribute('layer_names'), root.hasAttribute('layer_names0'), root.hasAttribute('layer_names1')])).toEqual([false, true, true])
    expect((await readKerasH5(bytes, 'w.h5')).layers).toEqual(layers)
  })

  it('with a configuration of 300 kB is possible', async () => {
    const modelConfig = { class_name: 'Model', config: { layers: Array.from({ length: 10000 }, (_, i) => `a layer with the number ${i}`) } }
    expect((await readKerasH5(await writeKerasH5({ ...file, modelConfig }, 'a.h5'), 'a.h5')).modelConfig).toEqual(modelConfig)
  })

  it.skipIf(!hasGolden)('written by Keras is read, written and read again, for every golden file', async () => {
    const paths = filesBelow(golden, '.h5')
    expect(paths.length).toBeGreaterThan(600)
    for (const path of paths) {
      const read = await readKerasH5(readFileSync(path), path)
      expect(read.kerasVersion, path).toBe('2.3.1')
      const written = read.modelConfig === null ? await writeKerasWeights(read, path) : await writeKerasH5(read, path)
      expect(await readKerasH5(written, path), path).toEqual(read)
    }
  }, 120_000)
})

describe('a damaged .h5', () => {
  const refusal = async (bytes: Uint8Array): Promise<string> => {
    try {
      await readKerasH5(bytes, 'bad.h5')
      return 'read'
    } catch (error) {
      expect(error).toBeInstanceOf(FileFormatError)
      return (error as Error).message
    }
  }

  it('names the file and what is wrong', async () => {
    const whole = await writeKerasH5(file, 'a.h5')
    expect(await refusal(new Uint8Array(0))).toMatch(/^bad\.h5: not a readable HDF5 file/)
    expect(await refusal(new TextEncoder().encode('<html>not found</html>'))).toMatch(/^bad\.h5: not a readable HDF5 file/)
    expect(await refusal(whole.subarray(0, 3000))).toMatch(/^bad\.h5: not a readable HDF5 file \(truncated file: eof = 3000/)
    expect(await refusal(await buildH5('x', (root) => root.text('a', 'b')))).toMatch(/not a Keras file/)
  })

  it('never takes the process down, wherever a byte is changed or the file is cut', async () => {
    const whole = hasGolden ? readFileSync(join(golden, 'training/mlp_relu/final.h5')) : Buffer.from(await writeKerasH5(file, 'a.h5'))
    let refused = 0
    let state = 12345
    const random = (below: number): number => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) % below
    for (let round = 0; round < 400; round++) {
      const bytes = Uint8Array.from(whole)
      for (let flips = 1 + random(8); flips > 0; flips--) bytes[random(bytes.length)] = random(256)
      if ((await refusal(round % 4 === 0 ? bytes.subarray(0, random(bytes.length)) : bytes)) !== 'read') refused++
    }
    expect(refused).toBeGreaterThan(100)
    expect(await readKerasH5(await writeKerasH5(file, 'a.h5'), 'a.h5')).toEqual(file)
  }, 120_000)

  it('is not followed to other places', async () => {
    const linked = await withHdf5('x', 0, (library) => {
      const root = new library.File('/links.h5', 'w')
      root.create_group('real').create_dataset({ name: 'a', data: new Float32Array(1) })
      root.create_soft_link('/real', 'soft')
      root.create_external_link('/etc/other.h5', '/a', 'external')
      root.close()
      return library.FS!.readFile('/links.h5')
    })
    const read = (name: string): Promise<unknown> => readH5(linked, 'l.h5', (root) => root.array(name))
    expect(await read('real/a')).toMatchObject({ shape: [1] })
    await expect(read('soft/a')).rejects.toThrow('l.h5: /soft is a link to another place; links are refused')
    await expect(read('external')).rejects.toThrow('l.h5: /external is a link to another place; links are refused')
    await expect(read('none')).rejects.toThrow('l.h5: /none is missing')
  })

  it('that makes the reader run for ever is given up, and the next file is read', async () => {
    const { H5Group } = await import('../../compiler/files/h5.js')
    expect(H5Group).toBeDefined()
    await expect(withHdf5('slow.h5', -119_600_000, () => { for (;;) { /* stands for an endless loop in the library */ } })).rejects.toThrow('slow.h5: not a readable HDF5 file (reading it does not end)')
    await expect(withHdf5('trap.h5', 0, () => { throw Object.assign(new Error('unreachable'), { name: 'RuntimeError' }) })).rejects.toThrow(FileFormatError)
    expect(await readKerasH5(await writeKerasH5(file, 'a.h5'), 'a.h5')).toEqual(file)
  })
})
