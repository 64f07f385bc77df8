/** Projections applied to a weight after each update: functions of a tensor that return a tensor of its shape. */
import { ValueError } from '../../runtime/contract/errors.js'
import type { Node } from '../ir/graph.js'
import { add, cast, div, greaterEqual, mul, sqrt, sum } from '../ops/build.js'
import { clip } from '../ops/compositions.js'
import { configured, isConfigObject, make, numberOf, serializeConfigured, type ConfigObject, type Configured, type Json, type JsonObject, type Makers } from './configured.js'
import { checkOptions } from './maker-options.js'
import { reprText } from './python-text.js'
import { session, type CustomObjects } from './session.js'
import { KTensor, type TensorLike } from './tensor.js'

export type Constraint = (x: KTensor) => TensorLike | Node
export type ConstraintIdentifier = string | ConfigObject | Constraint | null
type Axis = number | readonly number[]

/** Keras' epsilon: keeps divisions by a norm finite. */
const EPSILON = 1e-7

const norms = (w: Node, axis: Axis): Node => sqrt(sum(mul(w, w), axis, true))
const constraint = (className: string, config: JsonObject, f: (w: Node) => Node): Constraint & Configured =>
  configured(className, config, (x: KTensor) => new KTensor(f(x.node)))

/** Scales weights down where their norm over `axis` exceeds `maxValue`. */
export function MaxNorm(options: { readonly maxValue?: number; readonly axis?: Axis } = {}): Constraint & Configured {
  const { maxValue = 2, axis = 0 } = checkOptions('MaxNorm', options, { maxValue: 'number', axis: 'axis' })
  return constraint('MaxNorm', { max_value: maxValue, axis }, (w) => {
    const found = norms(w, axis)
    return mul(w, div(clip(found, 0, maxValue), add(found, EPSILON)))
  })
}

/** Sets negative weights to 0. */
export const NonNeg = (): Constraint & Configured =>
  constraint('NonNeg', {}, (w) => mul(w, cast(greaterEqual(w, 0), w.type.dtype)))

/** Norm 1 over `axis`. */
export function UnitNorm(options: { readonly axis?: Axis } = {}): Constraint & Configured {
  const { axis = 0 } = checkOptions('UnitNorm', options, { axis: 'axis' })
  return constraint('UnitNorm', { axis }, (w) => div(w, add(norms(w, axis), EPSILON)))
}

export type MinMaxNormOptions = { readonly minValue?: number; readonly maxValue?: number; readonly rate?: number; readonly axis?: Axis }

/** Moves norms over `axis` into [minValue, maxValue], by the fraction `rate` of the way. */
export function MinMaxNorm(options: MinMaxNormOptions = {}): Constraint & Configured {
  const { minValue = 0, maxValue = 1, rate = 1, axis = 0 } = checkOptions('MinMaxNorm', options, { minValue: 'number', maxValue: 'number', rate: 'number', axis: 'axis' })
  return constraint('MinMaxNorm', { min_value: minValue, max_value: maxValue, rate, axis }, (w) => {
    const found = norms(w, axis)
    const desired = add(mul(clip(found, minValue, maxValue), rate), mul(found, 1 - rate))
    return mul(w, div(desired, add(found, EPSILON)))
  })
}

function axisOf(config: JsonObject): Axis {
  const value: Json = config['axis'] ?? 0
  if (typeof value === 'number') return value
  if (Array.isArray(value) && value.every((a) => typeof a === 'number')) return value
  throw new ValueError(`Expected an axis or a list of axes, found ${JSON.stringify(value)}`)
}

const maxNorm = (c: JsonObject): Constraint => MaxNorm({ maxValue: numberOf(c, 'max_value', 2), axis: axisOf(c) })
const unitNorm = (c: JsonObject): Constraint => UnitNorm({ axis: axisOf(c) })
const minMaxNorm = (c: JsonObject): Constraint =>
  MinMaxNorm({ minValue: numberOf(c, 'min_value', 0), maxValue: numberOf(c, 'max_value', 1), rate: numberOf(c, 'rate', 1), axis: axisOf(c) })

const makers: Makers<Constraint> = {
  MaxNorm: maxNorm, max_norm: maxNorm, maxnorm: maxNorm,
  NonNeg: NonNeg, non_neg: NonNeg, nonneg: NonNeg,
  UnitNorm: unitNorm, unit_norm: unitNorm, unitnorm: unitNorm,
  MinMaxNorm: minMaxNorm, min_max_norm: minMaxNorm,
}

/** The constraint a name or configuration stands for, or the function given; null for none. @throws ValueError `Unknown constraint: …`. */
export function getConstraint(identifier: unknown, custom: CustomObjects = session.customObjects): Constraint | null {
  if (identifier === null || identifier === undefined) return null
  if (typeof identifier === 'string') return make('constraint', makers, identifier, {}, custom)
  if (typeof identifier === 'function') return identifier as Constraint
  if (isConfigObject(identifier)) return make('constraint', makers, identifier.class_name, identifier.config, custom)
  throw new ValueError(`Could not interpret constraint identifier: ${reprText(identifier)}`)
}

/** The projected weight. */
export function applyConstraint(f: Constraint, w: Node): Node {
  const result = f(new KTensor(w))
  return 'node' in result ? result.node : result
}

/** The constraint a name or configuration stands for. */
export const get = getConstraint
/** How a configuration writes a constraint. */
export const serialize = serializeConfigured
/** The constraint a configuration describes. */
export const deserialize = getConstraint
