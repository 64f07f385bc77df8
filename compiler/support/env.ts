/**
 * Every environment variable that changes what kcc does, in one table: the command line prints it, and nothing else
 * reads `process.env` by itself. `KCC_THREADS` is read by the thread pool, in native code.
 */
export type EnvironmentVariable = { readonly name: string; readonly value: string; readonly doc: string }

/** Files of the library cuBLASLt, newest first, as native code opens them (`native/cuda/cublaslt.cc`). */
export const cublasltNames: readonly string[] = [13, 12, 11].map((version) => `libcublasLt.so.${version}`)

/** File of the library cuDNN (`native/cuda/cudnn.cc`). */
export const cudnnName = 'libcudnn.so.9'

const table = {
  KCC_DUMP: ['folder', 'write the numbered IR after every stage and pass into this folder'],
  KCC_VERIFY: ['0 | 1', 'verify the IR after every pass (1 in tests; off by default)'],
  KCC_TIME: ['0 | 1', 'print the time of every stage and pass on stderr'],
  KCC_KEEP: ['0 | 1', 'keep the folder in which the native code was built, and print its path'],
  KCC_SANITIZE: ['0 | 1', 'build native code with -fsanitize=address,undefined'],
  KCC_POISON: ['0 | 1', 'fill the working memory of every call with signalling NaNs, to find what is read before it is written'],
  KCC_KERNEL_TIMES: ['file', 'where functions built for `kcc inspect --fusion` write the times of their kernels; the command sets it itself'],
  KCC_CPU: ['levels', 'CPU levels to build where none are asked for, as in `--cpu` (default: native)'],
  KCC_STEP_TIMES: ['file', 'where calls on a GPU write, each in a line, the nanoseconds they took and those since the call before'],
  KCC_HOST_GPU: ['settings', 'what the GPU that `--sm host` plays is like, for tests: a list such as `memory=1000000,lost=5` (`native/cuda/host-api.cc`)'],
  KCC_HOST_GPU_TRACE: ['file', 'where that GPU adds a line for everything it is asked, for tests'],
  KCC_CUBLASLT: ['file', `the library cuBLASLt, for products on a GPU (default: the first of ${cublasltNames.join(', ')} that the system finds)`],
  KCC_CUDNN: ['file', `the library cuDNN, for convolutions on a GPU (default: ${cudnnName} where the system finds it)`],
  KCC_CXX: ['command', 'the C++ compiler (default: the first of c++, g++, clang++)'],
  KCC_NVCC: ['command', 'the CUDA compiler (default: nvcc, on PATH or in /usr/local/cuda/bin)'],
  KCC_CMAKE: ['command', 'the cmake to use (default: cmake)'],
  KCC_CACHE_DIR: ['folder', 'where compiled objects are kept (default: node_modules/.cache/kcc, else ~/.cache/kcc)'],
  KCC_DATASETS: ['folder', 'where data sets such as mnist.npz are looked for before ~/.keras/datasets'],
  KCC_THREADS: ['count', 'threads of the pool that compiled models share (default: the cores this process may use)'],
  NO_COLOR: ['any', 'no colour in messages'],
} as const satisfies Record<string, readonly [value: string, doc: string]>

export type VariableName = keyof typeof table

/** The table for `--help` and the README. */
export const environmentVariables: readonly EnvironmentVariable[] =
  Object.entries(table).map(([name, [value, doc]]) => ({ name, value, doc }))

/** The text of a variable, or undefined when it is unset or empty. */
export function setting(name: VariableName): string | undefined {
  const value = process.env[name]
  return value === undefined || value === '' ? undefined : value
}

/** Whether a 0/1 variable is on: set to anything but `0` and `false`. */
export function enabled(name: VariableName): boolean {
  const value = setting(name)
  return value !== undefined && value !== '0' && value.toLowerCase() !== 'false'
}

/** Lines for `--help`, names padded to one column. */
export function describeEnvironment(): string {
  const width = Math.max(...environmentVariables.map((v) => v.name.length)) + 2
  return environmentVariables.map((v) => `  ${v.name.padEnd(width)}${v.doc} (${v.value})`).join('\n')
}
