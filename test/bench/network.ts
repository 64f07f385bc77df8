/**
 * What peers have to know about a model of `models/`: it is defined there once, and every peer makes the same network of
 * the facts that are read off it here.
 */
import type { Layer, ModelClass } from 'kcc'

export type WeightFacts = { readonly name: string; readonly shape: readonly number[] }

/** A layer as it is called, in the order of the calls. Shapes are those of one sample. */
export type LayerFacts = {
  readonly name: string
  readonly kind: string
  /** Keras' configuration of the layer. */
  readonly config: unknown
  /** Layers whose outputs it takes. */
  readonly inputs: readonly string[]
  readonly inputShape: readonly number[]
  readonly outputShape: readonly number[]
  readonly weights: readonly WeightFacts[]
}

export type Network = {
  readonly layers: readonly LayerFacts[]
  /** For each weight of a package, and of TensorFlow.js, in their order, trainable ones first: which one of the layers' it is. */
  readonly packageOrder: readonly number[]
  /** Of one sample. */
  readonly inputShape: readonly number[]
  readonly outputShape: readonly number[]
  /** Keras' `{class_name, config}` of the model. */
  readonly keras: unknown
  /** Loss and optimizer; null for a network that only predicts. */
  readonly training: { readonly loss: string; readonly optimizer: unknown } | null
}

type Shape = readonly (number | null)[]

/** Shape of one sample. @throws Error for a size that only the data has */
function sampleShape(shape: Shape): number[] {
  return shape.slice(1).map((size) => {
    if (size === null) throw new Error(`the benchmark's networks have fixed sizes, found (${shape.join(', ')})`)
    return size
  })
}

/** Layers are called once each in these networks, on the outputs of others. */
function layerFacts(layer: Layer): LayerFacts {
  const [node] = layer.inboundNodes
  if (node === undefined || layer.inboundNodes.length > 1) throw new Error(`the layer ${layer.name} is not called exactly once`)
  const inputs = node.isSource ? [] : node.inputs.map((t) => t.history!.layer.name)
  return {
    name: layer.name, kind: layer.className, config: layer.getConfig(), inputs,
    inputShape: sampleShape(node.inputs[0]?.shape ?? node.outputs[0]!.shape), outputShape: sampleShape(node.outputs[0]!.shape),
    weights: layer.weights.map(({ name, shape }) => ({ name, shape: [...shape] })),
  }
}

export function networkOf(model: ModelClass): Network {
  const layers = model.layers.map(layerFacts).filter(({ kind }) => kind !== 'InputLayer')
  const training = model.training?.trainingConfig() ?? null
  const byLayer = model.layers.flatMap((layer) => layer.weights)
  return {
    layers, packageOrder: model.weights.map((weight) => byLayer.indexOf(weight)), inputShape: sampleShape(model.inputs[0]!.shape), outputShape: sampleShape(model.outputs[0]!.shape), keras: model.serialize(),
    training: training === null ? null : { loss: String(training.loss), optimizer: training.optimizer_config },
  }
}

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1)

/** Multiplications and additions of a layer's products for one sample. A transposed convolution has one for each place of its input. */
function layerFlops({ kind, inputShape, outputShape, weights }: LayerFacts): number {
  const places = product((kind === 'Conv2DTranspose' ? inputShape : outputShape).slice(0, -1))
  const kernels = weights.filter(({ name }) => name.includes('kernel'))
  return 2 * places * kernels.reduce((sum, { shape }) => sum + product(shape), 0)
}

/** Operations of all products when one sample goes through. */
export const forwardFlops = ({ layers }: Network): number => layers.reduce((sum, layer) => sum + layerFlops(layer), 0)

/**
 * Operations of all products of a training step, for one sample: forward, the gradients of the kernels, and of the inputs
 * where something is trained before them.
 */
export function trainFlops({ layers }: Network): number {
  const trained = new Set<string>()
  let flops = 0
  for (const layer of layers) {
    const needsInputGradient = layer.inputs.some((name) => trained.has(name))
    if (needsInputGradient || layer.weights.length > 0) trained.add(layer.name)
    flops += layerFlops(layer) * (needsInputGradient ? 3 : 2)
  }
  return flops
}

/** Bytes of all weights in float32. */
export const weightBytes = ({ layers }: Network): number => 4 * layers.flatMap(({ weights }) => weights).reduce((sum, { shape }) => sum + product(shape), 0)
