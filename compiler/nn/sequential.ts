/** `Sequential`: a list of layers, each reading the one before. */
import { ArgumentTypeError, ValueError } from '../../runtime/contract/errors.js'
import type { ArrayData, PredictOptions } from '../../runtime/contract/fit-types.js'
import { captureLocation } from '../support/capture.js'
import type { Json, JsonObject } from './configured.js'
import { callableClass, shapeList } from './define-layer.js'
import { deserializeLayer } from './deserialize.js'
import type { InboundNode } from './inbound-node.js'
import { nodeOf } from './functional.js'
import { Layer } from './layer.js'
import { registerLayer } from './layer-table.js'
import { Input, InputLayer } from './layers/input.js'
import { ModelClass } from './model.js'
import { NetworkModel } from './network-model.js'
import { reprText } from './python-text.js'
import type { KShape } from './shape.js'
import type { KTensor } from './tensor.js'

export type SequentialOptions = { readonly name?: string | null; readonly trainable?: boolean }

const severalOutputs = 'All layers in a Sequential model should have a single output tensor. For multi-output layers, use the functional API.'

/** The class behind `Sequential`. */
export class SequentialClass extends ModelClass {
  /** Layers in order, an InputLayer that was added first included. */
  private declare stack: Layer[]
  /** Shape given to `build` of a model whose layers do not say it. */
  private declare buildShape: KShape | null

  constructor(layers: readonly Layer[] = [], options: SequentialOptions = {}) {
    super(options)
    Object.assign(this, { stack: [], buildShape: null })
    for (const layer of layers) this.add(layer)
  }

  /** Layers that were added; an input layer is not counted, as in Keras. */
  override get layers(): Layer[] { return this.stack[0] instanceof InputLayer ? this.stack.slice(1) : [...this.stack] }

  /** @throws TypeError for what is not a layer, or has several outputs. */
  add(layer: Layer): void {
    if (!(layer instanceof Layer)) throw new ArgumentTypeError(`The added layer must be an instance of class Layer. Found: ${reprText(layer)}`, captureLocation())
    this.located(() => {
      const node = this.stack.length === 0 ? startOf(layer) : this.outputs[0] ? callOn(layer, this.outputs[0]) : null
      this.stack.push(layer)
      if (node) this.takeNode(node)
      else this.built = false
    })
  }

  /** Ends the model in the output of this call. */
  private takeNode(node: InboundNode): void {
    if (node.outputs.length !== 1) {
      this.stack.pop()
      throw new ArgumentTypeError(severalOutputs)
    }
    this.setNetwork(this.inputs.length > 0 ? this.inputs : sourceInputs(node.outputs[0]!), [...node.outputs])
  }

  /** Removes the last layer. @throws TypeError when there is none. */
  pop(): void {
    if (this.layers.length === 0) throw new ArgumentTypeError('There are no layers in the model.', captureLocation())
    this.stack.pop()
    const last = this.stack.at(-1)
    if (this.layers.length === 0 || !last) this.clearNetwork()
    else if (this.outputs.length > 0) this.cutAfter(last)
  }

  /** The chain is a list, so the new last layer's output is what the removed one read. */
  private cutAfter(last: Layer): void {
    const output = nodeOf(this.outputs[0]!)!.inputs[0]!
    last.outboundNodes = []
    this.setNetwork(this.inputs, [output])
  }

  /** Makes the layers' weights for inputs of this shape, unless the first layer said it. */
  override build(batchInputShape: KShape | KShape[]): void {
    if (this.inputs.length > 0 || this.stack.length === 0) return
    const shape = shapeList(batchInputShape)[0]!
    this.located(() => {
      const input = Input({ batchShape: shape, name: `${this.name}_input` })
      const end = this.stack.reduce<KTensor>((x, layer) => callOn(layer, x).outputs[0]!, input)
      this.buildShape = shape
      this.setNetwork([input], [end])
    })
  }

  override countParams(): number {
    this.requireBuilt()
    return super.countParams()
  }

  override getConfig(): JsonObject {
    const layers = this.layers.map((layer): Json => ({ class_name: layer.className, config: layer.getConfig() }))
    const first = this.stack[0]
    const shape = this.buildShape ?? (first instanceof InputLayer ? first.batchInputShape : null)
    return { name: this.name, layers, ...(shape ? { build_input_shape: shape } : {}) }
  }

  static override fromConfig(config: JsonObject): SequentialClass {
    // Configurations before Keras 2.2.3 are the bare list of layers.
    const legacy = Array.isArray(config)
    const name = legacy ? null : config['name']
    const layers: unknown = legacy ? config : config['layers']
    if (!Array.isArray(layers)) throw new ValueError('Improperly formatted model config.')
    const model = new this(layers.map((l) => deserializeLayer(l)), { name: typeof name === 'string' ? name : null })
    const shape = legacy ? null : config['build_input_shape']
    if (model.inputs.length === 0 && Array.isArray(shape)) model.build(shape as KShape)
    return model
  }

  /** `predict`, for models that output probabilities. */
  predictProba(x: ArrayData, options: PredictOptions = {}): ReturnType<ModelClass['predict']> { return this.predict(x, options) }

  /** Class of each sample: the largest output, or whether the only one exceeds 0.5. */
  async predictClasses(x: ArrayData, options: PredictOptions = {}): Promise<Int32Array> {
    const result = await this.predict(x, options)
    const { data, shape } = Array.isArray(result) ? result[0]! : result
    const classes = shape.at(-1) ?? 1
    return Int32Array.from({ length: data.length / Math.max(classes, 1) }, (_, row) => {
      if (classes === 1) return data[row]! > 0.5 ? 1 : 0
      const scores = data.subarray(row * classes, (row + 1) * classes)
      return scores.indexOf(Math.max(...scores))
    })
  }
}
Object.defineProperty(SequentialClass, 'name', { value: 'Sequential' })
registerLayer('Sequential', SequentialClass)

/** Calls a layer and returns the record of the call. */
function callOn(layer: Layer, x: KTensor): InboundNode {
  layer.apply(x)
  return layer.inboundNodes.at(-1)!
}

/** The call that starts a model: of an input layer its own, of another that knows its input's shape one on a new input. */
function startOf(layer: Layer): InboundNode | null {
  if (layer instanceof InputLayer) return layer.inboundNodes[0]!
  const first = firstLayer(layer)
  const shape = first.batchInputShape
  return shape ? callOn(layer, Input({ batchShape: shape, dtype: first.dtype, name: `${layer.name}_input` })) : null
}

/** Of nested models the first layer inside. @throws ValueError for an empty one. */
function firstLayer(layer: Layer): Layer {
  if (!(layer instanceof NetworkModel)) return layer
  const first = layer.network?.layers[0] ?? layer.layers[0]
  if (!first) throw new ValueError('Cannot add an empty model to a `Sequential` model.')
  return firstLayer(first)
}

/** The inputs a tensor is computed from. */
function sourceInputs(tensor: KTensor): KTensor[] {
  const node = nodeOf(tensor)
  return !node || node.isSource ? [tensor] : [...new Set(node.inputs.flatMap(sourceInputs))]
}

/** `Sequential([Dense(…), …])`, with or without `new`. */
export type Sequential = SequentialClass
export const Sequential = callableClass(SequentialClass) as typeof SequentialClass & ((layers?: readonly Layer[], options?: SequentialOptions) => SequentialClass)
