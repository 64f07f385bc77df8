/** Golden cases of the schedules: `<pass>/<case>.kir` holds a kernel before and after. Both must verify and read back. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { KernelProgram } from '../../compiler/ir/loop.js'
import { parseKernel } from '../../compiler/ir/loop-parse.js'
import { printKernel } from '../../compiler/ir/loop-text.js'
import { verifyKernel } from '../../compiler/ir/loop-verify.js'
import { collapse } from '../../compiler/schedule/collapse.js'
import { parallelize } from '../../compiler/schedule/parallelize.js'
import { partialSums } from '../../compiler/schedule/partial-sums.js'
import { mapThreads } from '../../compiler/schedule/map-threads.js'
import { cpu, cuda } from '../../compiler/schedule/target.js'
import { sumsInParts } from '../../compiler/schedule/sums-in-parts.js'
import { tileWindows } from '../../compiler/schedule/tile-windows.js'
import { vectorize } from '../../compiler/schedule/vectorize.js'
import { vectorsAbreast } from '../../compiler/schedule/vectors-abreast.js'
import { windowSquares } from '../../compiler/schedule/window-squares.js'
import { goldenFiles } from '../golden-files.js'

const root = new URL('.', import.meta.url).pathname

const passes: Record<string, (kernel: KernelProgram) => KernelProgram> = {
  collapse, vectorize, 'partial-sums': partialSums, 'tile-windows': tileWindows, 'vectors-abreast': vectorsAbreast, 'window-squares': (kernel) => windowSquares(kernel, cpu), parallelize: (kernel) => parallelize(kernel, cpu),
  'sums-in-parts': (kernel) => sumsInParts(kernel, cuda),
  'map-threads': (kernel) => mapThreads(kernel, cuda),
}

for (const [name, pass] of Object.entries(passes)) {
  describe(name, () => goldenFiles(join(root, name), (text) => {
    const before = parseKernel(text.split('\n').filter((line) => !line.startsWith('#')).join('\n'))
    verifyKernel(before)
    const after = pass(before)
    verifyKernel(after)
    expect(printKernel(parseKernel(printKernel(after)))).toBe(printKernel(after))
    return printKernel(after)
  }))
}

test('every folder belongs to a pass', () => {
  expect(readdirSync(root, { withFileTypes: true }).filter((e) => e.isDirectory()).map((e) => e.name).sort()).toEqual(Object.keys(passes).sort())
})
