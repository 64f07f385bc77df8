/**
 * Layers with windows compiled: values, gradients and gradients of gradients at sizes where they go wrong, of no, one and
 * several samples, against loops written from their definitions and differences of them.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compileTasks, emitTasks, type NativeFunctions } from './native-functions.js'
import { windowedCases } from './windowed/cases.js'
import { checkRun, prepare, runOf, tasksOf } from './windowed/check.js'

const prepared = windowedCases().map(prepare)
const planned = emitTasks('windowed', prepared.flatMap(tasksOf))
let native: NativeFunctions

beforeAll(async () => { native = await compileTasks(planned, { flags: ['-O1'] }) }, 300_000)
afterAll(() => native.close())

test('every kind has cases', () => expect(prepared.length).toBeGreaterThan(100))

describe.each([0, 1, 3])('%i samples', (batch) => {
  test.each(prepared.map((p) => [p.c.title, p] as const))('%s', (_title, p) => checkRun(native, p, runOf(p, batch)))
})
