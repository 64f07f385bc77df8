/**
 * Every op from its record as kernels for a GPU, executed by the host: values and gradients at the sizes of the compiled
 * tests, against plain evaluation with the same bounds. A barrier that some threads miss, or shared memory touched without
 * one, fails the call. With a GPU the same cases run there.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compileTasks, type NativeFunctions } from '../compiled/native-functions.js'
import { checkCase } from '../compiled/op-check.js'
import { compiledCases, emitCases } from '../compiled/op-cases.js'
import { deviceBuild, onSmallScale, where } from './device.js'

const cases = compiledCases()
const planned = emitCases('cuda_ops', cases, [true], { target: onSmallScale })
let native: NativeFunctions

beforeAll(async () => { native = await compileTasks(planned, { device: deviceBuild(), flags: ['-O1'] }) })
afterAll(() => native.close())

test('every op has cases', () => expect(cases.length).toBeGreaterThan(400))

describe(where, () => {
  test.each(cases.map((c) => [c.title, c] as const))('%s', (_title, c) => checkCase(native, c, true))
})
