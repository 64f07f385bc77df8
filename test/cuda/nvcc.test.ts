/**
 * nvcc takes what is emitted: every kernel of the op cases and of the models of `training-cases.ts`, and those of some golden cases,
 * assembled without optimisation, which is enough to find what is no CUDA; a sample as packages have it, for the oldest and the newest of the
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
import { emitModules } from '../../compiler/emit/emit-modules.js'
import type { SourceFile } from '../../compiler/emit/sources.js'
import { clearSession } from '../../compiler/index.js'
import { moduleSource } from '../../compiler/nn/module-source.js'
import { compileSources, cuda, defaultOptions } from '../../compiler/pipeline.js'
import { inPackage } from '../../compiler/support/paths.js'
import { loadFunctions } from '../compiled/native-functions.js'
import { compiledCases, emitCases } from '../compiled/op-cases.js'
import { missingOf } from '../golden/case.js'
import { folders } from '../golden/folders.js'
import { NativeBatch, deviceRoad, serveAllModels } from '../golden/native-batch.js'
import { absence, hasGolden } from '../golden/vectors.js'
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

/** Every so manyth of Keras' vectors: layers and whole trainings among them. */
const EVERY = 32

async function ofGolden(): Promise<readonly SourceFile[]> {
  const batch = new NativeBatch('golden', deviceRoad({ kind: 'host' })), chosen = folders.flatMap((folder) => folder.cases()).filter((_, i) => i % EVERY === 0)
  serveAllModels()
  for (const one of chosen) {
    clearSession()
    try {
      await one.prepare(batch)
    } catch (error) {
      if (missingOf(error) === null) throw error
    }
  }
  return emitModules(batch.modules(), { target: cuda, templates: inPackage('templates'), version: '0', kernelsPerUnit: UNIT }).device
}

/** Into machine code, quickly. */
async function assemble(nvcc: string, given: readonly SourceFile[]): Promise<number> {
  const files = given.filter(({ name }) => name.endsWith('.cu')), folder = mkdtempSync(join(tmpdir(), 'kcc-nvcc-'))
  const flags = ['-std=c++17', '-arch=sm_80', '-cubin', '-Xcicc', '-O0', '-Xptxas', '-O0', '-DKCC_LEVEL=cuda', '-diag-suppress=39,177,179', '-I', inPackage('native', 'include')]
  try {
    for (const { name, text } of files) {
      writeFileSync(join(folder, name), text)
      await promisify(execFile)(nvcc, [...flags, join(folder, name), '-o', join(folder, `${name}bin`)])
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
  return kernelsIn(files)
}

test('every kernel of the op cases, and of training steps', async ({ skip }) => {
  const nvcc = locateNvcc()
  if (nvcc === null) return skipBecause(skip, 'there is no nvcc')
  const ofOps = emitCases('cuda_all', all, [true], { target: onSmallScale, kernelsPerUnit: UNIT }).emitted.device
  const ofSteps = ofModels({ ...cuda, combinesInProducts: true }).map((file) => ({ ...file, name: `steps_${file.name}` }))
  const kernels = await assemble(nvcc, [...ofOps, ...ofSteps])
  process.stdout.write(`assembled by nvcc: ${kernels} kernels of ${all.length} op cases and ${Object.keys(models).length} models\n`)
  expect(kernels).toBeGreaterThan(1000)
})

test(`every kernel of one golden case in ${EVERY}`, async ({ skip }) => {
  const nvcc = locateNvcc()
  if (nvcc === null) return skipBecause(skip, 'there is no nvcc')
  if (!hasGolden) return skipBecause(skip, absence)
  const kernels = await assemble(nvcc, await ofGolden())
  process.stdout.write(`assembled by nvcc: ${kernels} kernels of one golden case in ${EVERY}\n`)
  expect(kernels).toBeGreaterThan(50)
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
