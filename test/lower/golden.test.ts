/** Golden cases of lowering: `kernels/<case>.kir` holds a module and the loops of its kernels. */
import { describe, expect } from 'vitest'
import { parseModule } from '../../compiler/ir/graph-parse.js'
import { parseKernel } from '../../compiler/ir/loop-parse.js'
import { printKernel } from '../../compiler/ir/loop-text.js'
import { verifyKernel } from '../../compiler/ir/loop-verify.js'
import { lowerKernels } from '../../compiler/lower/lower-kernel.js'
import { formKernels } from '../../compiler/passes/form-kernels.js'
import { goldenFiles } from '../golden-files.js'

describe('lower', () => goldenFiles(new URL('kernels/', import.meta.url).pathname, (before) =>
  parseModule(before).functions.flatMap((graph) => lowerKernels(formKernels(graph)).map(({ program }) => {
    verifyKernel(program)
    const text = printKernel(program)
    expect(printKernel(parseKernel(text))).toBe(text)
    return text
  })).join('\n')))
