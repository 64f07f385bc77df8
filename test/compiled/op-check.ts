/** One op case, called and compared. */
import { expect } from 'vitest'
import { interpret } from '../../compiler/ops/interpret.js'
import { errorInUlp } from '../ops/values.js'
import { boundedResults, compareBounded } from './error-bound.js'
import type { Callable } from './native-functions.js'
import { taskName, type CompiledCase } from './op-cases.js'

/**
 * Compares every function of the case with plain evaluation: the value within the record's bound in units of the last
 * place, and everything within what the roundings of its ops can add up to.
 */
export function checkCase(native: Callable, c: CompiledCase, fuse: boolean): void {
  for (const seed of [1, 2]) {
    const run = { inputs: c.inputs(seed), variables: c.variables(seed), scalars: c.scalars, seed, step: 3 }
    for (const graph of c.module.functions) {
      const actual = native.call(taskName(c, graph, fuse), run)
      const plain = interpret(graph, { ...run, precision: 'f64' }).outputs
      const bounded = boundedResults(graph, run)
      for (const { name } of graph.outputs) {
        const { worst, at, unknown } = compareBounded(actual[name]!, bounded[name]!)
        expect(worst, `${graph.name}.${name}[${at}] = ${actual[name]![at]}, expected ${plain[name]!.data[at]} ± ${bounded[name]!.error[at]}`).toBeLessThanOrEqual(1)
        expect(unknown).toBe(0)
        if (graph.name === 'value') expect(errorInUlp(actual[name]!, plain[name]!.data)).toBeLessThanOrEqual(c.ulp)
      }
    }
  }
}
