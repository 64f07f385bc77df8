/** Penalties on weights and activities: functions of a tensor that return a 0-d tensor. */
import { ValueError } from '../../runtime/contract/errors.js'
import type { Node } from '../ir/graph.js'
import { abs, add, constant, mul, sum } from '../ops/build.js'
import { configured, isConfigObject, make, numberOf, serializeConfigured, type ConfigObject, type Configured, type Makers } from './configured.js'
import { checkOptions } from './maker-options.js'
import { reprText } from './python-text.js'
import { session, type CustomObjects } from './session.js'
import { KTensor, type TensorLike } from './tensor.js'

export type Regularizer = (x: KTensor) => TensorLike | Node
export type RegularizerIdentifier = string | ConfigObject | Regularizer | null

function l1l2Node(x: Node, l1: number, l2: number): Node {
  const parts = [
    ...(l1 !== 0 ? [sum(mul(abs(x), l1))] : []),
    ...(l2 !== 0 ? [sum(mul(mul(x, x), l2))] : []),
  ]
  const [first, second] = parts
  if (!first) return constant(0, { dtype: x.type.dtype, shape: [] })
  return second ? add(first, second) : first
}

/** `l1 * sum(|x|) + l2 * sum(x²)`. Both factors are rounded to float32, as Keras does. */
export function L1L2(options: { readonly l1?: number; readonly l2?: number } = {}): Regularizer & Configured {
  const { l1 = 0, l2 = 0 } = checkOptions('L1L2', options, { l1: 'number', l2: 'number' })
  const [a, b] = [Math.fround(l1), Math.fround(l2)]
  return configured('L1L2', { l1: a, l2: b }, (x: KTensor) => new KTensor(l1l2Node(x.node, a, b)))
}
/** factor · sum(|w|). */
export const l1 = (factor = 0.01): Regularizer & Configured => L1L2({ l1: factor })
/** factor · sum(w²). */
export const l2 = (factor = 0.01): Regularizer & Configured => L1L2({ l2: factor })
/** Both penalties, each 0.01 by default. */
export const l1L2 = (options: { readonly l1?: number; readonly l2?: number } = {}): Regularizer & Configured => L1L2({ l1: 0.01, l2: 0.01, ...options })

const makers: Makers<Regularizer> = {
  L1L2: (c) => L1L2({ l1: numberOf(c, 'l1', 0), l2: numberOf(c, 'l2', 0) }),
  l1: (c) => l1(numberOf(c, 'l', 0.01)),
  l2: (c) => l2(numberOf(c, 'l', 0.01)),
  l1_l2: (c) => l1L2({ l1: numberOf(c, 'l1', 0.01), l2: numberOf(c, 'l2', 0.01) }),
}

/** The regularizer a name or configuration stands for, or the function given; null for none. @throws ValueError `Unknown regularizer: l3`. */
export function getRegularizer(identifier: unknown, custom: CustomObjects = session.customObjects): Regularizer | null {
  if (identifier === null || identifier === undefined) return null
  if (typeof identifier === 'string') return make('regularizer', makers, identifier, {}, custom)
  if (typeof identifier === 'function') return identifier as Regularizer
  if (isConfigObject(identifier)) return make('regularizer', makers, identifier.class_name, identifier.config, custom)
  throw new ValueError(`Could not interpret regularizer identifier: ${reprText(identifier)}`)
}

/** The penalty of `x` as a 0-d node. @throws ValueError when a custom regularizer returns anything else. */
export function applyRegularizer(f: Regularizer, x: Node): Node {
  const result = f(new KTensor(x))
  const node = 'node' in result ? result.node : result
  if (node.type.shape.length !== 0) {
    throw new ValueError(`A regularizer must return a single number (a 0-d tensor); ${f.name === '' ? 'this one' : f.name} returned ${String(new KTensor(node))}.`)
  }
  return node
}

/** The regularizer a name or configuration stands for. */
export const get = getRegularizer
/** How a configuration writes a regularizer. */
export const serialize = serializeConfigured
/** The regularizer a configuration describes. */
export const deserialize = getRegularizer
