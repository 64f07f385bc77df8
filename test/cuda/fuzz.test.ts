/** Random functions as kernels for a GPU: fused, unfused and with kernels for a fixed batch, against the interpreter. */
import { expect, test } from 'vitest'
import { emptyTally, failures, prepare, tallyText } from '../fuzz/fuzz-batch.js'
import { randomFunction } from '../fuzz/random-function.js'
import { deviceBuild, onSmallScale } from './device.js'

const count = Number(process.env['KCC_FUZZ'] ?? 25), first = Number(process.env['KCC_FUZZ_FIRST'] ?? 20_000)

test(`${count} random functions`, async () => {
  const ready = await prepare({ prefix: 'cuda_fuzz', first, size: count, random: randomFunction, device: { target: onSmallScale, build: deviceBuild() } })
  const total = emptyTally(), found = failures(ready, total, 'KCC_FUZZ_FIRST')
  ready.native.close()
  process.stdout.write(tallyText(total))
  expect(found).toBe('')
})
