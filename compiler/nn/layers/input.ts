/** InputLayer and `Input`: where data enters a model. */
import type { DType } from '../../../runtime/contract/dtype.js'
import { ValueError } from '../../../runtime/contract/errors.js'
import { input as inputNode } from '../../ops/build.js'
import { captureLocation } from '../../support/capture.js'
import type { JsonObject } from '../configured.js'
import { callableClass } from '../define-layer.js'
import { checkedShape, Layer, refuseUnknownOptions } from '../layer.js'
import { registerLayer } from '../layer-table.js'
import { session } from '../session.js'
import { inputShape, type KShape } from '../shape.js'
import { KTensor } from '../tensor.js'

export type InputLayerOptions = {
  readonly inputShape?: KShape
  readonly batchSize?: number | null
  readonly batchInputShape?: KShape
  readonly dtype?: DType
  readonly sparse?: boolean
  readonly name?: string | null
}

class InputLayerClass extends Layer {
  declare readonly tensor: KTensor

  constructor(options: InputLayerOptions = {}) {
    refuseUnknownOptions(options, ['inputShape', 'batchSize', 'batchInputShape', 'dtype', 'sparse', 'name'])
    if (options.sparse) throw new ValueError('Sparse inputs are not supported; pass dense arrays.', captureLocation())
    const { sparse: _, ...rest } = options
    super({ ...rest, trainable: false })
    if (!this.batchInputShape) throw new ValueError('An Input layer should be passed either a `batch_input_shape` or an `input_shape`.', captureLocation())
    this.built = true
    const node = inputNode(this.name, { dtype: this.dtype, shape: inputShape(this.name, this.batchInputShape) })
    Object.assign(this, { tensor: this.connect([], [new KTensor(node)], {}, true)[0] })
  }

  protected override automaticName(): string { return `input_${session.uid('input')}` }
  override get className(): string { return 'InputLayer' }
  override getConfig(): JsonObject {
    return { batch_input_shape: this.batchInputShape, dtype: this.dtype, sparse: false, name: this.name }
  }

  static fromConfig(config: JsonObject): Layer {
    const { batch_input_shape, dtype, name } = config
    return new InputLayerClass({ batchInputShape: batch_input_shape as KShape, dtype: (dtype ?? 'float32') as DType, name: (name ?? null) as string | null })
  }
}

export type InputLayer = InputLayerClass
/** The layer behind `Input`; first in the `layers` of a functional model. */
export const InputLayer = callableClass(InputLayerClass) as typeof InputLayerClass & ((options?: InputLayerOptions) => InputLayerClass)
registerLayer('InputLayer', InputLayerClass)

export type InputOptions = {
  /** Shape of one sample; null for sizes that may vary. */
  readonly shape?: KShape
  /** The same with the batch size in front. */
  readonly batchShape?: KShape
  readonly name?: string | null
  readonly dtype?: DType
  readonly sparse?: boolean
}

/** A tensor for the data of one input. @throws ValueError without a shape. */
export function Input(options: InputOptions): KTensor {
  refuseUnknownOptions(options, ['shape', 'batchShape', 'name', 'dtype', 'sparse'])
  const { shape, batchShape, ...rest } = options
  if (!shape && !batchShape) {
    throw new ValueError('Please provide to Input either a `shape` or a `batch_shape` argument. Note that `shape` does not include the batch dimension.', captureLocation())
  }
  return new InputLayerClass({ ...rest, batchInputShape: batchShape ? checkedShape(batchShape, 'batch_shape') : [null, ...checkedShape(shape, 'shape')] }).tensor
}
