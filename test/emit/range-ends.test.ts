/** Where ranges of items end in what they write, by the stores of a kernel. */
import { expect, test } from 'vitest'
import { rangeEnds } from '../../compiler/emit/range-ends.js'
import type { Stmt } from '../../compiler/ir/loop.js'
import { parseKernel } from '../../compiler/ir/loop-parse.js'

type Loop = Stmt & { readonly kind: 'for' }

/** The declarations for ranges of the outermost `depth` loops. */
function ends(text: string, depth = 1): readonly string[] {
  const kernel = parseKernel(text), loops: Loop[] = []
  for (let s = kernel.body[0]; s?.kind === 'for' && loops.length < depth; s = s.body[0]) loops.push(s)
  return rangeEnds(kernel, kernel.body, loops.map((loop) => loop.axis), 'end').lines.map((line) => line.replace('[[maybe_unused]] const auto* const ', ''))
}

test('elements, rows, and rows of rows', () => {
  expect(ends('kernel "k" (in0: f32[B] read, out0: f32[B] write) {\n  for d0 < B vector {\n    store out0[d0] = in0[d0]\n  }\n}')).toEqual(['out0_end = out0 + end;'])
  const rows = 'kernel "k" (in0: f32[B,5,64] read, out0: f32[B,5,64] write) {\n  for d0 < B {\n    for d1 < 5 {\n      for d2 < 64 vector {\n        store out0[320*d0 + 64*d1 + d2] = in0[320*d0 + 64*d1 + d2]\n      }\n    }\n  }\n}'
  expect(ends(rows)).toEqual(['out0_end = out0 + end * 320;'])
  expect(ends(rows, 2)).toEqual(['out0_end = out0 + end * 64;'])
})

test('a part of a whole ends at its own place', () => {
  expect(ends('kernel "k" (in0: f32[8,64] read, out0: f32[24,64] write) {\n  for d0 < 8 {\n    for d1 < 64 vector {\n      store out0[64*d0 + d1 + 512] = in0[64*d0 + d1]\n      store out0[64*d0 + d1 + 1024] = in0[64*d0 + d1]\n    }\n  }\n}')).toEqual(['out0_end = out0 + end * 64 + 512;'])
})

test('nothing is known of items that lie apart, of bytes, and of places that only a call knows', () => {
  expect(ends('kernel "k" (in0: f32[B,5,64] read, out0: f32[5,B,64] write) {\n  for d0 < B {\n    for d1 < 5 {\n      for d2 < 64 vector {\n        store out0[64*d0 + 64*B*d1 + d2] = in0[320*d0 + 64*d1 + d2]\n      }\n    }\n  }\n}', 2)).toEqual([])
  expect(ends('kernel "k" (in0: f32[B] read, out0: bool[B] write) {\n  for d0 < B vector {\n    store out0[d0] = gt(in0[d0], 0:f32)\n  }\n}')).toEqual([])
  expect(ends('kernel "k" (in0: f32[B] read, out0: f32[2*B] write) {\n  for d0 < B vector {\n    store out0[d0 + B] = in0[d0]\n  }\n}')).toEqual([])
})
