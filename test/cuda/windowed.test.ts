/** Layers with windows as kernels for a GPU: a sample of the cases of `test/compiled/windowed`, values and both gradients. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cuda } from '../../compiler/schedule/target.js'
import { compileTasks, emitTasks, type NativeFunctions } from '../compiled/native-functions.js'
import { windowedCases } from '../compiled/windowed/cases.js'
import { checkRun, prepare, runOf, tasksOf } from '../compiled/windowed/check.js'
import { deviceBuild, onGpu, where } from './device.js'

/** Every so manyth case. */
const EVERY = onGpu ? 1 : 12

const all = windowedCases()
const prepared = all.filter((_, i) => i % EVERY === 7 % EVERY).map(prepare)
const planned = emitTasks('cuda_windowed', prepared.flatMap(tasksOf), { target: { ...cuda, combinesInProducts: true } })
let native: NativeFunctions

beforeAll(async () => { native = await compileTasks(planned, { device: deviceBuild(), flags: ['-O1'] }) })
afterAll(() => native.close())

test('a sample of all', () => {
  process.stdout.write(`${where}: ${prepared.length} of ${all.length} layers with windows\n`)
  expect(prepared.length).toBeGreaterThan(10)
})

describe.each([0, 1, 3])('%i samples', (batch) => {
  test.each(prepared.map((p) => [p.c.title, p] as const))('%s', (_title, p) => checkRun(native, p, runOf(p, batch)))
})
