/** What nvcc makes of products with fewer digits: instructions of tensor cores, and tiles that stay in registers. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Precision } from '../../runtime/contract/manifest.js'
import { locateNvcc, nvccFlags } from '../../compiler/build/cuda.js'
import { Dense, Sequential, clearSession } from '../../compiler/index.js'
import { moduleSource } from '../../compiler/nn/module-source.js'
import { compileSources, cuda, defaultOptions } from '../../compiler/pipeline.js'
import { inPackage } from '../../compiler/support/paths.js'
import { skipBecause } from '../skip-because.js'

/** Kernels with the largest tiles, whose operands' neighbours lie along terms and along columns. */
function wideProducts(precision: Precision): string {
  clearSession()
  const model = Sequential([Dense(2048, { activation: 'relu', inputShape: [2048] }), Dense(2048, { activation: 'relu' }), Dense(10, { activation: 'softmax' })])
  model.compile({ optimizer: 'sgd', loss: 'categorical_crossentropy' })
  const { device } = compileSources([{ ...moduleSource(model), name: `tiles_${precision}` }], { ...defaultOptions, precision, target: cuda })
  return device.find((file) => /MmaTile<kcc::WordPanel<kcc::\w+, 128, .*kcc::WordPanel<kcc::\w+, 128, /.test(file.text))!.text
}

/** The assembly of a file for the oldest GPU that has the instructions, and bytes of registers that each kernel spills. */
function compiled(nvcc: string, text: string): { readonly ptx: string; readonly spilled: readonly number[] } {
  const folder = mkdtempSync(join(tmpdir(), 'kcc-tiles-'))
  try {
    writeFileSync(join(folder, 'tiles.cu'), text)
    const flags = nvccFlags([80]).filter((flag) => !flag.startsWith('-gencode'))
    const { stderr, status } = spawnSync(nvcc, [...flags, '-arch=sm_80', '-Xptxas=-v', '--keep', '-DKCC_LEVEL=cuda', '-I', inPackage('native', 'include'), '-cubin', 'tiles.cu'], { cwd: folder, encoding: 'utf8' })
    expect([status, status === 0 ? '' : stderr]).toEqual([0, ''])
    return { ptx: readFileSync(join(folder, 'tiles.ptx'), 'utf8'), spilled: [...stderr.matchAll(/(\d+) bytes spill stores/g)].map((m) => Number(m[1])) }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

describe.each([
  ['tf32', 'mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32'], ['mixed_bfloat16', 'mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32'],
] as const)('%s', (precision, instruction) => {
  test('products are instructions of tensor cores, and their tiles stay in registers', ({ skip }) => {
    const nvcc = locateNvcc()
    if (nvcc === null) return skipBecause(skip, 'there is no nvcc')
    const { ptx, spilled } = compiled(nvcc, wideProducts(precision))
    expect(ptx).toContain(instruction)
    expect(ptx).toContain('ldmatrix.sync.aligned.m8n8.x4.shared.b16')
    expect(ptx).toMatch(/ld\.(global\.)?(nc\.)?v4\.f32/)
    expect(spilled.length).toBeGreaterThan(1)
    expect(Math.max(...spilled)).toBe(0)
  })
})
