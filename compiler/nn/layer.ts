/**
 * The base class of layers. An instance is a function: `layer(x)` connects it to a tensor. Built-in layers are records
 * (`define-layer.ts`); users extend this class with `build`, `call`, `computeOutputShape` and `getConfig`, as in Keras.
 */
import { inspect } from 'node:util'
import type { DType } from '../../runtime/contract/dtype.js'
import { ArgumentTypeError, KccError, RuntimeError, ValueError, type SourceLocation } from '../../runtime/contract/errors.js'
import type { Node } from '../ir/graph.js'
import { captureLocation } from '../support/capture.js'
import { namesHint } from '../support/closest.js'
import type { ArrayResult } from '../../runtime/contract/fit-types.js'
import type { Json, JsonObject } from './configured.js'
import { getConstraint, type ConstraintIdentifier } from './constraints.js'
import type { InboundNode } from './inbound-node.js'
import { deferredDraw, getInitializer, type InitializerIdentifier } from './initializers.js'
import { checkInputs, type InputSpec } from './input-spec.js'
import { commonShapes, onlyTensors, shapesAt, tensorsAt } from './layer-nodes.js'
import { reprText } from './python-text.js'
import { applyRegularizer, getRegularizer, type Regularizer, type RegularizerIdentifier } from './regularizers.js'
import { RunScope } from './run-scope.js'
import { session } from './session.js'
import { toList, unpackSingleton, type KShape } from './shape.js'
import { KTensor, type TensorLike } from './tensor.js'
import { toWeightValue, Weight, type WeightInput } from './weight.js'
import { checkWeightShapes, weightResult } from './weight-result.js'

/** Options every layer takes. */
export type LayerOptions = {
  readonly name?: string | null
  readonly trainable?: boolean
  readonly dtype?: DType
  /** Shape of one sample, for the first layer of a Sequential model. */
  readonly inputShape?: KShape
  readonly batchInputShape?: KShape
  readonly batchSize?: number | null
  /** First values of the weights, in the order of `getWeights`. */
  readonly weights?: readonly WeightInput[]
}
const layerOptionNames = ['name', 'trainable', 'dtype', 'inputShape', 'batchInputShape', 'batchSize', 'weights', 'inputDtype']

/** What `call` is told besides its tensors. */
export type CallContext = { readonly training: boolean; readonly arguments: JsonObject }

export type Tensors = KTensor | readonly KTensor[]
export type AddWeightOptions = {
  readonly name?: string
  readonly shape: readonly (number | null)[]
  readonly dtype?: DType
  readonly initializer?: InitializerIdentifier
  readonly regularizer?: RegularizerIdentifier
  readonly constraint?: ConstraintIdentifier
  readonly trainable?: boolean
}

/**
 * What calling a layer gives: a tensor, or a list of them when the layer has several outputs. Which of the two is known
 * only when the call is made, so the type is both: `K.mean(dense(x))` and `const [sequence, state] = rnn(x)`.
 */
export type CallResult = KTensor & KTensor[]

/** Instances are callable. */
export interface Layer {
  (inputs: Tensors, args?: JsonObject): CallResult
}

/** @throws TypeError in Keras' words for the first option that is not in `allowed`; `others` may have been meant. */
export function refuseUnknownOptions(options: object, allowed: readonly string[], others: readonly string[] = []): void {
  const unknown = Object.keys(options).find((key) => !allowed.includes(key))
  if (unknown !== undefined) throw new ArgumentTypeError(`('Keyword argument not understood:', ${reprText(unknown)})`, captureLocation(), namesHint(unknown, [...others, ...allowed]))
}

/** @throws TypeError for anything but a list of sizes, in which null is a size that only the data has. */
export function checkedShape(shape: unknown, name: string): KShape {
  const isSize = (d: unknown): boolean => d === null || (typeof d === 'number' && Number.isInteger(d) && d >= 0)
  if (Array.isArray(shape) && shape.every(isSize)) return [...(shape as KShape)]
  throw new ArgumentTypeError(`\`${name}\` must be a list of sizes from 0 up, or null where any will do. Found: ${reprText(shape)}`, captureLocation())
}

const batchShapeOf = ({ batchInputShape, inputShape, batchSize }: LayerOptions): KShape | null =>
  batchInputShape ? checkedShape(batchInputShape, 'batch_input_shape') : inputShape !== undefined ? checkedShape([batchSize ?? null, ...checkedShape(inputShape, 'input_shape')], 'batch_size') : null

