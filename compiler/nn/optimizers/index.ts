/** Optimizers as users see them. */
import { Optimizer } from './optimizer.js'
import { adadelta, adagrad, adam, adamax, nadam, rmsprop, sgd } from './rules.js'
import type { OptimizerDefinition } from './define-optimizer.js'

export { getOptimizer, Optimizer } from './optimizer.js'
export type { OptimizerConfig, OptimizerOptions, ScalarStore } from './optimizer.js'
export { optimizerDefinitions } from './registry.js'

type Common = { readonly lr?: number; readonly learningRate?: number; readonly clipnorm?: number | null; readonly clipvalue?: number | null }
type Decay = { readonly decay?: number }
type Epsilon = { readonly epsilon?: number | null }
type Betas = { readonly beta1?: number; readonly beta2?: number; readonly beta_1?: number; readonly beta_2?: number }

export type SGDOptions = Common & Decay & { readonly momentum?: number; readonly nesterov?: boolean }
export type RMSpropOptions = Common & Decay & Epsilon & { readonly rho?: number }
export type AdagradOptions = Common & Decay & Epsilon
export type AdadeltaOptions = RMSpropOptions
export type AdamOptions = Common & Decay & Epsilon & Betas & { readonly amsgrad?: boolean }
export type AdamaxOptions = Common & Decay & Epsilon & Betas
export type NadamOptions = Common & Epsilon & Betas & { readonly scheduleDecay?: number }

const constructorOf = <Options extends Common>(definition: OptimizerDefinition) =>
  (options?: Options): Optimizer => new Optimizer(definition, options ?? {})

/** Gradient descent, with momentum and Nesterov momentum. */
export const SGD = constructorOf<SGDOptions>(sgd)
/** Steps divided by a running root mean square of the gradient. */
export const RMSprop = constructorOf<RMSpropOptions>(rmsprop)
/** Steps divided by the root of the sum of all squared gradients. */
export const Adagrad = constructorOf<AdagradOptions>(adagrad)
/** Steps scaled by running means of gradients and of earlier steps. */
export const Adadelta = constructorOf<AdadeltaOptions>(adadelta)
/** Running means of the gradient and its square, with correction of their start; `amsgrad: true` for that variant. */
export const Adam = constructorOf<AdamOptions>(adam)
/** Adam with the largest gradient so far in place of the mean square. */
export const Adamax = constructorOf<AdamaxOptions>(adamax)
/** Adam with Nesterov momentum. */
export const Nadam = constructorOf<NadamOptions>(nadam)
