/** What Python sees in our files. Needs a Python with h5py: `KCC_PYTHON`, or `python3` on the path. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { writeKerasH5 } from '../../compiler/files/keras-h5.js'
import { inTemporaryFolder } from './shared.js'

const python = [process.env['KCC_PYTHON'], 'python3'].find((p) => p !== undefined && spawnSync(p, ['-c', 'import h5py']).status === 0)
if (python === undefined) console.log('skipped: reading our .h5 with h5py, because no Python with h5py was found (set KCC_PYTHON)')

/** Reads as the loader of Keras 2.3 does: `.decode` on every text. */
const program = `
import h5py, json, sys
f = h5py.File(sys.argv[1], 'r')
weights = f['model_weights']
print(json.dumps({
  'config': json.loads(f.attrs['model_config'].decode('utf-8')),
  'training': json.loads(f.attrs['training_config'].decode('utf-8')),
  'version': f.attrs['keras_version'].decode('utf8'),
  'layers': [[n.decode('utf8'), [[w.decode('utf8'), weights[n.decode()][w.decode()][()].tolist()] for w in weights[n].attrs['weight_names']]] for n in weights.attrs['layer_names']],
  'optimizer': [[n.decode('utf8'), str(f['optimizer_weights'][n].dtype), f['optimizer_weights'][n][()].tolist()] for n in f['optimizer_weights'].attrs['weight_names']],
}))`

describe('h5py', () => {
  it.skipIf(python === undefined)('reads what we write', async () => {
    await inTemporaryFolder(async (folder) => {
      const path = join(folder, 'model.h5')
      writeFileSync(path, await writeKerasH5({
        kerasVersion: '2.3.1', backend: 'tensorflow', modelConfig: { name: 'größe', rate: 0.5 }, trainingConfig: { loss: 'mse' },
        layers: [
          { name: 'dense_1', weights: [{ name: 'dense_1/kernel:0', value: { dtype: 'float32', shape: [2, 1], data: Float32Array.of(1, 2) } }] },
          { name: 'flatten_1', weights: [] },
        ],
        optimizerWeights: [{ name: 'SGD/iterations:0', value: { dtype: 'int32', shape: [], data: Int32Array.of(3) } }],
      }, path))
      const { stdout, stderr } = spawnSync(python!, ['-c', program, path], { encoding: 'utf8' })
      expect(stderr).toBe('')
      expect(JSON.parse(stdout)).toEqual({
        config: { name: 'größe', rate: 0.5 }, training: { loss: 'mse' }, version: '2.3.1',
        layers: [['dense_1', [['dense_1/kernel:0', [[1], [2]]]]], ['flatten_1', []]],
        optimizer: [['SGD/iterations:0', 'int64', 3]],
      })
    })
  })
})
