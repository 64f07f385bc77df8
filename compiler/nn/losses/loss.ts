/**
 * A loss as one output of a model uses it: which function, with which options, and how the losses of the elements
 * become one number. Made from a name, from a user's function, from a configuration, or by the loss classes.
 */
import { ArgumentTypeError, ValueError } from '../../../runtime/contract/errors.js'
import { sizeOf } from '../../ir/dim.js'
import type { Node } from '../../ir/graph.js'
import { add, cast, dimension, div, mul, reshape, stopGradient, sub, sum } from '../../ops/build.js'
import { camelToSnake, snakeToCamel } from '../configured.js'
import { reprText, tupleText } from '../python-text.js'
import { toKShape } from '../shape.js'
import { KTensor, type TensorLike } from '../tensor.js'
import { functionName, snakeIdentifier } from '../training-names.js'
import { defaultLossOptions, type LossDefinition, type LossOptions, type Prediction } from './define-loss.js'
import { lossOptionKinds } from './loss-options.js'
import { findLoss, findLossClass } from './registry.js'

const reductions = ['sum_over_batch_size', 'sum', 'none'] as const
/**
 * How the losses of samples become one number: their mean, their sum, or not at all. In training a loss with `none` is
 * minimised as the sum and reported as the mean.
 */
export type Reduction = (typeof reductions)[number]

/**
 * A user's loss or metric: from float32 targets and predictions to values of the samples (or of elements, or one
 * number). It may return a tensor or a graph node.
 */
export type LossFunction = (yTrue: KTensor, yPred: KTensor) => TensorLike | Node

/** A function of `losses`, which is known as what it is wherever a user's own may stand. */
export type BuiltinLoss = ((yTrue: TensorLike, yPred: TensorLike, options?: Omit<LossClassOptions, 'reduction' | 'name'>) => KTensor) & { readonly definition: LossDefinition }
const isBuiltin = (f: LossFunction): f is BuiltinLoss => 'definition' in f

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

  /** Losses times the weights of their samples ([B]) or time steps ([B, T]), reduced as asked for. */
  reduced(yTrue: Node, yPred: Prediction, weights: Node): Node {
    const losses = weighted(this.compute(yTrue, yPred), weights)
    return this.reduction === 'none' ? losses : this.reduction === 'sum' ? sum(losses) : meanOf(losses)
  }

  /** One number, to be minimised and reported. Its gradient is that of the sum of the unreduced losses where there is no reduction. */
  total(yTrue: Node, yPred: Prediction, weights: Node): Node {
    const reduced = this.reduced(yTrue, yPred, weights)
    if (this.reduction !== 'none') return reduced
    const all = sum(reduced)
    return add(stopGradient(meanOf(reduced)), sub(all, stopGradient(all)))
  }

  /** Name and options, as Keras' `get_config`; a function has none. */
  getConfig(): ObjectConfig['config'] { return typeof this.config === 'string' ? { name: this.name } : this.config.config }
}

const meanOf = (losses: Node): Node => div(sum(losses), dimension(sizeOf(losses.type.shape)))

/**
 * `values` ([B, ...], or one number for the whole batch) times `weights` ([B] or [B, T]).
 * @throws ValueError when there are weights of time steps for values of samples
 */
export function weighted(values: Node, weights: Node): Node {
  const [rank, axes] = [values.type.shape.length, weights.type.shape.length]
  if (rank > 0 && rank < axes) throw new ValueError(`Weights of shape ${tupleText(toKShape(weights.type.shape))} do not fit losses of shape ${tupleText(toKShape(values.type.shape))}: expected a loss for each time step.`)
  const column = reshape(weights, [...weights.type.shape, ...Array<number>(Math.max(rank - axes, 0)).fill(1)])
  return mul(cast(values, 'float32'), column)
}

/** Options of the loss classes, in TypeScript's spelling. */
export type LossClassOptions = {
  readonly fromLogits?: boolean
  readonly labelSmoothing?: number
  readonly delta?: number
  readonly axis?: number
  readonly reduction?: Reduction
  readonly name?: string
}

