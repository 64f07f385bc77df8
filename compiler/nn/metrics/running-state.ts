/** A rule at work on arrays, without a model: its state, and the plain evaluation of its ops. */
import type { AnyTypedArray, NestedArray, ShapedArray } from '../../../runtime/contract/fit-types.js'
import type { Node } from '../../ir/graph.js'
import { input, variable } from '../../ops/build.js'
import type { Tensor } from '../../ops/define-op.js'
import { evaluateNodes } from '../../ops/interpret.js'
import { plainPrediction } from '../losses/define-loss.js'
import { toWeightValue } from '../weight.js'
import type { MetricBatch, StateRule, StateVariable } from './rule.js'

/** Numbers as `updateState` takes them: with a shape, in nested lists, or a typed array of one axis. */
export type MetricInput = ShapedArray | NestedArray | AnyTypedArray | number
export type UpdateOptions = {
  /** One weight for all values, for each sample, or for each value. */
  readonly sampleWeight?: MetricInput | null
}

/** The value of a state variable before a batch. */
export const stateNode = ({ name, shape }: StateVariable, prefix = ''): Node => variable(prefix + name, { dtype: 'float32', shape })

const zeros = (shape: readonly number[]): Tensor => ({ shape, data: new Float64Array(shape.reduce((a, b) => a * b, 1)) })

function tensorOf(x: MetricInput): Tensor {
  const { data, shape } = ArrayBuffer.isView(x) ? { data: x, shape: [x.length] } : toWeightValue(x)
  return { shape, data: Float64Array.from(data as ArrayLike<number | bigint>, Number) }
}

/** What a metric has taken in so far. */
export class RunningState {
  #values: readonly Tensor[]

  constructor(private readonly rule: StateRule) { this.#values = this.zeros() }

  private zeros(): Tensor[] { return this.rule.state.map(({ shape }) => zeros(shape)) }

  /**
   * Takes in a batch; targets stand in for predictions where there are none.
   * @throws ValueError for shapes that do not fit each other; the state stays as it was.
   */
  update(yTrue: MetricInput, yPred: MetricInput, { sampleWeight }: UpdateOptions, batchOf: (batch: MetricBatch) => MetricBatch = (b) => b): void {
    const arrays = { target: tensorOf(yTrue), prediction: tensorOf(yPred), weights: tensorOf(sampleWeight ?? 1) }
    const leaf = (name: keyof typeof arrays): Node => input(name, { dtype: 'float32', shape: arrays[name].shape })
    const isWeighted = sampleWeight !== undefined && sampleWeight !== null
    const batch = batchOf({ target: leaf('target'), prediction: plainPrediction(leaf('prediction')), weights: isWeighted ? leaf('weights') : null })
    const after = this.rule.update(this.rule.state.map((s) => stateNode(s)), batch)
    const values = evaluateNodes(after, { inputs: arrays, variables: this.variables() })
    this.#values = after.map((node) => values.get(node)!)
  }

  /** A number, or one for each threshold. */
  result(): number | number[] {
    const node = this.rule.result(this.rule.state.map((s) => stateNode(s)))
    const { data, shape } = evaluateNodes([node], { inputs: {}, variables: this.variables() }).get(node)!
    return shape.length === 0 ? data[0]! : [...data]
  }

  reset(): void { this.#values = this.zeros() }

  private variables(): Record<string, Tensor> {
    return Object.fromEntries(this.rule.state.map(({ name }, i) => [name, this.#values[i]!]))
  }
}
