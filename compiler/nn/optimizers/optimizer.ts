/**
 * An optimizer with its options. Its run-time scalars can be read and set at any time: before the model's first step
 * they are the initial values, afterwards they go to the running engine through `connect`.
 */
import { ArgumentTypeError, ValueError } from '../../../runtime/contract/errors.js'
import type { Node, Scalar, Update, Variable } from '../../ir/graph.js'
import { add, cast, div, mul, scalar, variable } from '../../ops/build.js'
import type { OptimizerUpdate, Parameter } from '../../ops/optimizer-update.js'
import { captureLocation } from '../../support/capture.js'
import { namesHint } from '../../support/closest.js'
import { reprText } from '../python-text.js'
import { snakeIdentifier } from '../training-names.js'
import { clipGradients, type ClipOptions } from './clip.js'
import type { Fixed, OptimizerDefinition, SlotShape, StepContext } from './define-optimizer.js'
import { findOptimizer } from './registry.js'

/** Options in any of Keras' spellings (`lr`, `learning_rate`, `beta_1`) or in camelCase (`learningRate`, `beta1`). */
export type OptimizerOptions = { readonly [name: string]: number | boolean | null | undefined }

export type OptimizerConfig = { readonly class_name: string; readonly config: Readonly<Record<string, number | boolean>> }

/** Where the values of run-time scalars live once a model runs. */
export type ScalarStore = { get(name: string): number; set(name: string, value: number): void }

const float32 = { dtype: 'float32', shape: [] } as const

/** An optimizer of a model: its rule, its hyperparameters (settable between steps) and the state it keeps. */
export class Optimizer {
  private readonly values: Map<string, number>
  private readonly initial: ReadonlyMap<string, number>
  private store: ScalarStore | null = null
  readonly fixed: Fixed
  readonly clip: ClipOptions

  /** @throws ArgumentTypeError for an option the optimizer does not have. */
  constructor(readonly definition: OptimizerDefinition, options: OptimizerOptions = {}) {
    const given = kerasOptions(definition, options)
    const number = (name: string): number | null => { const v = given.get(name); return typeof v === 'number' ? v : null }
    this.initial = new Map(Object.entries(definition.scalars).map(([name, value]) => [name, number(name) ?? value]))
    this.values = new Map(this.initial)
    this.fixed = Object.fromEntries(Object.entries(definition.fixed).map(([name, value]) => [name, given.get(name) ?? value]))
    this.clip = { clipnorm: number('clipnorm'), clipvalue: number('clipvalue') }
  }

  /** The learning rate, before `decay`. */
  get lr(): number { return this.get('lr') }
  set lr(value: number) { this.set('lr', value) }

  /** @throws ValueError for a name the optimizer does not have. */
  get(name: string): number {
    const value = this.values.get(name)
    if (value === undefined) throw new ValueError(`${this.definition.className} has no run-time value named ${name}.`)
    return this.store && this.isUsed(name) ? this.store.get(name) : value
  }

  set(name: string, value: number): void {
    this.get(name)
    this.values.set(name, value)
    if (this.isUsed(name)) this.store?.set(name, value)
  }

  /** Sends reads and writes of scalars to a running engine; null takes the last values back. */
  connect(store: ScalarStore | null): void {
    for (const name of this.values.keys()) this.values.set(name, this.get(name))
    this.store = store
  }

  /** As `training_config` holds it: values of scalars rounded to float32, as Keras reads them from its variables. */
  config(): OptimizerConfig {
    const { definition, clip } = this
    const clips = Object.entries(clip).filter((entry): entry is [string, number] => entry[1] !== null)
    const own = definition.config.map((key): [string, number | boolean] =>
      key in definition.scalars ? [key === 'lr' ? 'learning_rate' : key, Math.fround(this.get(key))] : [key, this.fixed[key]!])
    return { class_name: definition.className, config: Object.fromEntries([...clips, ...own]) }
  }

  /** The module's run-time scalars, in the order of the configuration. */
  scalars(): Scalar[] {
    return Object.keys(this.definition.scalars).filter((name) => this.isUsed(name)).map((name) => ({ name, value: this.get(name) }))
  }

  /** A scalar whose terms were left out of the graph is not in the module. */
  private isUsed(name: string): boolean {
    return name === 'lr' || !(name === 'decay' || name === 'momentum') || !this.isZero(name)
  }

  private isZero(name: string): boolean { return this.initial.get(name) === 0 }

  /** State in Keras' order and under Keras' names: `iterations`, extra scalars, then each slot for all parameters. */
  variables(parameters: readonly { readonly shape: readonly number[] }[]): Variable[] {
    const slots = Object.entries(this.definition.slots(this.fixed))
    return [
      slotVariable(this.iterationsName, 'int32', []),
      ...this.definition.states.map((name) => slotVariable(this.stateName(name), 'float32', [])),
      ...slots.flatMap(([slot, shape]) => parameters.map((p, i) => slotVariable(this.slotName(slot, i), 'float32', shapeOfSlot(shape, p.shape)))),
    ]
  }

