/**
 * What running metrics have counted so far in one epoch or evaluation. Native code keeps it in variables of the module,
 * until another counts there: then it is brought here, so that a validation, an evaluation inside a callback or one at the
 * same time never adds to the numbers of another.
 */
import { allocate } from './contract/dtype.js'
import type { TypedArray } from './contract/dtype.js'
import { sizeOf } from './ndarray.js'
import type { Program } from './program.js'

/** Whose numbers the variables of a program hold. */
const residents = new WeakMap<Program, MetricState>()

export class MetricState {
  readonly #values: ReadonlyMap<string, TypedArray>

  constructor(readonly program: Program) {
    const variables = program.manifest.variables.filter((v) => v.role === 'metric')
    this.#values = new Map(variables.map(({ name, dtype, shape }) => [name, allocate(dtype, sizeOf(shape))]))
  }

  reset(): void {
    for (const value of this.#values.values()) value.fill(0)
    if (residents.get(this.program) === this) residents.delete(this.program)
  }

  /** Runs native code that goes on counting from here. No other native code may run that changes variables. */
  async during<T>(body: () => Promise<T>): Promise<T> {
    if (this.#values.size > 0 && residents.get(this.program) !== this) this.#moveIn()
    return body()
  }

  #moveIn(): void {
    const before = residents.get(this.program)
    if (before !== undefined) before.#moveOut()
    for (const [name, value] of this.#values) this.program.writeVariable(name, value)
    residents.set(this.program, this)
  }

  #moveOut(): void {
    for (const [name, value] of this.#values) value.set(this.program.readVariable(name).data)
  }
}
