/** Kinds of layer options. Each reads a user's value or a configuration's, and writes the configuration's. */
import { ArgumentTypeError, ValueError } from '../../runtime/contract/errors.js'
import { getActivation, serializeActivation, type Activation, type ActivationIdentifier } from './activations.js'
import { serializeConfigured, type Json } from './configured.js'
import { getConstraint, type Constraint, type ConstraintIdentifier } from './constraints.js'
import { getInitializer, type Initializer, type InitializerIdentifier } from './initializers.js'
import { reprText } from './python-text.js'
import { getRegularizer, type Regularizer, type RegularizerIdentifier } from './regularizers.js'

export type Option<In, Out> = {
  /** One line for the documentation. */
  readonly doc: string
  /** Absent in required options. */
  readonly fallback?: In
  /** @throws ValueError or TypeError naming the option. */
  readonly parse: (value: In, name: string) => Out
  readonly serialize: (value: Out) => Json
  /** Whether a configuration holds this value; without it, every value. For options that Keras' own leave out. */
  readonly inConfig?: (value: Out) => boolean
}
/** What all options have in common: each checks its own values at run time. */
export type AnyOption = {
  readonly doc: string
  readonly fallback?: unknown
  /** `given` are all options as they were written, for those whose meaning depends on another. */
  readonly parse: (value: never, name: string, given: Readonly<Record<string, unknown>>) => unknown
  readonly serialize: (value: never) => Json
  readonly inConfig?: (value: never) => boolean
}
export type OptionTable = { readonly [name: string]: AnyOption }
export type InOf<O> = O extends { readonly parse: (value: infer In, name: string) => unknown } ? In : never
export type OutOf<O> = O extends { readonly parse: (value: never, name: string) => infer Out } ? Out : never

const refuse = (name: string, wanted: string, found: unknown): never => {
  throw new ArgumentTypeError(`\`${name}\` must be ${wanted}. Found: ${reprText(found)}`)
}
const withFallback = <In>(fallback: In | undefined): { readonly fallback?: In } => (fallback === undefined ? {} : { fallback })

/** A whole number from `least` up. */
export const integer = (doc: string, fallback?: number, least = -Infinity): Option<number, number> => ({
  doc, ...withFallback(fallback), serialize: (v) => v,
  parse: (v, name) => (Number.isInteger(v) && v >= least ? v : refuse(name, least === -Infinity ? 'an integer' : `an integer of at least ${least}`, v)),
})

export const number = (doc: string, fallback?: number): Option<number, number> => ({
  doc, ...withFallback(fallback), serialize: (v) => v,
  parse: (v, name) => (typeof v === 'number' ? v : refuse(name, 'a number', v)),
})

/** A number rounded to float32, as Keras keeps those that take part in an activation. */
export const float32 = (doc: string, fallback: number): Option<number, number> => ({
  ...number(doc, fallback), parse: (v, name) => Math.fround(number(doc).parse(v, name)),
})

/** The same, or null. */
export const optionalFloat32 = (doc: string): Option<number | null, number | null> => ({
  doc, fallback: null, serialize: (v) => v, parse: (v, name) => (v === null ? null : Math.fround(number(doc).parse(v, name))),
})

/** An option that configurations hold only where its value is not `usual`: Keras' own leave it out. */
export const unlisted = <In, Out>(option: Option<In, Out>, usual: Out): Option<In, Out> => ({ ...option, inConfig: (v) => v !== usual })

/** A fraction; values outside [0, 1] are cut, as Keras does. */
export const rate = (doc: string): Option<number, number> => ({
  doc, serialize: (v) => v,
  parse: (v, name) => (typeof v === 'number' ? Math.min(1, Math.max(0, v)) : refuse(name, 'a number', v)),
})

export const boolean = (doc: string, fallback?: boolean): Option<boolean, boolean> => ({
  doc, ...withFallback(fallback), serialize: (v) => v,
  parse: (v, name) => (typeof v === 'boolean' ? v : refuse(name, 'true or false', v)),
})

export const optionalInteger = (doc: string): Option<number | null, number | null> => ({
  doc, fallback: null, serialize: (v) => v,
  parse: (v, name) => (v === null || Number.isInteger(v) ? v : refuse(name, 'an integer or null', v)),
})

/** A list of whole numbers. */
export const integers = (doc: string): Option<readonly number[], readonly number[]> => ({
  doc, serialize: (v) => v,
  parse: (v, name) => (Array.isArray(v) && v.every(Number.isInteger) ? [...v] : refuse(name, 'a list of integers', v)),
})

/** A list of sizes in which null stands for "as the input", or null. */
export const optionalShape = (doc: string): Option<readonly (number | null)[] | null, readonly (number | null)[] | null> => ({
  doc, fallback: null, serialize: (v) => v,
  parse: (v, name) => (v === null || (Array.isArray(v) && v.every((d) => d === null || Number.isInteger(d))) ? v : refuse(name, 'a list of integers and nulls', v)),
})

const dataFormats = ['channels_last', 'channels_first'] as const
export type DataFormat = (typeof dataFormats)[number]

/** Where the channels are; null is `channels_last`. camelCase is accepted. */
export const dataFormat = (): Option<string | null, DataFormat> => ({
  doc: 'channels_last: [B, ..., C]; channels_first: [B, C, ...]', fallback: null, serialize: (v) => v,
  parse: (v) => {
    const wanted = String(v ?? 'channels_last').replace(/[A-Z]/, (c) => `_${c.toLowerCase()}`)
    const found = dataFormats.find((f) => f === wanted)
    if (!found) throw new ValueError(`The \`data_format\` argument must be one of "channels_first", "channels_last". Received: ${String(v)}`)
    return found
  },
})

export const activation = (doc = 'function of the result', fallback?: ActivationIdentifier): Option<ActivationIdentifier, Activation> => ({
  doc, ...withFallback(fallback), serialize: serializeActivation, parse: (v) => getActivation(v),
})
export const initializer = (doc: string, fallback: InitializerIdentifier): Option<InitializerIdentifier, Initializer> => ({
  doc, fallback, serialize: serializeConfigured, parse: (v) => getInitializer(v),
})
export const regularizer = (doc: string): Option<RegularizerIdentifier, Regularizer | null> => ({
  doc, fallback: null, serialize: serializeConfigured, parse: (v) => getRegularizer(v),
})
export const constraint = (doc: string): Option<ConstraintIdentifier, Constraint | null> => ({
  doc, fallback: null, serialize: serializeConfigured, parse: (v) => getConstraint(v),
})
