/** One kernel that breaks each invariant of the loop IR. */
import { describe, expect, test } from 'vitest'
import { nowhere } from '../../compiler/ir/graph.js'
import type { KernelProgram } from '../../compiler/ir/loop.js'
import { parseKernel } from '../../compiler/ir/loop-parse.js'
import { LoopFault, verifyKernel } from '../../compiler/ir/loop-verify.js'

const buffers = 'in0: f32[8] read, out0: f32[8] write'
const loop = (...body: string[]): string => [`for d0 < 8 {`, ...body, '}'].join('\n')
const kernel = (body: string, head = buffers): KernelProgram => parseKernel(`kernel "k" (${head}) {\n${body}\n}\n`)
const sound = kernel(loop('let v0 = tanh(in0[d0])', 'store out0[d0] = v0'))

test('a sound kernel', () => expect(() => verifyKernel(sound)).not.toThrow())

const product = `contract d0 < 2; d1 < 4; k < 3 as accumulator {\nlhs in0[k]\nrhs in0[k]\nstore out0[4*d0 + d1] = accumulator\n}`

const inTiles = (library: string): KernelProgram => parseKernel(`kernel "k" (${buffers}) launch tiles of 32 x 32 x 16 or library${library} {\n${product}\n}\n`)

test('a product that a library may compute', () => expect(() => verifyKernel(inTiles(' into out0'))).not.toThrow())

const broken: [invariant: number, what: string, kernel: KernelProgram][] = [
  [1, 'two buffers of one name', { ...sound, buffers: [...sound.buffers, sound.buffers[0]!] }],
  [1, 'a write to no buffer', { ...sound, writes: ['out0', 'out1'] }],
  [1, 'a buffer that nothing touches', { ...sound, reads: [] }],
  [2, 'a load of what is only written', kernel(loop('store out0[d0] = out0[d0]'))],
  [2, 'a store to what is only read', kernel(loop('store in0[d0] = 1:f32', 'store out0[d0] = 1:f32'))],
  [2, 'a stored value of another dtype', kernel(loop('store out0[d0] = 1:i32'))],
  [2, 'a combination of another dtype', kernel('reduce v0: f32 = sum over d0 < 8 {\nvalue 1:i32\n}\nstore out0[0] = v0')],
  [2, 'positions of the largest bool', kernel('argmax v0 over d0 < 8 {\nvalue gt(in0[d0], 0:f32)\n}\nstore out0[0] = cast:f32(v0)')],
  [3, 'an axis of no loop', kernel(loop('store out0[d1] = 1:f32'))],
  [3, 'an axis used after its loop', kernel(`${loop('store out0[d0] = 1:f32')}\nstore out0[d0] = 1:f32`)],
  [3, 'nested loops over one axis', kernel(loop(loop('store out0[d0] = 1:f32')))],
  [4, 'a name bound twice', kernel(loop('let v0 = in0[d0]', 'let v0 = in0[d0]', 'store out0[d0] = v0'))],
  [5, 'a product with a neighbour', kernel(`${product}\n${loop('store out0[d0] = 1:f32')}`)],
  [3, 'rows together that are not the last', { ...kernel(product), body: kernel(product).body.map((s) => (s.kind === 'contract' ? { ...s, together: [{ name: 'd7', extent: 2 }] } : s)) }],
  [5, 'a loop inside a vector', kernel('for d0 < 2 vector {\nfor d1 < 4 {\nstore out0[4*d0 + d1] = 1:f32\n}\n}')],
  [5, 'a vector before the last reduced axis', kernel('reduce v0: f32 = sum over d0 < 2 vector, d1 < 4 {\nvalue in0[4*d0 + d1]\n}\nstore out0[0] = v0')],
  [6, 'a split of another axis', { ...sound, splits: [{ axes: [{ name: 'd1', extent: 8 }], workPerItem: 1, multiple: 1 }] }],
  [6, 'splits of other statements', { ...sound, splits: [null, null] }],
  [6, 'ranges of what is no loop', { ...kernel('let v0 = in0[0]\nstore out0[0] = v0'), splits: [null, null] }],
  [8, 'a library that writes what is read', inTiles(' into in0')],
  [8, 'a library that ends a product nowhere', inTiles('')],
  [8, 'a library that adds what is not read', inTiles(' into out0 plus out0')],
  [8, 'a library that is given rounded operands that are not', inTiles(' of rounded lhs into out0')],
  [2, 'a reduction without a result', { ...sound, body: [{ kind: 'reduce', results: [], axes: [{ name: 'd0', extent: 8 }], modes: ['serial'], body: [], from: nowhere }, ...sound.body] }],
]

describe('is refused', () => {
  test.each(broken)('invariant %i: %s', (invariant, _what, bad) => {
    expect(() => verifyKernel(bad)).toThrow(LoopFault)
    expect(() => verifyKernel(bad)).toThrow(`invariant ${invariant} of the loop IR`)
  })

  test('invariant 4: a name used outside its scope', () => {
    const store = { kind: 'store', buffer: 'out0', index: { terms: [], quotients: [], offset: 0 }, value: { kind: 'local', dtype: 'float32', name: 'v0' }, from: nowhere } as const
    expect(() => verifyKernel({ ...sound, body: [...sound.body, store] })).toThrow('invariant 4 of the loop IR')
  })
})