const dtypes: readonly DType[] = ['float32', 'float64', 'int32', 'uint8', 'bool']

/** @throws TypeError for options of the wrong type, as a program without types may pass them. */
function checkTypes({ name, trainable, dtype }: LayerOptions): void {
  const refuse = (option: string, wanted: string, found: unknown): never => { throw new ArgumentTypeError(`\`${option}\` must be ${wanted}. Found: ${reprText(found)}`, captureLocation()) }
  if (name !== undefined && name !== null && typeof name !== 'string') refuse('name', 'a text', name)
  if (trainable !== undefined && typeof trainable !== 'boolean') refuse('trainable', 'true or false', trainable)
  if (dtype !== undefined && !dtypes.includes(dtype)) refuse('dtype', `one of ${dtypes.join(', ')}`, dtype)
}

export class Layer {
  declare name: string
  declare trainable: boolean
  declare dtype: DType
  declare built: boolean
  declare supportsMasking: boolean
  declare stateful: boolean
  /** What inputs must look like; checked before building and at every call. */
  declare inputSpec: InputSpec | readonly (InputSpec | null)[] | null
  declare batchInputShape: KShape | null
  declare activityRegularizer: Regularizer | null
  declare inboundNodes: InboundNode[]
  /** Calls of other layers on this one's outputs. */
  declare outboundNodes: InboundNode[]
  /** The user's line that made the layer. */
  declare readonly location: SourceLocation | null
  protected declare ownWeights: Weight[]
  protected declare ownLosses: Node[]
  private declare initialWeights: readonly WeightInput[] | null

  constructor(options: LayerOptions = {}) {
    refuseUnknownOptions(options, layerOptionNames, this.optionNames)
    checkTypes(options)
    const self = callable(new.target.prototype as Layer)
    Object.assign(self, {
      name: options.name ? options.name : self.automaticName(),
      trainable: options.trainable ?? true,
      dtype: options.dtype ?? 'float32',
      built: false, supportsMasking: false, stateful: false, inputSpec: null, activityRegularizer: null,
      batchInputShape: batchShapeOf(options), inboundNodes: [], outboundNodes: [], location: captureLocation(classNames(new.target)),
      ownWeights: [], ownLosses: [], initialWeights: options.weights ?? null,
    })
    return self
  }

  /** Options of a class besides those of all layers, for messages. */
  protected get optionNames(): readonly string[] { return [] }

  /** Keras' `__class__.__name__`, as in configurations and summaries. */
  get className(): string { return this.constructor.name }
  protected automaticName(): string { return session.layerName(this.className) }

  /** Makes the weights for inputs of this shape. A layer with several inputs gets a list of shapes. */
  build(_inputShape: KShape | KShape[]): void { this.built = true }
  /** The layer's function. `inputs` is a list when the layer was called on several tensors. */
  call(inputs: KTensor | KTensor[], _context: CallContext): Tensors { return inputs }
  computeOutputShape(inputShape: KShape | KShape[]): KShape | KShape[] { return inputShape }

  /** Connects the layer to tensors. Inside another layer's `call` it only computes. @throws ValueError for unfit inputs. */
  apply(inputs: Tensors, args: JsonObject = {}): KTensor | KTensor[] {
    return this.located(() => {
      const list = this.tensors(inputs)
      const outer = session.currentRun
      return session.inScope(this.name, () => {
        this.ensureBuilt(list)
        checkInputs(this.name, list, this.inputSpec)
        const outputs = this.run(list, args, outer ?? new RunScope(false))
        return unpackSingleton(outer ? outputs : this.connect(list, outputs, args))
      })
    })
  }

  /** Builds the layer for these inputs unless it is built. */
  ensureBuilt(inputs: readonly KTensor[]): void {
    if (this.built) return
    checkInputs(this.name, inputs, this.inputSpec)
    this.build(unpackSingleton(inputs.map((t) => t.shape)))
    this.built = true
    if (this.initialWeights) this.setWeights(this.initialWeights)
    this.initialWeights = null
  }

