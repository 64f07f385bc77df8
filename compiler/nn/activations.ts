/** Keras' activation functions, on tensors; any function of a tensor is one. */
import { ArgumentTypeError, ValueError } from '../../runtime/contract/errors.js'
import type { Node } from '../ir/graph.js'
import { abs, add, cast, div, exp, expm1, greater, maximum, minimum, mul, neg, relu as reluNode, select, sigmoid as sigmoidNode, sub, tanh as tanhNode } from '../ops/build.js'
import * as compositions from '../ops/compositions.js'
import { camelToSnake, isConfigured, serializeConfigured, type Json } from './configured.js'
import { reprText } from './python-text.js'
import { session, type CustomObjects } from './session.js'
import { KTensor, liftNodes, type TensorLike } from './tensor.js'

/** A function of a tensor. It may return a tensor or a bare node. */
export type Activation = (x: KTensor) => TensorLike | Node
export type ActivationIdentifier = string | Activation | null

/** Logits of what softmax returned, so that a cross-entropy of it can be computed from them. */
const softmaxLogits = new WeakMap<Node, Node>()

/** What an output is directly the activation of. Only rank-2 softmax counts, as in Keras, where others are not one operation. */
export function activationOf(node: Node): { readonly activation: 'softmax' | 'sigmoid' | null; readonly logits: Node | null } {
  const softmaxOf = softmaxLogits.get(node)
  if (softmaxOf) return { activation: 'softmax', logits: softmaxOf }
  if (node.op === 'sigmoid') return { activation: 'sigmoid', logits: node.inputs[0]! }
  return { activation: null, logits: null }
}

/** Keras looks at `axis` only from rank 3 up: of a matrix it is always the rows. */
/** Of rank 2 always over the last axis: Keras 2.3 does not pass `axis` on there. */
function softmaxNode(x: Node, axis = -1): Node {
  const rank = x.type.shape.length
  if (rank < 2) throw new ValueError(`Cannot apply softmax to a tensor that is 1D. Received input: ${String(new KTensor(x))}`)
  if (rank > 2 && (axis < -rank || axis >= rank)) throw new ValueError(`softmax: expected an axis from ${-rank} to ${rank - 1}, found ${axis}.`)
  if (rank > 2) return compositions.softmax(x, axis)
  const result = compositions.softmax(x, -1)
  softmaxLogits.set(result, x)
  return result
}

/** alpha * (exp(x) - 1) up to 0; `expm1` sees no positive values, so that nothing overflows. */
function eluNode(x: Node, alpha = 1): Node {
  const positive = greater(x, 0)
  return select(positive, x, mul(expm1(select(positive, 0, x)), alpha))
}

const SELU_ALPHA = 1.6732632423543772848170429916717
const SELU_SCALE = 1.0507009873554804934193349852946

export type ReluOptions = { readonly alpha?: number; readonly maxValue?: number | null; readonly threshold?: number }

/** max(x, 0), or with a slope below the threshold; see Keras' backend `relu`, whose order of steps decides the corner cases. */
function reluFull(x: Node, { alpha = 0, maxValue = null, threshold = 0 }: ReluOptions = {}): Node {
  if (alpha !== 0 && maxValue === null && threshold === 0) return select(greater(x, 0), x, mul(x, alpha))
  const negative = alpha === 0 ? null : threshold === 0 ? reluNode(neg(x)) : reluNode(add(neg(x), threshold))
  let result = threshold === 0 ? reluNode(x) : mul(x, cast(greater(x, threshold), x.type.dtype))
  if (maxValue !== null) result = minimum(maximum(result, 0), maxValue)
  return negative === null ? result : sub(result, mul(negative, alpha))
}

/** clip(0.2·x + 0.5, 0, 1), written so that the bend at -2.5 is met exactly also where product and sum are one instruction. */
const hardSigmoidNode = (x: Node): Node => compositions.clip(mul(add(x, 2.5), 0.2), 0, 1)

/** exp(x) / sum(exp(x)) over an axis, the last by default. */
export const softmax = liftNodes(softmaxNode)
/** x where it is positive, else alpha · (exp(x) - 1). */
export const elu = liftNodes(eluNode)
/** elu with the scale and alpha of self-normalising networks. */
export const selu = liftNodes((x) => mul(eluNode(x, SELU_ALPHA), SELU_SCALE))
/** log(1 + exp(x)). */
export const softplus = liftNodes((x) => compositions.softplus(x))
/** x / (1 + |x|). */
export const softsign = liftNodes((x) => div(x, add(abs(x), 1)))
/** max(x, 0), or with options: slope below the threshold, and a largest value. */
export const relu = liftNodes(reluFull)
/** The hyperbolic tangent. */
export const tanh = liftNodes((x) => tanhNode(x))
/** 1 / (1 + exp(-x)). */
export const sigmoid = liftNodes((x) => sigmoidNode(x))
/** A piecewise linear sigmoid: 0.2 x + 0.5 within [0, 1]. */
export const hardSigmoid = liftNodes(hardSigmoidNode)
/** exp(x). */
export const exponential = liftNodes((x) => exp(x))
/** x itself. */
export const linear = liftNodes((x) => x)

/** By Keras' names. */
const table: Readonly<Record<string, Activation>> = {
  softmax: (x) => softmax(x), elu: (x) => elu(x), selu, softplus, softsign, relu: (x) => relu(x), tanh, sigmoid,
  hard_sigmoid: hardSigmoid, exponential, linear,
}
const canonical = new Map<unknown, string>([
  ...Object.entries(table).map(([name, f]): [unknown, string] => [f, name]), [softmax, 'softmax'], [elu, 'elu'], [relu, 'relu'],
])
/** The names that may stand for an activation. */
export const activationNames = Object.keys(table)

/** The function a name stands for, or the function given. @throws ValueError for an unknown name, in Keras' words. */
export function getActivation(identifier: unknown, custom: CustomObjects = session.customObjects): Activation {
  if (identifier === null || identifier === undefined) return table['linear']!
  if (typeof identifier === 'function') return identifier as Activation
  if (typeof identifier !== 'string') throw new ValueError(`('Could not interpret activation function identifier:', ${reprText(identifier)})`)
  const found = custom[identifier] ?? (Object.hasOwn(table, identifier) ? table[identifier] : table[camelToSnake(identifier)])
  if (!found) throw new ValueError(`Unknown activation function:${identifier}`)
  return found as Activation
}

/** How a configuration writes an activation. */
export const serializeActivation = (f: Activation): Json => canonical.get(f) ?? (isConfigured(f) ? serializeConfigured(f) : f.name)

/** An activation, built in or a user's, of a graph node. @throws TypeError when a user's activation returns something else than a tensor. */
export function applyActivation(f: Activation, x: Node): Node {
  const result = f(new KTensor(x))
  const node = typeof result === 'object' && result !== null && 'node' in result ? result.node : result
  if (typeof node !== 'object' || node === null || !('op' in node)) {
    throw new ArgumentTypeError(`An activation must return a tensor; ${f.name === '' ? 'this one' : f.name} returned ${reprText(result)}.`)
  }
  return node
}

/** `activations.get`, `serialize`, `deserialize`, as Keras groups them. */
export const get = getActivation
/** How a configuration writes an activation. */
export const serialize = serializeActivation
/** The function a configuration names. */
export const deserialize = getActivation
