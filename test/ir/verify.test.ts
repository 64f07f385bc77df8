/** A module for every invariant of the verifier that breaks just this one. */
import { describe, expect, test } from 'vitest'
import { parseModule } from '../../compiler/ir/graph-parse.js'
import { GraphFault, verifyModule } from '../../compiler/ir/verify.js'
import { inferType } from '../../compiler/ops/type-rules.js'

const functionOf = (...lines: string[]): string => `function "f" {\n${lines.join('\n')}\n}`
const moduleOf = (...parts: string[]): string => `module "m" {\n${parts.join('\n')}\n}`
const x = '%x = input() {name="x", dtype, shape} : f32[B,3]'

const broken: readonly (readonly [invariant: number, text: string, message: RegExp])[] = [
  [1, moduleOf(functionOf(x, '%1 = expp(%x) : f32[B,3]', 'inputs %x', 'output "y" = %1')), /Unknown op "expp"/],
  [1, moduleOf(functionOf(x, '%1 = exp(%x) : f32[B,4]', 'inputs %x', 'output "y" = %1')), /expected the type f32\[B,3\], found f32\[B,4\]/],
  [1, moduleOf(functionOf(x, '%1 = add(%x) : f32[B,3]', 'inputs %x', 'output "y" = %1')), /expected 2 inputs, found 1/],
  [2, moduleOf(functionOf('%1 = constant() {value=0, dtype, shape} : f32[-3]', 'output "y" = %1')), /not a whole number from 0 up/],
  [3, moduleOf(functionOf(x, '%1 = exp(%x) : f32[B,3]', 'inputs %x, %1', 'output "y" = %1')), /a node of the signature is not an input/],
  [3, moduleOf(functionOf(x, '%1 = input() {name="x", dtype, shape} : f32[B]', 'inputs %x, %1', 'output "y" = %1')), /two inputs named "x"/],
  [4, moduleOf(functionOf(x, '%1 = exp(%x) : f32[B,3]', 'output "y" = %1')), /not in the signature/],
  [5, moduleOf(functionOf('%1 = randomUniform() {stream=0, shape} : f32[T]', 'output "y" = %1')), /no input has the dimension T/],
  [6, moduleOf(functionOf(x, 'inputs %x', 'output "y" = %x', 'output "y" = %x')), /two outputs named "y"/],
  [7, moduleOf('variable "w" : f32[] state', functionOf('%1 = constant() {value=0, dtype, shape} : f32[]', 'update "w" = %1', 'update "w" = %1')), /"w" is updated twice/],
  [8, moduleOf(functionOf(), functionOf()), /two functions named "f"/],
  [8, moduleOf('scalar "lr" = 1', 'scalar "lr" = 2'), /two scalars named "lr"/],
  [9, moduleOf(functionOf('%1 = variable() {name="w", dtype, shape} : f32[2]', 'output "y" = %1')), /no variable "w" in the table/],
  [9, moduleOf('variable "w" : f32[3] weight', functionOf('%1 = variable() {name="w", dtype, shape} : f32[2]', 'output "y" = %1')), /variable "w" is f32\[3\], found f32\[2\]/],
  [9, moduleOf('variable "w" : i32[] slot', functionOf('%1 = constant() {value=0, dtype, shape} : f32[]', 'update "w" = %1')), /variable "w" is i32\[\], found f32\[\]/],
  [10, moduleOf(functionOf('%1 = scalar() {name="lr"} : f32[]', 'output "y" = %1')), /no scalar "lr" in the table/],
]

const fault = (text: string): unknown => {
  try { verifyModule(parseModule(text), inferType) } catch (error) { return error }
  return null
}

describe('verifier', () => {
  test.each(broken)('invariant %i: %s', (invariant, text, message) => {
    const error = fault(text)
    expect(error).toBeInstanceOf(GraphFault)
    expect((error as GraphFault).message).toMatch(message)
    expect((error as GraphFault).invariant).toBe(invariant)
  })

  test('every invariant has a case', () => {
    expect([...new Set(broken.map(([n]) => n))]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  })

  test('shows the lines around the fault', () => {
    const error = fault(moduleOf(functionOf(x, '%1 = exp(%x) : f32[B,3]', '%2 = exp(%1) : f32[B]  // model.ts:3:1 dense_1', '%3 = exp(%2) : f32[B]', 'inputs %x', 'output "y" = %3')))
    expect((error as Error).message.split('\n').slice(1)).toEqual([
      '  %x = input() {name="x", dtype, shape} : f32[B,3]', '  %1 = exp(%x) : f32[B,3]', '> %2 = exp(%1) : f32[B]  // model.ts:3:1 dense_1', '  %3 = exp(%2) : f32[B]',
    ])
  })

  test('accepts a correct module', () => {
    expect(fault(moduleOf('variable "w" : f32[3] weight trainable', functionOf(x, '%w = variable() {name="w", dtype, shape} : f32[3]', 'inputs %x', 'output "y" = %x', 'update "w" = %w')))).toBeNull()
  })
})
