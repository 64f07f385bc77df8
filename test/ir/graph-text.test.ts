/** The text of the graph IR: what is printed reads back as the same module; damaged text is refused with its line. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addDims, multiplyDims, symbol, type Dim } from '../../compiler/ir/dim.js'
import { parseGraph, parseModule, parseType } from '../../compiler/ir/graph-parse.js'
import { printGraph, printModule } from '../../compiler/ir/graph-text.js'
import type { AttrValue, Module, Node, Provenance } from '../../compiler/ir/graph.js'

const dims: fc.Arbitrary<Dim> = fc.oneof(
  fc.nat(1000),
  fc.tuple(fc.integer({ min: 1, max: 9 }), fc.constantFrom('B', 'T'), fc.integer({ min: -9, max: 9 })).map(([k, s, c]) => addDims(multiplyDims(k, symbol(s)), c)),
)
const attrValues: fc.Arbitrary<AttrValue> = fc.letrec<{ value: AttrValue }>((tie) => ({
  value: fc.oneof({ depthSize: 'small' }, fc.double(), dims, fc.string(), fc.boolean(), fc.constant(null), fc.array(tie('value'), { maxLength: 3 })),
})).value
const words = fc.stringMatching(/^[A-Za-z0-9_/() .-]{1,12}$/).map((s) => s.trim()).filter((s) => s !== '' && !s.startsWith('- '))
const provenances: fc.Arbitrary<Provenance> = fc.record({
  location: fc.option(fc.record({ file: words, line: fc.nat(999), column: fc.nat(99) }), { nil: null }),
  path: fc.oneof(fc.constant(''), words),
})

/** A module of one node with these attributes. */
function moduleWith(attrs: Record<string, AttrValue>, shape: Dim[], from: Provenance): Module {
  const node: Node = { op: 'anything', inputs: [], attrs, type: { dtype: 'float32', shape }, from }
  const user: Node = { op: 'user', inputs: [node, node], attrs: {}, type: node.type, from }
  return {
    name: 'a "quoted" name', variables: [
      { name: 'dense_1/kernel:0', dtype: 'float32', shape: [3, 4], role: 'weight', trainable: true },
      ...(['slot', 'state', 'metric'] as const).map((role) => ({ name: `a ${role}`, dtype: 'float32' as const, shape: [2], role, trainable: false })),
    ],
    scalars: [{ name: 'lr', value: 1e-7 }],
    functions: [{ name: 'f', inputs: [], outputs: [{ name: 'y // {}', node: user }], updates: [{ variable: 'dense_1/kernel:0', node }] }],
  }
}

describe('text', () => {
  test('reads back exactly, whatever the attributes, shapes and places', () => {
    const keys = fc.constantFrom('name', 'shape', 'dtype', 'axes', 'value')
    fc.assert(fc.property(fc.dictionary(keys, attrValues, { noNullPrototype: true }), fc.array(dims, { maxLength: 3 }), provenances, (attrs, shape, from) => {
      const module = moduleWith(attrs, shape, from)
      const text = printModule(module)
      expect(parseModule(text)).toEqual(module)
      expect(printModule(parseModule(text))).toBe(text)
    }), { numRuns: 300, seed: 1 })
  })

  test('keeps numbers that are easily lost', () => {
    const module = moduleWith({ value: [-0, NaN, Infinity, -Infinity, 5e-324, 0.1] }, [], { location: null, path: '' })
    const [value] = Object.values(parseModule(printModule(module)).functions[0]!.outputs[0]!.node.inputs[0]!.attrs)
    expect(value).toEqual([-0, NaN, Infinity, -Infinity, 5e-324, 0.1])
  })

  test('keeps sharing: one line per node', () => {
    const { outputs } = parseModule(printModule(moduleWith({}, [], { location: null, path: '' }))).functions[0]!
    expect(outputs[0]!.node.inputs[0]).toBe(outputs[0]!.node.inputs[1])
  })

  test('is read with comments, blank lines and any names', () => {
    const graph = parseGraph('# a comment\nfunction "f" {\n\n  %in = input() {name="x", dtype, shape} : f32[B,2*T]  // my model.ts:3:1 a b\n inputs %in\n output "y" = %in\n}')
    expect(graph.inputs[0]).toBe(graph.outputs[0]!.node)
    expect(graph.inputs[0]!.from).toEqual({ location: { file: 'my model.ts', line: 3, column: 1 }, path: 'a b' })
    expect(printGraph(graph)).toContain('%x = input() {name="x", dtype, shape} : f32[B,2*T]  // my model.ts:3:1 a b')
  })

  test.each([
    ['modul "m" {\n}', /line 1: expected `module "<name>" \{`/],
    ['module "m" {', /line 1: expected more lines, found the end/],
    ['module "m" {\n  variable "w" : f32[B] weight\n}', /line 2: expected a shape of numbers/],
    ['module "m" {\n  variable "w" : f32[2] wight\n}', /line 2: expected `variable/],
    ['module "m" {\n  function "f" {\n    %1 = exp(%0) : f32[2]\n  }\n}', /line 3: no node %0 above/],
    ['module "m" {\n  function "f" {\n    %1 = exp() : float[2]\n  }\n}', /line 3: expected a type such as f32\[B,64\], found "float\[2\]"/],
    ['module "m" {\n  function "f" {\n    %1 = exp() : f32[2]\n    %1 = exp() : f32[2]\n  }\n}', /line 4: %1 is defined twice/],
    ['module "m" {\n  function "f" {\n    %1 = exp() {axis} : f32[2]\n  }\n}', /line 3: attribute "axis" has no value/],
    ['module "m" {\n  function "f" {\n    output "y" = 3\n  }\n}', /line 3: expected `output/],
  ])('%j is refused', (text, message) => {
    expect(() => parseModule(text)).toThrow(message)
    expect(() => parseModule(text)).toThrow(SyntaxError)
  })

  test('types', () => {
    expect(parseType('bool[]')).toEqual({ dtype: 'bool', shape: [] })
    expect(parseType('i32[3,B]')).toEqual({ dtype: 'int32', shape: [3, symbol('B')] })
  })
})