  private get iterationsName(): string { return `${this.definition.className}/iterations:0` }
  private stateName(name: string): string { return `${this.definition.className}/${name}:0` }
  private slotName(slot: string, index: number): string { return `training/${this.definition.className}/${slot}_${index}_1:0` }

  /** The update of all parameters, as the pass that attaches the optimizer calls it with their gradients. */
  readonly update: OptimizerUpdate = (parameters) => {
    const iterations = variable(this.iterationsName, { dtype: 'int32', shape: [] })
    const step = this.definition.step(this.context(iterations))
    const gradients = clipGradients(parameters.map((p) => p.gradient), this.clip)
    return [
      { variable: this.iterationsName, node: add(iterations, 1) },
      ...Object.entries(step.state ?? {}).map(([name, node]): Update => ({ variable: this.stateName(name), node })),
      ...parameters.flatMap((p, i) => this.parameterUpdates(step, p, gradients[i]!, i)),
    ]
  }

  private context(iterations: Node): StepContext<string, Fixed> {
    const elapsed = cast(iterations, 'float32')
    const names = Object.keys(this.definition.scalars).filter((name) => this.isUsed(name))
    const nodes = Object.fromEntries(names.map((name) => [name, scalar(name)]))
    const decay = nodes['decay']
    return {
      scalar: nodes,
      fixed: this.fixed,
      isZero: (name) => this.isZero(name),
      lr: decay ? mul(nodes['lr']!, div(1, add(1, mul(decay, elapsed)))) : nodes['lr']!,
      t: add(elapsed, 1),
      state: (name) => variable(this.stateName(name), float32),
    }
  }

  private parameterUpdates(step: ReturnType<OptimizerDefinition['step']>, { variable: parameter }: Parameter, gradient: Node, index: number): Update[] {
    const slots = Object.entries(this.definition.slots(this.fixed)).map(([slot, shape]): [string, Node] =>
      [slot, variable(this.slotName(slot, index), { dtype: 'float32', shape: shape === 'parameter' ? parameter.type.shape : shape })])
    const result = step.update({ parameter, gradient, slot: Object.fromEntries(slots) })
    const changed = Object.entries(result.slots).flatMap(([slot, node]): Update[] => (node ? [{ variable: this.slotName(slot, index), node }] : []))
    return [...changed, { variable: String(parameter.attrs['name']), node: result.parameter }]
  }
}

const slotVariable = (name: string, dtype: 'int32' | 'float32', shape: readonly number[]): Variable =>
  ({ name, dtype, shape, role: 'slot', trainable: false })

const shapeOfSlot = (shape: SlotShape, parameter: readonly number[]): readonly number[] => (shape === 'parameter' ? parameter : shape)

/** Options under the record's names. @throws ArgumentTypeError */
function kerasOptions(definition: OptimizerDefinition, options: OptimizerOptions): Map<string, number | boolean> {
  const known = [...Object.keys(definition.scalars), ...Object.keys(definition.fixed), 'clipnorm', 'clipvalue']
  const result = new Map<string, number | boolean>()
  if (typeof options !== 'object') throw new ArgumentTypeError(`${definition.className}() takes its options in one object, such as { learningRate: 0.01 }. Found: ${reprText(options)}`, captureLocation())
  for (const [key, value] of Object.entries(options)) {
    const snake = snakeIdentifier(key)
    const name = snake === 'learning_rate' ? 'lr' : snake
    if (!known.includes(name)) throw new ArgumentTypeError(`Unexpected keyword argument passed to optimizer: ${key}`, captureLocation(), namesHint(key, ['learningRate', ...known]))
    if (value !== null && value !== undefined) result.set(name, checked(name, value, typeof definition.fixed[name] === 'boolean'))
  }
  return result
}

/** @throws ValueError for a number that cannot be used, TypeError for what is none. */
function checked(name: string, value: unknown, isFlag: boolean): number | boolean {
  if (isFlag ? typeof value !== 'boolean' : typeof value !== 'number') throw new ArgumentTypeError(`The optimizer's ${name} must be ${isFlag ? 'true or false' : 'a number'}, found ${reprText(value)}.`, captureLocation())
  if (typeof value === 'number' && !Number.isFinite(value)) throw new ValueError(`The optimizer's ${name} must be a finite number, found ${value}.`, captureLocation())
  return value as number | boolean
}

/** The optimizer of an identifier, a configuration or an instance, as `compile` takes it. @throws ValueError */
export function getOptimizer(identifier: string | Optimizer | { readonly class_name: string; readonly config: OptimizerOptions }): Optimizer {
  if (identifier instanceof Optimizer) return identifier
  const name = typeof identifier === 'string' ? identifier : identifier?.class_name
  if (typeof name !== 'string') throw new ValueError(`Could not interpret optimizer identifier: ${reprText(identifier)}`)
  const definition = findOptimizer(name)
  if (!definition) throw new ValueError(`Unknown optimizer: ${name}`)
  return new Optimizer(definition, typeof identifier === 'string' ? {} : identifier.config)
}
