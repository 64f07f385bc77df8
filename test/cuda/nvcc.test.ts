/** nvcc takes what is emitted: a sample of the op cases, for the oldest and the newest of the default architectures. */
import { expect, test } from 'vitest'
import { buildNative } from '../../compiler/build/native.js'
import { locateNvcc } from '../../compiler/build/cuda.js'
import { loadFunctions } from '../compiled/native-functions.js'
import { compiledCases, emitCases } from '../compiled/op-cases.js'
import { skipBecause } from '../skip-because.js'
import { onSmallScale } from './device.js'

/** Of every op its last case, and every thirtieth of all. */
const all = compiledCases()
const cases = all.filter((c, i) => i % 30 === 0 || all.findLastIndex((o) => o.op === c.op) === i)

test(`${cases.length} of ${all.length} op cases for sm_80 and sm_90`, async ({ skip }) => {
  if (locateNvcc() === null) return skipBecause(skip, 'there is no nvcc')
  const planned = emitCases('cuda_nvcc', cases, [true], { target: onSmallScale })
  process.stdout.write(`by nvcc: ${cases.map((c) => c.name).join(' ')}\n`)
  const { file } = await buildNative(planned.emitted, { device: { kind: 'nvcc', architectures: [80, 90] } })
  expect(failureOf(() => loadFunctions(file, planned.emitted.manifests).close())).toMatch(/^$|^Error: cuda_nvcc_0: there is no NVIDIA (driver|GPU) on this machine/)
})

/** What a machine without a GPU says; nothing where there is one. */
function failureOf(open: () => void): string {
  try {
    open()
    return ''
  } catch (error) {
    return String(error)
  }
}
