/** On a GPU: what compute-sanitizer finds in a sample of Keras' vectors, with each of its tools. `npm run test:cuda`. */
import { execFileSync, spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { which } from '../../compiler/build/toolchain.js'
import { inPackage } from '../../compiler/support/paths.js'
import { hasGolden, absence } from '../golden/vectors.js'
import { skipBecause } from '../skip-because.js'
import { onGpu } from './device.js'

/** Products, sums over many rows, windows, tables and updates: small cases, since every access is looked at. */
const SAMPLE = ['layers/dense', 'layers/embedding', 'layers/max_pooling2d', 'layers/batch_normalization', 'training/']

/** Kernels are compiled beforehand: under the sanitizer that would take minutes. */
const golden = [process.execPath, inPackage('build', 'test', 'golden', 'main.js'), '--cuda', ...SAMPLE]

test.for(['memcheck', 'racecheck', 'initcheck', 'synccheck'])('%s finds nothing', (tool, { skip }) => {
  const sanitizer = which('compute-sanitizer') ?? which('/usr/local/cuda/bin/compute-sanitizer')
  if (!onGpu) return skipBecause(skip, 'it needs a GPU (npm run test:cuda)')
  if (sanitizer === null) return skipBecause(skip, 'there is no compute-sanitizer')
  if (!hasGolden) return skipBecause(skip, absence)
  const env = { ...process.env, KCC_TEST_GPU: '1' }
  execFileSync(golden[0]!, golden.slice(1), { env, stdio: 'ignore' })
  const { status, stdout } = spawnSync(sanitizer, ['--tool', tool, '--error-exitcode', '9', '--target-processes', 'all', ...golden], { env, encoding: 'utf8', maxBuffer: 1 << 26 })
  expect(status, stdout.slice(-4000)).toBe(0)
})
