/** What Dense, convolutions and locally connected layers share: activation(… · kernel + bias). */
import type { AddWeightOptions } from './layer.js'
import { activation, boolean, constraint, initializer, regularizer, type OutOf } from './option.js'

/** Options of the result, the kernel and the bias, in the order of Keras' configurations. */
export const linearOptions = {
  activation: activation('applied to the result', null),
  useBias: boolean('whether a bias is added', true),
  kernelInitializer: initializer('first values of the kernel', 'glorot_uniform'),
  biasInitializer: initializer('first values of the bias', 'zeros'),
  kernelRegularizer: regularizer('penalty on the kernel'),
  biasRegularizer: regularizer('penalty on the bias'),
  activityRegularizer: regularizer('penalty on the result'),
  kernelConstraint: constraint('projection of the kernel after each update'),
  biasConstraint: constraint('projection of the bias after each update'),
}

type Values = { readonly [K in keyof typeof linearOptions]: OutOf<(typeof linearOptions)[K]> }
type Weighted<K extends keyof Values> = Pick<Values, K> & { addWeight(options: AddWeightOptions): unknown }
type Biased = Weighted<'useBias' | 'biasInitializer' | 'biasRegularizer' | 'biasConstraint'>

export function addKernel(layer: Weighted<'kernelInitializer' | 'kernelRegularizer' | 'kernelConstraint'>, shape: readonly (number | null)[]): void {
  layer.addWeight({ name: 'kernel', shape, initializer: layer.kernelInitializer, regularizer: layer.kernelRegularizer, constraint: layer.kernelConstraint })
}

/** The bias, unless the options leave it out. */
export function addBias(layer: Biased, shape: readonly number[]): void {
  if (layer.useBias) layer.addWeight({ name: 'bias', shape, initializer: layer.biasInitializer, regularizer: layer.biasRegularizer, constraint: layer.biasConstraint })
}