  /** Computes the layer over `inputs` as part of `scope`, without recording a call. The layer must be built. */
  run(inputs: readonly KTensor[], args: JsonObject, scope: RunScope): KTensor[] {
    const call = (): Tensors => this.call(unpackSingleton(inputs), { training: scope.training, arguments: args })
    return scope.inLayer(this.name, this.location, () => session.withRun(scope, () => {
      const outputs = this.tensors(this.keepsState ? call() : scope.withoutUpdates(call))
      const penalty = this.activityRegularizer
      if (penalty) scope.losses.push(...outputs.map((t) => applyRegularizer(penalty, t.node)))
      return outputs
    }))
  }

  /** A frozen layer changes nothing when it runs, unless it is stateful. */
  protected get keepsState(): boolean { return this.trainable || this.stateful }

  /** Records a call: tensors that remember this layer. */
  protected connect(inputs: readonly KTensor[], results: readonly KTensor[], args: JsonObject, isSource = false): KTensor[] {
    const nodeIndex = this.inboundNodes.length
    const outputs = results.map((t, tensorIndex) => new KTensor(t.node, { layer: this, nodeIndex, tensorIndex }))
    const node: InboundNode = { layer: this, inputs: isSource ? outputs : inputs, outputs, arguments: args, isSource }
    this.inboundNodes.push(node)
    if (!isSource) for (const t of inputs) t.history?.layer.outboundNodes.push(node)
    return outputs
  }

  private tensors(inputs: Tensors): KTensor[] {
    const list = toList(inputs)
    if (list.every((t) => t instanceof KTensor)) return list
    throw new ValueError(`Layer ${this.name} was called with an input that isn't a symbolic tensor. Received type: ${pythonType(list.find((t) => !(t instanceof KTensor)))}. Full input: ${reprText(list)}. All inputs to the layer should be tensors.`)
  }

  /** Errors without a place get the user's line that led here. */
  protected located<T>(body: () => T): T {
    try {
      return body()
    } catch (error) {
      if (error instanceof KccError && error.location === null) Object.assign(error, { location: captureLocation() ?? this.location })
      throw error
    }
  }

  /** A new weight of this layer, to be called in `build`: `addWeight({ name: 'kernel', shape: [3, 4] })`. */
  addWeight(options: AddWeightOptions): Weight
  addWeight(name: string, shape: readonly number[], options?: Omit<AddWeightOptions, 'name' | 'shape'>): Weight
  addWeight(first: string | AddWeightOptions, shape: readonly number[] = [], rest: Omit<AddWeightOptions, 'name' | 'shape'> = {}): Weight {
    const o: AddWeightOptions = typeof first === 'string' ? { ...rest, name: first, shape } : first
    const dims = o.shape.map((d) => d ?? unknownDimension())
    const dtype = o.dtype ?? this.dtype
    const weight = new Weight({
      name: session.weightName(o.name ?? 'variable'), shape: dims, dtype, trainable: o.trainable ?? true,
      draw: deferredDraw(getInitializer(o.initializer ?? 'glorot_uniform'), dims, dtype),
      regularizer: getRegularizer(o.regularizer), constraint: getConstraint(o.constraint),
    })
    this.ownWeights.push(weight)
    return weight
  }

  /** Adds 0-d tensors to the loss; in `call`, of this run. */
  addLoss(losses: TensorLike | readonly TensorLike[]): void {
    const nodes = toList(losses).map((l) => l.node)
    ;(session.currentRun?.losses ?? this.ownLosses).push(...nodes)
  }

  /** In `call`: after the step, `weight` takes the value of `value`. */
  addUpdate(weight: Weight, value: TensorLike): void { session.currentRun?.update(weight.name, value.node) }

  /** In `call`: the value `weight` has been given in this run so far, for layers that are called several times. */
  pendingValue(weight: Weight): Node { return session.currentRun?.updated(weight.name) ?? weight.node }

  /** Penalties of weights and losses that do not depend on inputs; a weight is penalised whether or not it is trained. */
  weightLosses(scope: RunScope): Node[] {
    const penalties = this.ownWeights.flatMap((w) => {
      const { regularizer } = w
      return regularizer ? [scope.inLayer(`${this.name}/regularizer`, this.location, () => applyRegularizer(regularizer, w.node))] : []
    })
    return [...penalties, ...this.ownLosses]
  }

