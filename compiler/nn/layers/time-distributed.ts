/** TimeDistributed: a layer or a whole model applied to every time step by itself. */
import { ArgumentTypeError, AssertionError } from '../../../runtime/contract/errors.js'
import { equalDims, multiplyDims } from '../../ir/dim.js'
import { input, reshape } from '../../ops/build.js'
import { captureLocation } from '../../support/capture.js'
import { snakeToCamel, type JsonObject } from '../configured.js'
import { callableClass, shapeList } from '../define-layer.js'
import { deserializeLayer } from '../deserialize.js'
import { Layer, type CallContext, type LayerOptions, type Tensors } from '../layer.js'
import { registerLayer } from '../layer-table.js'
import { reprText, tupleText } from '../python-text.js'
import { RunScope } from '../run-scope.js'
import { session } from '../session.js'
import { inputShape, toList, unpackSingleton, type KShape } from '../shape.js'
import { KTensor } from '../tensor.js'
import { Wrapper } from './wrapper.js'

/** Shape of one step's batch. @throws AssertionError, as Keras, for inputs without a time axis. */
function stepShape(shape: KShape): KShape {
  if (shape.length >= 3) return [shape[0] ?? null, ...shape.slice(2)]
  throw new AssertionError('', null, `expected: an input of rank 3 or more, [B, steps, …], for TimeDistributed\nfound:    ${tupleText(shape)}`)
}

/** The layer sees all steps of all samples as one batch. */
class TimeDistributedClass extends Wrapper {
  constructor(layer: Layer, options: LayerOptions = {}) {
    if (!(layer instanceof Layer)) throw new ArgumentTypeError(`TimeDistributed() takes a layer. Found: ${reprText(layer)}`, captureLocation())
    super(layer, options)
  }

  override get className(): string { return 'TimeDistributed' }
  protected override automaticName(): string { return session.layerName('TimeDistributed') }

  override build(shape: KShape | KShape[]): void {
    const [whole] = shapeList(shape)
    const inner = inputShape('step', stepShape(whole!))
    this.inputSpec = { shape: whole! }
    this.layer.ensureBuilt([new KTensor(input('step', { dtype: this.layer.dtype, shape: inner }))])
    this.built = true
  }

  override call(inputs: KTensor | KTensor[], context: CallContext): Tensors {
    const [x] = toList(inputs)
    const [batch, steps, ...rest] = x!.node.type.shape
    const rows = multiplyDims(batch!, steps!)
    const scope = session.currentRun ?? new RunScope(context.training)
    const results = this.layer.run([new KTensor(reshape(x!.node, [rows, ...rest]))], {}, scope)
    return unpackSingleton(results.map(({ node }) => {
      const { shape } = node.type
      if (!equalDims(shape[0]!, rows)) throw new AssertionError('', null, `TimeDistributed: ${this.layer.name} must keep the batch axis of its input.`)
      return new KTensor(reshape(node, [batch!, steps!, ...shape.slice(1)]))
    }))
  }

  override computeOutputShape(shape: KShape | KShape[]): KShape | KShape[] {
    const [whole] = shapeList(shape)
    const results = shapeList(this.layer.computeOutputShape(stepShape(whole!)) as KShape | KShape[])
    return unpackSingleton(results.map((s): KShape => [s[0] ?? null, whole![1] ?? null, ...s.slice(1)]))
  }

  static fromConfig(config: JsonObject): Layer {
    const { layer, ...rest } = config
    return new this(deserializeLayer(layer), Object.fromEntries(Object.entries(rest).map(([key, value]) => [snakeToCamel(key), value])))
  }
}

export type TimeDistributed = TimeDistributedClass
/**
 * `TimeDistributed(layer)(x)`: [B, steps, …] to [B, steps, …], the layer or model applied to each step with the same
 * weights. An activity penalty of the layer counts once, over all steps.
 */
export const TimeDistributed = callableClass(TimeDistributedClass) as typeof TimeDistributedClass & ((layer: Layer, options?: LayerOptions) => TimeDistributedClass)
registerLayer('TimeDistributed', TimeDistributedClass)
