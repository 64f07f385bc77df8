/**
 * MobileNet v1 on pictures of 224 × 224, for inference: it is not compiled with a loss.
 * Source: Howard et al., MobileNets, http://arxiv.org/abs/1704.04861
 */
import { BatchNormalization, Conv2D, Dense, DepthwiseConv2D, GlobalAveragePooling2D, ReLU, Sequential } from 'kcc'

const normalized = () => [BatchNormalization(), ReLU({ maxValue: 6 })]
const options = (stride: number) => ({ strides: [stride, stride], padding: 'same', useBias: false }) as const

/** Filters and stride of each block. */
const blocks = [[64, 1], [128, 2], [128, 1], [256, 2], [256, 1], [512, 2], [512, 1], [512, 1], [512, 1], [512, 1], [512, 1], [1024, 2], [1024, 1]] as const

export default Sequential([
  Conv2D(32, [3, 3], { ...options(2), inputShape: [224, 224, 3] }), ...normalized(),
  ...blocks.flatMap(([filters, stride]) => [DepthwiseConv2D([3, 3], options(stride)), ...normalized(), Conv2D(filters, [1, 1], options(1)), ...normalized()]),
  GlobalAveragePooling2D(),
  Dense(1000, { activation: 'softmax' }),
])