/** Options by Keras' names, with defaults for those not given. @throws ArgumentTypeError for a value of the wrong type. */
export function kerasOptions(options: LossClassOptions): LossOptions {
  const given: Readonly<Record<string, unknown>> = options
  const entries = Object.entries(lossOptionKinds).map(([key, { parse }]) => {
    const value = given[snakeToCamel(key)] ?? defaultLossOptions[key as keyof LossOptions]
    return [key, parse(value as never, key)]
  })
  return Object.fromEntries(entries) as LossOptions
}

/** @throws ArgumentTypeError for an option that this loss does not have. */
function checkKeys({ className, options: own }: LossDefinition, given: LossClassOptions): void {
  const known = [...own.map(snakeToCamel), 'reduction', 'name']
  const unknown = Object.keys(given).find((key) => !known.includes(key))
  if (unknown !== undefined) throw new ArgumentTypeError(`${className}() got an unexpected keyword argument '${camelToSnake(unknown)}'`)
}

/** An instance of a loss class. @throws ValueError for an unknown reduction. */
export function lossOfClass(definition: LossDefinition, options: LossClassOptions = {}): Loss {
  checkKeys(definition, options)
  const keras = kerasOptions(options)
  const reduction = reductions.find((r) => r === (options.reduction ?? 'sum_over_batch_size'))
  const name = options.name ?? definition.instanceName
  if (reduction === undefined) throw new ValueError(`Invalid Reduction Key ${String(options.reduction)}.`)
  const own = Object.fromEntries(definition.options.map((key) => [key, keras[key]]))
  const config = { class_name: definition.className, config: { reduction, name, ...own } }
  return new Loss(definition, name, reduction, config, (t, p) => definition.compute(t, p, keras))
}

/** The loss of a name or of a user's function, as `compile` takes it. @throws ValueError for an unknown one. */
export function getLoss(identifier: string | LossFunction | Loss | ObjectConfig): Loss {
  if (identifier instanceof Loss) return identifier
  if (typeof identifier === 'function') return isBuiltin(identifier) ? namedLoss(identifier.definition, identifier.definition.name) : customLoss(identifier)
  if (isObjectConfig(identifier)) return lossOfConfig(identifier)
  if (typeof identifier !== 'string') throw new ValueError(`Could not interpret loss function identifier: ${reprText(identifier)}`)
  const definition = findLoss(identifier)
  if (!definition) throw new ValueError(`Unknown loss function:${identifier}`)
  return namedLoss(definition, identifier)
}

/** The loss as a function, with every option at its default. */
function namedLoss(definition: LossDefinition, spelling: string): Loss {
  const compute = (t: Node, p: Prediction): Node => definition.compute(t, p, defaultLossOptions)
  return new Loss(definition, definition.name, 'sum_over_batch_size', kerasSpelling(spelling, definition), compute)
}

/** The user's own spelling where Keras knows it, so that a file says what the program said. */
const kerasSpelling = (name: string, definition: LossDefinition): string =>
  name === definition.name || definition.aliases.includes(name) ? name : snakeIdentifier(name)

function customLoss(fn: LossFunction): Loss {
  const name = functionName(fn)
  return new Loss(null, name, 'sum_over_batch_size', name, (t, p) => callUserFunction(fn, t, p.node))
}

/** @throws ValueError for an unknown class or option. */
function lossOfConfig({ class_name, config }: ObjectConfig): Loss {
  const definition = findLossClass(class_name)
  if (!definition) throw new ValueError(`Unknown loss function:${class_name}`)
  const known = [...definition.options, 'reduction', 'name'] as readonly string[]
  const unknown = Object.keys(config).find((key) => !known.includes(key))
  if (unknown !== undefined) throw new ValueError(`Loss ${class_name} has no option ${unknown}: ${reprText(config)}`)
  return lossOfClass(definition, Object.fromEntries(Object.entries(config).map(([key, value]) => [snakeToCamel(key), value])))
}
