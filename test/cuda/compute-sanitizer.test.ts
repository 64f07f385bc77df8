/** On a GPU: what compute-sanitizer finds in a sample of Keras' vectors, with each of its tools. `npm run test:cuda`. */
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { which } from '../../compiler/build/toolchain.js'
import { inPackage } from '../../compiler/support/paths.js'
import { folders } from '../golden/folders.js'
import { hasGolden, absence } from '../golden/vectors.js'
import { skipBecause } from '../skip-because.js'
import { onGpu } from './device.js'

/** Products, sums over many rows, windows, tables and updates: small cases, since every access is looked at, and few trainings, which have many steps. */
const SAMPLE = [
  'layers/dense', 'layers/embedding', 'layers/max_pooling2d', 'layers/batchnorm_',
  ...['cnn_small', 'batchnorm_conv', 'bias_free_embedding_frozen', 'optimizer_adam_clipnorm', 'mlp_many_metrics'].map((name) => `training/${name}$`),
]

/** Of one tool: what it looks at takes tens or hundreds of times as long. */
const HOUR = 3_600_000

/** Kernels are compiled beforehand: under the sanitizer that would take minutes. */
const golden = [process.execPath, inPackage('build', 'test', 'golden', 'main.js'), '--cuda', ...SAMPLE]

test('every name of the sample is one of a case', ({ skip }) => {
  if (!hasGolden) return skipBecause(skip, absence)
  const names = folders.flatMap((folder) => folder.cases().map(({ name }) => `${folder.name}/${name}`))
  expect(SAMPLE.filter((pattern) => !names.some((name) => new RegExp(pattern).test(name)))).toEqual([])
})

test.for(['memcheck', 'racecheck', 'initcheck', 'synccheck'])('%s finds nothing', { timeout: HOUR }, async (tool, { skip }) => {
  const sanitizer = which('compute-sanitizer') ?? which('/usr/local/cuda/bin/compute-sanitizer')
  if (!onGpu) return skipBecause(skip, 'it needs a GPU (npm run test:cuda)')
  if (sanitizer === null) return skipBecause(skip, 'there is no compute-sanitizer')
  if (!hasGolden) return skipBecause(skip, absence)
  const env = { KCC_TEST_GPU: '1' }
  await execa(golden[0]!, golden.slice(1), { env, stdio: 'ignore' })
  const { exitCode, stdout } = await execa(sanitizer, ['--tool', tool, '--error-exitcode', '9', '--target-processes', 'all', ...golden], { env, reject: false })
  expect(exitCode, stdout.slice(-4000)).toBe(0)
})
