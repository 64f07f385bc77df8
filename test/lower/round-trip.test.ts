/** Every kernel of random functions, before and after scheduling, verifies and reads back as it was printed. */
import { expect, test } from 'vitest'
import type { KernelProgram } from '../../compiler/ir/loop.js'
import { parseKernel } from '../../compiler/ir/loop-parse.js'
import { printKernel } from '../../compiler/ir/loop-text.js'
import { verifyKernel } from '../../compiler/ir/loop-verify.js'
import { lowerKernels } from '../../compiler/lower/lower-kernel.js'
import { formKernels } from '../../compiler/passes/form-kernels.js'
import { specialize } from '../../compiler/passes/specialize.js'
import { scheduleKernel } from '../../compiler/schedule/index.js'
import { cpu, cuda } from '../../compiler/schedule/target.js'
import { fuzzCases } from '../fuzz/fuzz-cases.js'

const count = 150

function check(program: KernelProgram): void {
  verifyKernel(program)
  const text = printKernel(program), again = parseKernel(text)
  expect(again).toEqual(program)
  expect(printKernel(again)).toBe(text)
}

test(`kernels of ${count} random functions`, () => {
  for (const c of fuzzCases(5000, count)) {
    for (const graph of [c.optimized, specialize(c.optimized, { B: 3 })]) {
      for (const { program } of lowerKernels(formKernels(graph, { fuse: c.seed % 3 !== 0 }))) {
        check(program)
        check(scheduleKernel(program, cpu))
        check(scheduleKernel(program, cuda))
      }
    }
  }
})
