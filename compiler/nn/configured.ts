/** Activations, initializers, regularizers and constraints: functions with a name and a configuration, found by identifier. */
import { ValueError } from '../../runtime/contract/errors.js'

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }
export type JsonObject = { readonly [key: string]: Json }

/** `{"class_name": "VarianceScaling", "config": {…}}`, as in configurations. */
export type ConfigObject = { readonly class_name: string; readonly config: JsonObject }

/** What carries a configuration: serialized as `class_name` and `config`. */
export type Configured = { readonly className: string; readonly getConfig: () => JsonObject }

/** A function that remembers how it was configured. */
export const configured = <F extends (...args: never[]) => unknown>(className: string, config: JsonObject, f: F): F & Configured =>
  Object.assign(f, { className, getConfig: () => config })

export const isConfigured = (x: unknown): x is Configured =>
  (typeof x === 'function' || (typeof x === 'object' && x !== null)) && 'className' in x && 'getConfig' in x

export const isConfigObject = (x: unknown): x is ConfigObject => typeof x === 'object' && x !== null && 'class_name' in x

/** `glorotUniform` and `glorot_uniform` name the same thing. Names of classes are left alone. */
export const camelToSnake = (name: string): string =>
  /^[a-z]/.test(name) ? name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`) : name
export const snakeToCamel = (name: string): string => name.replace(/_([a-z0-9])/g, (_, c: string) => c.toUpperCase())

/** Classes and functions by the names that configurations use. A maker gets the configuration's keys in camel case. */
export type Makers<F> = { readonly [name: string]: (config: JsonObject) => F }

/** `f` for an identifier or a configuration. @throws ValueError `Unknown <kind>: <name>`. */
export function make<F>(kind: string, makers: Makers<F>, name: string, config: JsonObject, custom: Readonly<Record<string, unknown>> = {}): F {
  const found = custom[name] ?? custom[camelToSnake(name)]
  if (found !== undefined) return (isMakerOf<F>(found) ? found(config) : found) as F
  const maker = Object.hasOwn(makers, name) ? makers[name] : makers[camelToSnake(name)]
  if (!maker) throw new ValueError(`Unknown ${kind}: ${name}`)
  return maker(config)
}

const isMakerOf = <F>(x: unknown): x is (config: JsonObject) => F => typeof x === 'function' && /^[A-Z]/.test(x.name)

/** What configurations hold: class and configuration, or a function's bare name. */
export function serializeConfigured(f: unknown): Json {
  if (f === null || f === undefined) return null
  if (isConfigured(f)) return { class_name: f.className, config: f.getConfig() }
  if (typeof f === 'function') return f.name
  throw new ValueError(`Cannot serialize ${String(f)}`)
}

/** A number of a configuration. @throws ValueError for anything else. */
export function numberOf(config: JsonObject, key: string, fallback: number): number {
  const value = config[key] ?? fallback
  if (typeof value !== 'number') throw new ValueError(`Expected a number for ${key}, found ${JSON.stringify(value)}`)
  return value
}

/** A seed: an integer or null. */
export function seedOf(config: JsonObject): number | null {
  const value = config['seed'] ?? null
  if (value !== null && typeof value !== 'number') throw new ValueError(`Expected a number or null for seed, found ${JSON.stringify(value)}`)
  return value
}
