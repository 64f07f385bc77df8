/**
 * A loss as one output of a model uses it: which function, with which options, and how the losses of the elements
 * become one number. Made from a name, from a user's function, from a configuration, or by the loss classes.
 */
import { ValueError } from '../../../runtime/contract/errors.js'
import { sizeOf } from '../../ir/dim.js'
import type { Node } from '../../ir/graph.js'
import { cast, dimension, div, mul, reshape, sum } from '../../ops/build.js'
import { reprText } from '../python-text.js'
import { KTensor, type TensorLike } from '../tensor.js'
import { functionName, snakeIdentifier } from '../training-names.js'
import { defaultLossOptions, type LossDefinition, type LossOptions, type Prediction } from './define-loss.js'
import { findLoss, findLossClass } from './registry.js'

export type Reduction = 'sum_over_batch_size' | 'sum'

/**
 * A user's loss or metric: from float32 targets and predictions to values of the samples (or of elements, or one
 * number). It may return a tensor or a graph node.
 */
export type LossFunction = (yTrue: KTensor, yPred: KTensor) => TensorLike | Node

/** @throws ValueError when the function does not return a tensor. */
export function callUserFunction(fn: LossFunction, yTrue: Node, yPred: Node): Node {
  const result: unknown = fn(new KTensor(cast(yTrue, 'float32')), new KTensor(yPred))
  const node = typeof result === 'object' && result !== null && 'node' in result ? result.node : result
  if (typeof node === 'object' && node !== null && 'op' in node && 'type' in node) return node as Node
  throw new ValueError(`The function ${functionName(fn)} given to compile must return a tensor, found: ${reprText(result)}`)
}

/** `{ class_name, config }`, as a file stores a loss class. */
export type ObjectConfig = { readonly class_name: string; readonly config: Readonly<Record<string, unknown>> }

export const isObjectConfig = (value: unknown): value is ObjectConfig =>
  typeof value === 'object' && value !== null && 'class_name' in value && typeof value.class_name === 'string'

/** A loss as `compile` takes it: made by the classes of `losses`, by name, or from a function. */
export class Loss {
  constructor(
    /** Null for a user's function, of whose targets nothing is assumed. */
    readonly definition: LossDefinition | null,
    readonly name: string,
    readonly reduction: Reduction,
    /** What `training_config` holds for this loss: a name or a class with its options. */
    readonly config: string | ObjectConfig,
    private readonly elements: (yTrue: Node, yPred: Prediction) => Node,
  ) {}

  /** Losses before weights and reduction. `yTrue` is float32, or int32 for class numbers. */
  compute(yTrue: Node, yPred: Prediction): Node {
    const target = this.definition?.kind === 'sparse' ? cast(yTrue, 'int32') : cast(yTrue, yPred.node.type.dtype)
    return this.elements(target, yPred)
  }

  /** One number: losses times the weights of their samples ([B]), summed, and divided by their number unless `sum` was asked for. */
  total(yTrue: Node, yPred: Prediction, weights: Node): Node {
    const losses = weighted(this.compute(yTrue, yPred), weights)
    const total = sum(losses)
    return this.reduction === 'sum' ? total : div(total, dimension(sizeOf(losses.type.shape)))
  }
}

/** `values` ([B, ...], or one number for the whole batch) times `weights` ([B]). */
export function weighted(values: Node, weights: Node): Node {
  const rank = values.type.shape.length
  const column = reshape(weights, [...weights.type.shape, ...Array<number>(Math.max(rank - 1, 0)).fill(1)])
  return mul(cast(values, 'float32'), column)
}

/** Options of the loss classes, in TypeScript's spelling. */
export type LossClassOptions = {
  readonly fromLogits?: boolean
  readonly labelSmoothing?: number
  readonly delta?: number
  readonly reduction?: Reduction
  readonly name?: string
}

const kerasOptions = (options: LossClassOptions): LossOptions => ({
  from_logits: options.fromLogits ?? defaultLossOptions.from_logits,
  label_smoothing: options.labelSmoothing ?? defaultLossOptions.label_smoothing,
  delta: options.delta ?? defaultLossOptions.delta,
})

/** An instance of a loss class. @throws ValueError for an unknown reduction. */
export function lossOfClass(definition: LossDefinition, options: LossClassOptions = {}): Loss {
  const keras = kerasOptions(options)
  const reduction: string = options.reduction ?? 'sum_over_batch_size'
  const name = options.name ?? definition.instanceName
  if (reduction !== 'sum' && reduction !== 'sum_over_batch_size') throw new ValueError(`Invalid Reduction Key ${reduction}.`)
  const own = Object.fromEntries(definition.options.map((key) => [key, keras[key]]))
  const config = { class_name: definition.className, config: { reduction, name, ...own } }
  return new Loss(definition, name, reduction, config, (t, p) => definition.compute(t, p, keras))
}

/** The loss of a name or of a user's function, as `compile` takes it. @throws ValueError for an unknown one. */
export function getLoss(identifier: string | LossFunction | Loss | ObjectConfig): Loss {
  if (identifier instanceof Loss) return identifier
  if (typeof identifier === 'function') return customLoss(identifier)
  if (isObjectConfig(identifier)) return lossOfConfig(identifier)
  if (typeof identifier !== 'string') throw new ValueError(`Could not interpret loss function identifier: ${reprText(identifier)}`)
  const definition = findLoss(identifier)
  if (!definition) throw new ValueError(`Unknown loss function:${identifier}`)
  const compute = (t: Node, p: Prediction): Node => definition.compute(t, p, defaultLossOptions)
  return new Loss(definition, definition.name, 'sum_over_batch_size', kerasSpelling(identifier, definition), compute)
}

/** The user's own spelling where Keras knows it, so that a file says what the program said. */
const kerasSpelling = (name: string, definition: LossDefinition): string =>
  name === definition.name || definition.aliases.includes(name) ? name : snakeIdentifier(name)

function customLoss(fn: LossFunction): Loss {
  const name = functionName(fn)
  return new Loss(null, name, 'sum_over_batch_size', name, (t, p) => callUserFunction(fn, t, p.node))
}

function lossOfConfig({ class_name, config }: ObjectConfig): Loss {
  const definition = findLossClass(class_name)
  if (!definition) throw new ValueError(`Unknown loss function:${class_name}`)
  const options: Record<string, unknown> = { fromLogits: config['from_logits'], labelSmoothing: config['label_smoothing'], delta: config['delta'], reduction: config['reduction'], name: config['name'] }
  const unknown = Object.keys(config).find((k) => !['from_logits', 'label_smoothing', 'delta', 'reduction', 'name'].includes(k))
  if (unknown !== undefined) throw new ValueError(`Loss ${class_name} has no option ${unknown}: ${reprText(config)}`)
  return lossOfClass(definition, checkedOptions(options))
}

/** Options from a file, each of the type it must have. */
function checkedOptions(raw: Readonly<Record<string, unknown>>): LossClassOptions {
  const number = (key: string): number | undefined => (typeof raw[key] === 'number' ? raw[key] : undefined)
  const reduction = raw['reduction'] === 'sum' ? 'sum' : 'sum_over_batch_size'
  return {
    reduction,
    ...(typeof raw['fromLogits'] === 'boolean' ? { fromLogits: raw['fromLogits'] } : {}),
    ...(number('labelSmoothing') !== undefined ? { labelSmoothing: number('labelSmoothing') } : {}),
    ...(number('delta') !== undefined ? { delta: number('delta') } : {}),
    ...(typeof raw['name'] === 'string' ? { name: raw['name'] } : {}),
  }
}
