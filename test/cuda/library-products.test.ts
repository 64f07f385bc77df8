/**
 * Products as cuBLASLt computes them, played by a CPU from its documentation (played-cublaslt.cc): every layout and size of a product
 * with both gradients, each measured, compared with its definition and chosen, against plain evaluation with the bounds of our own
 * kernels.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { choicesOf } from '../../runtime/tuned.js'
import { cuda } from '../../compiler/schedule/target.js'
import { compileTasks, type NativeFunctions } from '../compiled/native-functions.js'
import { compiledCases, emitCases } from '../compiled/op-cases.js'
import { checkCase } from '../compiled/op-check.js'
import { onGpu } from './device.js'
import { playedLibrary, type PlayedLibrary } from './played-library.js'

const cases = compiledCases().filter((c) => c.op.lowering.kind === 'contract')
const planned = emitCases('library_products', cases, [true], { target: cuda })

/** With a GPU the real one is asked (`npm run test:cuda`), where it is installed. */
describe.skipIf(onGpu)('played by a CPU', () => {
  let native: NativeFunctions, library: PlayedLibrary
  beforeAll(async () => {
    library = playedLibrary('played-cublaslt.cc')
    process.env['KCC_CUBLASLT'] = library.file
    native = await compileTasks(planned, { device: { kind: 'host' }, flags: ['-O1'] })
    native.each((module) => choicesOf(module, true))
  })
  afterAll(() => {
    native.close()
    library.remove()
    delete process.env['KCC_CUBLASLT']
  })

  test.each(cases.map((c) => [c.title, c] as const))('%s', (_title, c) => checkCase(native, c, true))

  test('most of them are computed by the library', () => {
    const products = native.each((module) => choicesOf(module)!.products).flat(), own = products.filter(({ by }) => by === 'own')
    expect(products.length).toBeGreaterThan(60)
    // Nothing was refused; what is slower is noise of this machine.
    expect(own.filter(({ libraryNanoseconds }) => libraryNanoseconds === 0)).toEqual([])
    expect(own.length).toBeLessThan(products.length / 2)
    expect(new Set(products.map(({ by }) => by))).toContain('library')
  })
})
