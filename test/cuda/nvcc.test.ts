/**
 * nvcc takes what is emitted: every kernel of the op cases and of the models of `training-cases.ts`, assembled without optimisation,
 * which is enough to find what is no CUDA; a sample as packages have it, for the oldest and the newest of the
 * default architectures.
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { buildNative } from '../../compiler/build/native.js'
import { locateNvcc } from '../../compiler/build/cuda.js'
import type { SourceFile } from '../../compiler/emit/sources.js'
import { moduleSource } from '../../compiler/nn/module-source.js'
import { compileSources, cuda, defaultOptions } from '../../compiler/pipeline.js'
import { inPackage } from '../../compiler/support/paths.js'
import { loadFunctions } from '../compiled/native-functions.js'
import { compiledCases, emitCases } from '../compiled/op-cases.js'
import { skipBecause } from '../skip-because.js'
import { onSmallScale } from './device.js'
import { cases as models } from './training-cases.js'

/** Of every op its last case, and every thirtieth of all. */
const all = compiledCases()
const cases = all.filter((c, i) => i % 30 === 0 || all.findLastIndex((o) => o.op === c.op) === i)

/** Kernels in a unit: enough to share the cost of the headers. */
const UNIT = 400

const kernelsIn = (files: readonly SourceFile[]): number => files.reduce((count, { text }) => count + [...text.matchAll(/__global__/g)].length, 0)
const ofModels = (target: typeof cuda): readonly SourceFile[] =>
  compileSources(Object.entries(models).map(([name, { make }]) => ({ ...moduleSource(make()), name: name.replaceAll('-', '_') })), { ...defaultOptions, target }).device

test('every kernel of the op cases, and of training steps', async ({ skip }) => {
  const nvcc = locateNvcc()
  if (nvcc === null) return skipBecause(skip, 'there is no nvcc')
  const ofOps = emitCases('cuda_all', all, [true], { target: onSmallScale, kernelsPerUnit: UNIT }).emitted.device
  const ofSteps = ofModels({ ...cuda, combinesInProducts: true }).map((file) => ({ ...file, name: `steps_${file.name}` }))
  const files = [...ofOps, ...ofSteps].filter(({ name }) => name.endsWith('.cu')), folder = mkdtempSync(join(tmpdir(), 'kcc-nvcc-'))
  const flags = ['-std=c++17', '-arch=sm_80', '-cubin', '-Xcicc', '-O0', '-Xptxas', '-O0', '-DKCC_LEVEL=cuda', '-diag-suppress=39,177,179', '-I', inPackage('native', 'include')]
  try {
    for (const { name, text } of files) {
      writeFileSync(join(folder, name), text)
      await promisify(execFile)(nvcc, [...flags, join(folder, name), '-o', join(folder, `${name}bin`)])
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
  process.stdout.write(`assembled by nvcc: ${kernelsIn(files)} kernels of ${all.length} op cases and ${Object.keys(models).length} models\n`)
  expect(kernelsIn(files)).toBeGreaterThan(1000)
})

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
