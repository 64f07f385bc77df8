/** What must work by now. A case made only of this may not be "not yet supported". */
import { findLoss, findLossClass } from '../../compiler/nn/losses/registry.js'
import { findMetric, findMetricClass } from '../../compiler/nn/metrics/registry.js'
import { findOptimizer } from '../../compiler/nn/optimizers/registry.js'

const dimensions = ['1D', '2D', '3D']
const requiredLayers = new Set([
  'InputLayer', 'Dense', 'Activation', 'Dropout', 'Flatten', 'Reshape', 'Permute', 'RepeatVector', 'Lambda', 'ActivityRegularization', 'Sequential', 'Model',
  'Add', 'Subtract', 'Multiply', 'Average', 'Maximum', 'Minimum', 'Concatenate', 'Dot',
  'LeakyReLU', 'PReLU', 'ELU', 'ThresholdedReLU', 'Softmax', 'ReLU', 'BatchNormalization', 'TimeDistributed', 'Embedding',
  'GaussianNoise', 'GaussianDropout', 'AlphaDropout',
  ...['SpatialDropout', 'ZeroPadding', 'Cropping', 'UpSampling', 'GlobalMaxPooling', 'GlobalAveragePooling'].flatMap((name) => dimensions.map((d) => name + d)),
])

export const areRequiredLayers = (classes: readonly string[]): boolean => classes.every((name) => requiredLayers.has(name))

/** Layer classes anywhere in a configuration. Keras' objects that are no layers have no `name` in theirs. */
export function layerClassesOf(config: unknown): string[] {
  if (typeof config !== 'object' || config === null) return []
  const { class_name: name, config: inner } = config as { class_name?: unknown; config?: unknown }
  const isLayer = typeof name === 'string' && typeof inner === 'object' && inner !== null && 'name' in inner
  return [...(isLayer ? [name] : []), ...Object.values(config).flatMap(layerClassesOf)]
}

/** Names of losses or metrics in a training configuration: strings, and classes with options. */
function identifiersOf(x: unknown): string[] {
  if (typeof x === 'string') return [x]
  if (Array.isArray(x)) return x.flatMap(identifiersOf)
  if (typeof x !== 'object' || x === null) return []
  return 'class_name' in x ? [String(x.class_name)] : Object.values(x).flatMap(identifiersOf)
}

const isKnownLoss = (name: string): boolean => findLoss(name) !== null || findLossClass(name) !== null
const isKnownMetric = (name: string): boolean =>
  name === 'accuracy' || name === 'acc' || isKnownLoss(name) || findMetric(name) !== null || findMetricClass(name) !== null

/** @param config a file's `training_config` */
export function isRequiredTraining(config: unknown, custom: readonly string[]): boolean {
  const { loss, metrics, weighted_metrics: weighted, optimizer_config: optimizer } = config as Record<string, unknown>
  return identifiersOf(loss).every((name) => isKnownLoss(name) || custom.includes(name)) &&
    [...identifiersOf(metrics), ...identifiersOf(weighted)].every((name) => isKnownMetric(name) || custom.includes(name)) &&
    findOptimizer((optimizer as { class_name: string }).class_name) !== null
}
