/**
 * What running metrics have counted so far in one epoch or evaluation. Native code keeps it in variables of the module
 * while it runs; in between it is here, so that a validation, an evaluation inside a callback or one at the same time
 * never adds to the numbers of another.
 */
import { allocate } from './contract/dtype.js'
import type { TypedArray } from './contract/dtype.js'
import { sizeOf } from './ndarray.js'
import type { Program } from './program.js'

export class MetricState {
  readonly #values: ReadonlyMap<string, TypedArray>

  constructor(readonly program: Program) {
    const variables = program.manifest.variables.filter((v) => v.role === 'metric')
    this.#values = new Map(variables.map(({ name, dtype, shape }) => [name, allocate(dtype, sizeOf(shape))]))
  }

  reset(): void {
    for (const value of this.#values.values()) value.fill(0)
  }

  /** Runs native code that goes on counting from here. No other native code may run that changes variables. */
  async during<T>(body: () => Promise<T>): Promise<T> {
    for (const [name, value] of this.#values) this.program.writeVariable(name, value)
    const result = await body()
    for (const [name, value] of this.#values) value.set(this.program.readVariable(name).data)
    return result
  }
}
