/** How the kernels of these tests run: executed by the host, or on the GPU of this machine (`npm run test:cuda`). */
import type { DeviceBuild } from '../../compiler/build/cuda.js'
import { presentArchitectures } from '../../compiler/build/cuda.js'
import { cuda, type CudaTarget } from '../../compiler/schedule/target.js'

export const onGpu = process.env['KCC_TEST_GPU'] === '1'

/** @throws Error when a GPU was asked for and there is none. */
export function deviceBuild(): DeviceBuild {
  if (!onGpu) return { kind: 'host' }
  const architectures = presentArchitectures()
  if (architectures === null) throw new Error('KCC_TEST_GPU=1, but nvidia-smi shows no GPU')
  return { kind: 'nvcc', architectures }
}

/** Threads share rows and take several elements wherever they may, however few there are: what large sizes get, at sizes of tests. */
export const onSmallScale: CudaTarget = { ...cuda, busyThreads: 1, warpRow: 4 }

export const where = onGpu ? 'on the GPU' : 'executed by the host'
