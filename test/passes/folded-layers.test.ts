/** Batch normalisation after a convolution, as a user writes it: what is left of it in the functions of the model. */
import { expect, it } from 'vitest'
import { Activation, BatchNormalization, Conv2D, Flatten, Sequential, clearSession } from '../../compiler/index.js'
import { printKernel } from '../../compiler/ir/loop-text.js'
import type { KernelProgram } from '../../compiler/ir/loop.js'
import { moduleSource } from '../../compiler/nn/module-source.js'
import { assemble, defaultOptions, planModule } from '../../compiler/pipeline.js'

function kernelsOf(name: string): readonly KernelProgram[] {
  clearSession()
  const model = Sequential([Conv2D(16, [3, 3], { inputShape: [8, 8, 4] }), BatchNormalization(), Activation('relu'), Flatten()])
  model.compile({ loss: 'mse', optimizer: 'sgd' })
  const planned = planModule(assemble(moduleSource(model)), null, defaultOptions)
  return planned.functions.find((f) => f.general.graph.name === name)!.general.kernels.map((k) => k.program)
}

/** Without places in this file, and without how the loops are cut into ranges. */
const loopsOf = (text: string): string => text.replaceAll(/ +\/\/.*$/gm, '').replaceAll(/\) split .* \{$/gm, ') {')

it('prediction: a kernel over the channels, and the convolution with one multiply-add for each element', () => {
  expect(loopsOf(kernelsOf('predict').map(printKernel).join(''))).toBe(`\
kernel "batch_normalization_1_add" (in0: f32[16] read, in1: f32[16] read, in2: f32[16] read, in3: f32[16] read, in4: f32[16] read, out0: f32[16] write, out1: f32[16] write) {
  for d0 < 16 vector {
    let v0 = add(in1[d0], 0.001:f32)
    let v1 = sqrt(v0)
    let v2 = div(in0[d0], v1)
    let v3 = sub(in2[d0], in3[d0])
    let v4 = mul(v3, v2)
    let v5 = add(v4, in4[d0])
    store out0[d0] = v2
    store out1[d0] = v5
  }
}
kernel "conv2d_1_matmul" (in0: f32[B,8,8,4] read, in1: f32[3,3,4,16] read, in2: f32[16] read, in3: f32[16] read, out0: f32[B,6,6,16] write) {
  contract d0 < B, d1 < 6, d2 < 6; d3 < 16; k0 < 3, k2 < 12 as accumulator {
    lhs in0[256*d0 + 32*d1 + 32*k0 + 4*d2 + k2]
    rhs in1[192*k0 + 16*k2 + d3]
    let v0 = mul(accumulator, in2[d3])
    let v1 = add(v0, in3[d3])
    let v2 = max(v1, 0:f32)
    store out0[576*d0 + 96*d1 + 16*d2 + d3] = v2
  }
}
`)
})
