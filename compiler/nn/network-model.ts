/** The structure of models: layers between inputs and outputs, or a user's class with `call`; itself a layer. */
import { ArgumentTypeError, AttributeError, RuntimeError, ValueError } from '../../runtime/contract/errors.js'
import type { ArrayResult } from '../../runtime/contract/fit-types.js'
import type { Node } from '../ir/graph.js'
import { input as inputNode } from '../ops/build.js'
import { captureLocation } from '../support/capture.js'
import { activationOf } from './activations.js'
import type { JsonObject } from './configured.js'
import { shapeList } from './define-layer.js'
import { mapNetwork, runNetwork, type Network } from './functional.js'
import { functionalConfig, functionalFromConfig, modelJson } from './functional-config.js'
import { countWeights, Layer, type CallContext, type Tensors } from './layer.js'
import { Input, InputLayer } from './layers/input.js'
import type { ModelRun } from './module-source.js'
import { RunScope } from './run-scope.js'
import { session } from './session.js'
import { inputShape, toList, type KShape } from './shape.js'
import { printSummary, type SummaryOptions } from './summary.js'
import { KTensor } from './tensor.js'
import type { Weight, WeightInput } from './weight.js'
import { checkWeightShapes, weightResult } from './weight-result.js'

export type ModelOptions = {
  readonly inputs?: Tensors
  readonly outputs?: Tensors
  readonly name?: string | null
  readonly trainable?: boolean
}

/** One output of a run. Where it is directly an activation, cross-entropies use its logits. */
export type RunOutput = { readonly node: Node; readonly activation: 'softmax' | 'sigmoid' | null; readonly logits: Node | null }
export type GraphRun = Pick<ModelRun, 'losses' | 'updates'> & { readonly outputs: readonly RunOutput[] }

const notBuilt = 'This model has not yet been built. Build the model first by calling build() or calling fit() with some data. Or specify input_shape or batch_input_shape in the first layer for automatic build. '

const isTensors = (x: unknown): x is Tensors => x instanceof KTensor || (Array.isArray(x) && x.every((t) => t instanceof KTensor))

/** @throws ValueError, TypeError in Keras' words when the ends are not tensors of layers. */
function checkEnds(className: string, inputs: readonly KTensor[], outputs: readonly KTensor[]): void {
  if (inputs.length === 0 || outputs.length === 0) throw new ValueError(`A ${className} needs at least one input and one output; found ${inputs.length} and ${outputs.length}.`)
  const foreignInput = inputs.find((t) => !(t instanceof KTensor) || !t.history)
  if (foreignInput) throw new ValueError(`Input tensors to a ${className} must come from \`keras.layers.Input\`. Received: ${String(foreignInput)} (missing previous layer metadata).`)
  const foreignOutput = outputs.find((t) => !(t instanceof KTensor) || !t.history)
  if (foreignOutput) throw new ValueError(`Output tensors to a ${className} must be the output of a Keras \`Layer\` (thus holding past layer metadata). Found: ${String(foreignOutput)}`)
  inputs.forEach((t, i) => {
    const { layer } = t.history!
    if (!(layer instanceof InputLayer)) {
      throw new ArgumentTypeError(`Input layers to a \`Model\` must be \`InputLayer\` objects. Received inputs: [${inputs.map(String).join(', ')}]. Input ${i} (0-based) originates from layer type \`${layer.className}\`.`)
    }
  })
}

/** Layers that a subclass keeps in its properties, or in lists there. */
const ownLayers = (model: object): Layer[] =>
  [...new Set(Object.values(model).flatMap((v): unknown[] => (Array.isArray(v) ? v : [v])).filter((v) => v instanceof Layer))]

const unique = <T>(list: readonly T[]): T[] => [...new Set(list)]

export class NetworkModel extends Layer {
  /** Empty until the model is built. */
  declare inputs: KTensor[]
  declare outputs: KTensor[]
  /** Null for a user's own `call`, and before building. */
  declare network: Network | null