  get trainableWeights(): Weight[] { return this.trainable ? this.ownWeights.filter((w) => w.trainable) : [] }
  get nonTrainableWeights(): Weight[] {
    const fixed = this.ownWeights.filter((w) => !w.trainable)
    return this.trainable ? fixed : [...this.ownWeights.filter((w) => w.trainable), ...fixed]
  }
  get weights(): Weight[] { return [...this.trainableWeights, ...this.nonTrainableWeights] }

  /** Copies of the weights' values, in the order of `weights`. */
  getWeights(): ArrayResult[] { return this.weights.map(weightResult) }

  /** @throws ValueError when the number or a shape differs; nothing is changed then. */
  setWeights(values: readonly WeightInput[]): void {
    const { weights } = this
    const given = values.map(toWeightValue)
    if (weights.length !== given.length) {
      throw new ValueError(`You called \`set_weights(weights)\` on layer "${this.name}" with a weight list of length ${given.length}, but the layer was expecting ${weights.length} weights. Provided weights: ${reprText(given).slice(0, 50)}...`, captureLocation())
    }
    const data = checkWeightShapes(weights, values)
    weights.forEach((w, i) => w.write(data[i]!))
  }

  /** Numbers in the weights. @throws RuntimeError before the layer is built. */
  countParams(): number {
    if (!this.built) throw new RuntimeError(`You tried to call \`count_params\` on ${this.name}, but the layer isn't built. You can build it manually via: \`${this.name}.build(batch_input_shape)\`.`)
    return countWeights(this.weights)
  }

  getConfig(): JsonObject {
    const shape: { batch_input_shape?: Json } = this.batchInputShape ? { batch_input_shape: this.batchInputShape } : {}
    return { name: this.name, trainable: this.trainable, ...shape, dtype: this.dtype }
  }

  get input(): KTensor | KTensor[] { return onlyTensors(this, 'inputs') }
  get output(): KTensor | KTensor[] { return onlyTensors(this, 'outputs') }
  get inputShape(): KShape | KShape[] { return commonShapes(this, 'inputs') }
  get outputShape(): KShape | KShape[] { return commonShapes(this, 'outputs') }
  getInputAt(nodeIndex: number): KTensor | KTensor[] { return tensorsAt(this, nodeIndex, 'inputs') }
  getOutputAt(nodeIndex: number): KTensor | KTensor[] { return tensorsAt(this, nodeIndex, 'outputs') }
  getInputShapeAt(nodeIndex: number): KShape | KShape[] { return shapesAt(this, nodeIndex, 'inputs') }
  getOutputShapeAt(nodeIndex: number): KShape | KShape[] { return shapesAt(this, nodeIndex, 'outputs') }

  /** For `console.log`, which would show a function. */
  [inspect.custom](): string { return this.toString() }
  toString(): string { return `<keras.layers.${this.className} object ${this.name}>` }
}

/** Names of the classes between a layer's own and `Layer`. */
function classNames(target: unknown): string[] {
  const names: string[] = []
  for (let at = target; typeof at === 'function' && at !== Layer; at = Object.getPrototypeOf(at)) names.push(at.name)
  return names
}

/** A function that forwards to `apply`, with `prototype`'s methods instead of a function's own. */
function callable(prototype: Layer): Layer {
  const self: Layer = ((inputs: Tensors, args?: JsonObject) => self.apply(inputs, args)) as Layer
  Reflect.deleteProperty(self, 'name')
  Reflect.deleteProperty(self, 'length')
  return Object.setPrototypeOf(self, prototype) as Layer
}

/** Keras asks for a sum over the shape; a size that is not known fails there, in these words. */
function unknownDimension(): never {
  throw new ArgumentTypeError("unsupported operand type(s) for +: 'NoneType' and 'int'")
}

const pythonType = (x: unknown): string => {
  if (typeof x === 'object' && x !== null && 'shape' in x) return "<class 'numpy.ndarray'>"
  if (typeof x === 'number') return Number.isInteger(x) ? "<class 'int'>" : "<class 'float'>"
  return `<class '${x === null || x === undefined ? 'NoneType' : typeof x === 'string' ? 'str' : Array.isArray(x) ? 'list' : typeof x}'>`
}

/** Each weight counts once, however many layers hold it. */
export const countWeights = (weights: readonly Weight[]): number => [...new Set(weights)].reduce((sum, w) => sum + w.size, 0)

