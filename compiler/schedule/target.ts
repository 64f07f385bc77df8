/** Facts about a target that schedules use. A CUDA target is a second record here and a second list in `index.ts`. */
import { serverRates, widestVector, type Rates } from '../ir/cost.js'

export type Target = {
  readonly name: 'cpu'
  /** Lanes of float32 the widest level has; ranges given to threads are multiples of it. */
  readonly widestVector: number
  /** Elements of one block of the random stream: ranges that start at multiples of it waste no draw. */
  readonly randomBlock: number
  /** Work below which a range is not worth handing to another thread, in element operations (about 2 µs of one core). */
  readonly rangeWork: number
  /** What work costs, for decisions and reports. */
  readonly rates: Rates
}

export const cpu: Target = { name: 'cpu', widestVector, randomBlock: 64, rangeWork: 32768, rates: serverRates }