  constructor(options: ModelOptions | Tensors = {}, outputs?: Tensors, rest: ModelOptions = {}) {
    const o: ModelOptions = isTensors(options) ? { ...rest, inputs: options, outputs } : options
    const { inputs, outputs: ends, ...base } = o
    super(base)
    Object.assign(this, { inputs: [], outputs: [], network: null })
    if (inputs !== undefined && ends !== undefined) this.located(() => this.setNetwork(toList(inputs), toList(ends)))
    else if (inputs !== undefined || ends !== undefined) throw new ArgumentTypeError('Model() needs both `inputs` and `outputs`.', captureLocation())
  }

  protected override automaticName(): string { return session.modelName(this.className) }

  /** Takes the layers between these tensors. */
  protected setNetwork(inputs: KTensor[], outputs: KTensor[]): void {
    checkEnds(this.className, inputs, outputs)
    this.structureChanges()
    const network = mapNetwork(inputs, outputs)
    this.inputs = inputs
    this.outputs = outputs
    this.network = network
    this.built = true
    this.inboundNodes = [{ layer: this, inputs, outputs, arguments: {}, isSource: true }]
  }

  /** What is compiled depends on the structure; a model that runs overrides this. */
  protected structureChanges(): void { /* Nothing runs a bare network. */ }

  /** Forgets the structure, as a Sequential without layers. */
  protected clearNetwork(): void {
    this.structureChanges()
    Object.assign(this, { inputs: [], outputs: [], network: null, built: false, inboundNodes: [] })
  }

  /** Layers of the graph, or those a subclass holds in its properties. */
  get layers(): Layer[] { return this.network ? [...this.network.layers] : ownLayers(this) }

  /** All layers inside, nested models replaced by theirs, each once. */
  get leafLayers(): Layer[] {
    return [...new Set(this.layers.flatMap((l) => (l instanceof NetworkModel ? l.leafLayers : [l])))]
  }

  /** @throws ValueError for an unknown name or index, in Keras' words. */
  getLayer(key?: string | number): Layer {
    const { layers } = this
    if (typeof key === 'number') {
      const found = layers.at(key)
      if (!found) throw new ValueError(`Was asked to retrieve layer at index ${key} but model only has ${layers.length} layers.`, captureLocation())
      return found
    }
    if (!key) throw new ValueError('Provide either a layer name or layer index.', captureLocation())
    const found = layers.find((l) => l.name === key)
    if (!found) throw new ValueError(`No such layer: ${key}`, captureLocation())
    return found
  }

  /** Builds a model that learns the shape of its inputs late. */
  override build(batchInputShape: KShape | KShape[]): void {
    if (this.inputs.length > 0) return
    const shapes = shapeList(batchInputShape)
    const inputs = shapes.map((shape, i) => Input({ batchShape: shape, name: shapes.length === 1 ? `${this.name}_input` : `${this.name}_input_${i + 1}` }))
    this.connectInputs(inputs)
  }

  /** Runs a user's `call` once, which builds the layers inside. */
  protected connectInputs(inputs: KTensor[]): void {
    const outputs = this.run(inputs, {}, new RunScope(false))
    this.inputs = inputs
    this.outputs = this.connect(inputs, outputs, {})
    this.built = true
  }

  override call(inputs: KTensor | KTensor[], _context: CallContext): Tensors {
    const { network } = this
    const scope = session.currentRun
    if (!network || !scope) throw new RuntimeError(`Model ${this.name} has no layers to run: give it inputs and outputs, or override \`call\`.`)
    const list = toList(inputs)
    if (list.length !== network.inputs.length) throw new ValueError(`Layer ${this.name} expects ${network.inputs.length} inputs, but it received ${list.length} input tensors. Input received: [${list.map(String).join(', ')}]`)
    const outputs = runNetwork(network, list, scope)
    return outputs.length === 1 ? outputs[0]! : outputs
  }

  override computeOutputShape(shape: KShape | KShape[]): KShape | KShape[] {
    const inputs = shapeList(shape).map((s, i) => new KTensor(inputNode(`input_${i}`, { dtype: this.inputs[i]?.dtype ?? 'float32', shape: inputShape(`input_${i}`, s) })))
    const outputs = this.runOn(inputs.map((t) => t.node), { training: false }).outputs.map((o) => new KTensor(o.node).shape)
    return outputs.length === 1 ? outputs[0]! : outputs
  }

