/** All peers with their thread settings, and why some of them are missing. */
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Precision } from '../../runtime/contract/manifest.js'
import type { PeerSpec } from './peer-process.js'

export type Places = {
  /** Root of the repository. */
  readonly root: string
  /** Folder of the data and packages of this run. */
  readonly data: string
  /** What is measured; `played` is a GPU for the benchmark itself, which a CPU plays for kcc and is for the peers. */
  readonly device: 'cpu' | 'cuda' | 'played'
  /** What kcc computes products in, on a GPU; its peers are measured in float32 alone. */
  readonly precision: Precision
}

export const environment = (): string => process.env['KCC_BENCH_VENV'] ?? join(homedir(), '.cache', 'kcc', 'bench-venv')

export type Skipped = { readonly name: string; readonly reason: string }

type Kind = Pick<PeerSpec, 'name' | 'trains' | 'predicts'> & {
  /** What `--peers` calls it. */
  readonly key: string
  readonly file: string
  readonly writesModels?: boolean
  readonly unfused?: boolean
  /** Whether it can be measured on a GPU. */
  readonly onGpu?: boolean
  readonly env?: Readonly<Record<string, string>>
}

const kinds: readonly Kind[] = [
  { key: 'kcc', name: 'kcc', file: 'kcc.js', trains: true, predicts: true, onGpu: true },
  { key: 'unfused', name: 'kcc, nothing fused', file: 'kcc.js', trains: true, predicts: true, unfused: true, onGpu: true, env: { KCC_BENCH_VARIANT: '-unfused' } },
  { key: 'torch', name: 'PyTorch', file: 'torch_peer.py', trains: true, predicts: true, onGpu: true, env: { KCC_BENCH_MODE: 'eager' } },
  { key: 'compile', name: 'PyTorch compiled', file: 'torch_peer.py', trains: true, predicts: true, onGpu: true, env: { KCC_BENCH_MODE: 'compile' } },
  { key: 'tf', name: 'Keras on TensorFlow', file: 'keras_peer.py', trains: true, predicts: true, env: { KERAS_BACKEND: 'tensorflow' } },
  { key: 'jax', name: 'Keras on JAX', file: 'keras_peer.py', trains: true, predicts: true, onGpu: true, env: { KERAS_BACKEND: 'jax' } },
  { key: 'ort', name: 'ONNX Runtime', file: 'onnx_peer.py', trains: false, predicts: true, writesModels: true },
  { key: 'ort-node', name: 'ONNX Runtime in Node', file: 'onnx-node.js', trains: false, predicts: true },
  { key: 'tfjs', name: 'TensorFlow.js', file: 'tfjs.js', trains: true, predicts: true },
]

export const peerKeys: readonly string[] = kinds.map(({ key }) => key)

/** The peers' Python: that of their environment (`setup.sh`) unless another is named, which has PyTorch, JAX and Keras already. */
const pythonOf = (): string => process.env['KCC_BENCH_PYTHON'] ?? join(environment(), 'bin', 'python')

/** Float32 everywhere, in matrix units too; a GPU is hidden from those that are measured on the CPU. */
const deviceEnvironment = (device: Places['device']): Record<string, string> => (device === 'cuda'
  ? { JAX_PLATFORMS: 'cuda', NVIDIA_TF32_OVERRIDE: '0', XLA_PYTHON_CLIENT_PREALLOCATE: 'false', KCC_BENCH_DEVICE: device }
  : { JAX_PLATFORMS: 'cpu', CUDA_VISIBLE_DEVICES: '', KCC_BENCH_DEVICE: device })

/** Float32 arithmetic throughout, quiet libraries, and the number of threads in every spelling. */
function environmentOf(threads: number, places: Places): Record<string, string> {
  const count = String(threads)
  return {
    ...deviceEnvironment(places.device),
    KCC_BENCH_DATA: places.data, KCC_BENCH_PRECISION: places.precision, KCC_BENCH_THREADS: count, KCC_THREADS: count,
    OMP_NUM_THREADS: count, MKL_NUM_THREADS: count, OPENBLAS_NUM_THREADS: count, NPROC: count,
    XLA_FLAGS: threads === 1 && places.device === 'cpu' ? '--xla_cpu_multi_thread_eigen=false' : '', TORCHINDUCTOR_COMPILE_THREADS: '1', TORCHINDUCTOR_CACHE_DIR: join(environment(), 'inductor'),
    JAX_DEFAULT_MATMUL_PRECISION: 'highest', ONEDNN_DEFAULT_FPMATH_MODE: 'STRICT',
    TF_CPP_MIN_LOG_LEVEL: '3', PYTHONUNBUFFERED: '1', PYTHONDONTWRITEBYTECODE: '1',
  }
}

/** What a peer in Node needs, and loads by its name from there. */
const packageOf: Readonly<Record<string, string>> = {
  'onnx-node.js': join('node', 'node_modules', 'onnxruntime-node'), 'tfjs.js': join('tfjs', 'node_modules', '@tensorflow', 'tfjs'),
}

/** Every peer once for each thread setting. Peers whose environment does not exist are named with the reason. */
export function peerSpecs(places: Places, threadSettings: readonly number[], keys: readonly string[]): { specs: PeerSpec[]; skipped: Skipped[] } {
  const python = pythonOf(), inEnvironment = (file: string): string => join(environment(), packageOf[file] ?? '')
  const specs: PeerSpec[] = [], skipped: Skipped[] = []
  const isWanted = ({ key, file, onGpu = false }: Kind): boolean =>
    (key === 'kcc' || keys.includes(key)) && (places.device === 'cpu' || onGpu) && (places.precision === 'float32' || file === 'kcc.js')
  for (const { key, file, env, writesModels = false, unfused = false, onGpu: _, ...kind } of kinds.filter(isWanted)) {
    const needed = file.endsWith('.py') ? python : packageOf[file] === undefined ? places.root : inEnvironment(file)
    if (!existsSync(needed)) {
      skipped.push({ name: kind.name, reason: `there is no ${needed}: run test/bench/peers/setup.sh${places.device === 'cuda' ? ' cuda' : ''}` })
      continue
    }
    const [command, folder] = file.endsWith('.py') ? [python, 'test/bench/peers'] : [process.execPath, 'build/test/bench/peers']
    for (const threads of threadSettings) {
      specs.push({ ...kind, writesModels, unfused, threads, command, args: [join(places.root, folder, file)], env: { ...environmentOf(threads, places), KCC_BENCH_NODE_PEER: inEnvironment(file), ...env } })
    }
  }
  return { specs, skipped }
}
