/**
 * Every op from its record, compiled: the value and the gradient at each sample (sizes 0, 1, vectors and tiles ± 1),
 * fused and unfused, against plain evaluation.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { checkCase } from './op-check.js'
import { compileTasks, type NativeFunctions } from './native-functions.js'
import { compiledCases, emitCases } from './op-cases.js'

const cases = compiledCases()
const planned = emitCases('ops', cases)
let native: NativeFunctions

beforeAll(async () => { native = await compileTasks(planned) })
afterAll(() => native.close())

test('every op has cases', () => expect(cases.length).toBeGreaterThan(400))

describe.each([true, false])('fused: %s', (fuse) => {
  test.each(cases.map((c) => [c.title, c] as const))('%s', (_title, c) => checkCase(native, c, fuse))
})
