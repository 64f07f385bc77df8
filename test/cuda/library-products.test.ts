/**
 * Products as cuBLASLt computes them, played by a CPU from its documentation (played-cublaslt.cc): layouts and sizes of products
 * with both gradients, in every precision, each measured, compared with its definition and chosen, within the bounds of our own
 * kernels.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Run } from '../../compiler/ops/interpret.js'
import { expandComposed } from '../../compiler/passes/expand-composed.js'
import { roundProducts, type Rounding } from '../../compiler/passes/round-products.js'
import { cuda } from '../../compiler/schedule/target.js'
import { choicesOf, type ProductChoice } from '../../runtime/tuned.js'
import { boundedResults, compareBounded } from '../compiled/error-bound.js'
import { compileTasks, emitTasks, type NativeFunctions, type Task } from '../compiled/native-functions.js'
import { compiledCases } from '../compiled/op-cases.js'
import { skipBecause } from '../skip-because.js'
import { deviceBuild, onGpu } from './device.js'
import { playedLibrary, type PlayedLibrary } from './played-library.js'

type Case = { readonly title: string; readonly task: Task; readonly run: Run }

const roundings: Readonly<Record<string, Rounding>> = { tf32: { format: 'tfloat32', between: false }, mixed_bfloat16: { format: 'bfloat16', between: true } }

const exact = compiledCases().filter((c) => c.op.lowering.kind === 'contract').flatMap((c) => c.module.functions.map((graph): Case => ({
  title: `${c.title} ${graph.name}`, task: { name: `${c.name}_${graph.name}`, graph: expandComposed(graph), variables: c.module.variables, scalars: c.module.scalars, fuse: true },
  run: { inputs: c.inputs(1), variables: c.variables(1), scalars: c.scalars, seed: 1, step: 3 },
})))

/** With rounded operands a part of them. */
const EVERY = 8
const rounded = Object.entries(roundings).flatMap(([precision, rounding], nth) => exact.filter((_, i) => i % EVERY === nth).map(({ title, task, run }): Case =>
  ({ title: `${title}, ${precision}`, run, task: { ...task, name: `${task.name}_${precision}`, graph: roundProducts(rounding)(task.graph) } })))

const cases = [...exact, ...rounded]

/** With a GPU the real one is asked (`npm run test:cuda`); where it is not installed, every product says so. */
describe(onGpu ? 'on the GPU' : 'played by a CPU', () => {
  let native: NativeFunctions, library: PlayedLibrary | null = null
  const products = (): ProductChoice[] => native.each((module) => choicesOf(module)!.products).flat()

  beforeAll(async () => {
    library = onGpu ? null : playedLibrary('played-cublaslt.cc')
    // One way of doing it is enough, and measuring several takes longer.
    if (library) Object.assign(process.env, { KCC_CUBLASLT: library.file, KCC_PLAYED_CUBLASLT: 'ways=1' })
    native = await compileTasks(emitTasks('library_products', cases.map(({ task }) => task), { target: cuda }), { device: deviceBuild(), flags: ['-O1'] })
    native.each((module) => choicesOf(module, true))
  })
  afterAll(() => {
    native.close()
    library?.remove()
    if (library) for (const name of ['KCC_CUBLASLT', 'KCC_PLAYED_CUBLASLT']) delete process.env[name]
  })

  test.each(cases.map((c) => [c.title, c] as const))('%s', (_title, { task, run }) => {
    const actual = native.call(task.name, run)
    for (const [name, bound] of Object.entries(boundedResults(task.graph, run))) {
      const { worst, at, unknown } = compareBounded(actual[name]!, bound)
      expect(worst, `${name}[${at}] = ${actual[name]![at]}, expected ${bound.value.data[at]} ± ${bound.error[at]}`).toBeLessThanOrEqual(1)
      expect(unknown).toBe(0)
    }
  })

  test('every way of a library gives the product', () => {
    const all = products()
    expect(all.length).toBeGreaterThan(100)
    expect(all.filter(({ why }) => why.includes('gave another product'))).toEqual([])
    if (onGpu) process.stdout.write(`products by cuBLASLt: ${all.filter(({ by }) => by !== 'own').length} of ${all.length}${all[0]!.why === '' ? '' : ` (${all[0]!.why})`}\n`)
  })

  test('most of them are computed by the library', ({ skip }) => {
    if (onGpu) return skipBecause(skip, 'on a GPU it is measured who computes them')
    const all = products(), own = all.filter(({ by }) => by === 'own')
    // Nothing was refused; what is slower is noise of this machine.
    expect(own.filter(({ libraryNanoseconds }) => libraryNanoseconds === 0)).toEqual([])
    expect(own.length).toBeLessThan(all.length / 2)
    expect(new Set(all.map(({ by }) => by))).toContain('library')
  })
})