  /** Runs the layers again over other nodes. Penalties of weights are included once each. */
  runOn(inputs: readonly Node[], { training }: { readonly training: boolean }): GraphRun {
    this.requireBuilt()
    const scope = new RunScope(training)
    const tensors = inputs.map((n) => new KTensor(n))
    const results = session.withRun(scope, () => toList(this.call(tensors.length === 1 ? tensors[0]! : tensors, { training, arguments: {} })))
    const losses = [...this.weightLosses(scope), ...scope.losses]
    return { outputs: results.map((t) => ({ node: t.node, ...activationOf(t.node) })), losses, updates: this.keepsState ? scope.updates : [] }
  }

  /** One pass over the model's own inputs, as the functions that are compiled need it. */
  runGraph(training: boolean): ModelRun {
    this.requireBuilt()
    const inputs = this.inputs.map((t) => t.node)
    const { outputs, losses, updates } = this.runOn(inputs, { training })
    return { inputs, outputs: outputs.map((o) => o.node), losses, updates }
  }

  override weightLosses(scope: RunScope): Node[] {
    return [...super.weightLosses(scope), ...this.leafLayers.flatMap((l) => l.weightLosses(scope))]
  }
  /** Whether a run has losses besides those of `compile`. */
  get hasPenalties(): boolean { return this.outputs.length > 0 && this.runGraph(true).losses.length > 0 }
  get losses(): KTensor[] { return this.runGraph(true).losses.map((n) => new KTensor(n)) }

  protected requireBuilt(): void {
    if (this.inputs.length === 0) throw new ValueError(notBuilt, captureLocation())
  }

  override get trainableWeights(): Weight[] {
    return this.trainable ? unique([...super.trainableWeights, ...this.layers.flatMap((l) => l.trainableWeights)]) : []
  }
  override get nonTrainableWeights(): Weight[] {
    const fixed = [...this.ownWeights.filter((w) => !w.trainable), ...this.layers.flatMap((l) => l.nonTrainableWeights)]
    if (this.trainable) return unique(fixed)
    return unique([...this.ownWeights.filter((w) => w.trainable), ...this.layers.flatMap((l) => l.trainableWeights), ...fixed])
  }

  /** Values layer by layer: another order than `weights`, as in Keras. */
  override getWeights(): ArrayResult[] { return this.weightsByLayer.map(weightResult) }
  override setWeights(values: readonly WeightInput[]): void {
    const weights = this.weightsByLayer
    if (values.length !== weights.length) {
      throw new ValueError(`You called \`set_weights(weights)\` on model "${this.name}" with a weight list of length ${values.length}, but the model was expecting ${weights.length} weights.`, captureLocation())
    }
    const data = checkWeightShapes(weights, values)
    weights.forEach((w, i) => w.write(data[i]!))
  }
  private get weightsByLayer(): Weight[] { return [...this.ownWeights, ...this.layers.flatMap((l) => l.weights)] }

  override countParams(): number {
    this.requireBuilt()
    return countWeights(this.weights)
  }

  get inputNames(): string[] { return this.inputs.map((t) => t.history!.layer.name) }
  get outputNames(): string[] { return this.network ? this.outputs.map((t) => t.history!.layer.name) : this.outputs.map((_, i) => `output_${i + 1}`) }
  get outputShapes(): KShape[] { return this.outputs.map((t) => t.shape) }

  /** Prints the table of layers. @throws ValueError before the model is built. */
  summary(options: SummaryOptions = {}): void {
    this.requireBuilt()
    printSummary({ name: this.name, isSequential: this.className === 'Sequential', network: this.network, layers: this.layers, trainable: countWeights(this.trainableWeights), others: countWeights(this.nonTrainableWeights) }, options)
  }

  override getConfig(): JsonObject {
    if (!this.network) throw new AttributeError(`${this.className} has its own \`call\`, so its layers are not known from a configuration; override getConfig.`, captureLocation())
    return functionalConfig(this.name, this.network)
  }
  /** Class and configuration, as in an `.h5` file. */
  serialize(): JsonObject { return { class_name: this.className, config: this.getConfig() } }
  /** What Python's `model_from_json` reads. */
  toJson(): string { return modelJson(this.serialize()) }

  static fromConfig(config: JsonObject): NetworkModel { return new this(functionalFromConfig(config)) }
}
