/**
 * The contract of a metric. One record is its only definition: names, options, configuration, and a rule of ops. Compiled
 * models, files, the classes of `metrics`, standalone use and tests read the record; nothing else asks which metric it has.
 */
import { ArgumentTypeError } from '../../../runtime/contract/errors.js'
import { captureLocation } from '../../support/capture.js'
import { camelToSnake, snakeToCamel, type Json } from '../configured.js'
import type { InOf, OptionTable, OutOf } from '../option.js'
import { session, toSnakeCase } from '../session.js'
import { Metric } from './metric.js'
import type { MetricRule } from './rule.js'

export type MetricRecord<O extends OptionTable = OptionTable, P extends readonly (keyof O & string)[] = readonly (keyof O & string)[]> = {
  /** Keras' class of the metric. */
  readonly className: string
  /** What is computed, in one line. */
  readonly doc: string
  /** Names by which `compile` knows it as a function, Keras' own first; none for metrics that are classes only. */
  readonly functions: readonly string[]
  /** Name of an instance that is given none. */
  readonly instanceName: () => string
  /** In the order of Keras' configuration. */
  readonly options: O
  /** Required options, given by position. */
  readonly positional: P
  /** Whether the target is a class number, passed as int32 [B, ..., 1]; else it is float32. */
  readonly sparse: boolean
  readonly rule: (options: OptionValues<O>) => MetricRule
}

export type OptionValues<O extends OptionTable> = { readonly [K in keyof O]: OutOf<O[K]> }
type Positionals<O extends OptionTable, P extends readonly (keyof O)[]> = { -readonly [I in keyof P]: InOf<O[P[I]]> }
type Rest<O extends OptionTable, P extends readonly (keyof O)[]> = { readonly [K in Exclude<keyof O, P[number]>]?: InOf<O[K]> } & { readonly name?: string }

/** A metric without its types of options, as the list of all metrics holds it. */
export type MetricDefinition = Omit<MetricRecord, 'rule'> & { readonly rule: (options: Readonly<Record<string, unknown>>) => MetricRule }

/** `Precision({ thresholds: 0.7 })`, `MeanIoU(3)`: makes an instance. */
export type MetricMaker<O extends OptionTable, P extends readonly (keyof O & string)[]> =
  ((...args: [...Positionals<O, P>, options?: Rest<O, P>]) => Metric) & { readonly record: MetricDefinition }

/** The same name for every instance, as the metrics have that are means of a function. */
export const always = (name: string) => (): string => name
/** `precision_1`, `precision_2`, … */
export const counted = (className: string) => (): string => session.layerName(className)
/** `mean_io_u`, `mean_io_u_1`, …: the way of tf.keras, from which Keras takes this class. */
export function countedFromSecond(className: string): () => string {
  return () => {
    const count = session.uid(className)
    return count === 1 ? toSnakeCase(className) : `${toSnakeCase(className)}_${count - 1}`
  }
}

export function defineMetric<const O extends OptionTable, const P extends readonly (keyof O & string)[]>(record: MetricRecord<O, P>): MetricMaker<O, P> {
  const definition = record as unknown as MetricDefinition
  const maker = (...args: readonly unknown[]): Metric => metricOf(definition, gather(definition, args))
  return Object.assign(maker, { record: definition }) as unknown as MetricMaker<O, P>
}

/** @throws ArgumentTypeError for arguments that do not fit. */
function gather({ className, positional }: MetricDefinition, args: readonly unknown[]): Record<string, unknown> {
  if (args.length > positional.length + 1) throw new ArgumentTypeError(`${className}() takes ${positional.length} positional arguments and one options object but ${args.length} arguments were given`, captureLocation())
  const options = args[positional.length] ?? {}
  if (typeof options !== 'object' || Array.isArray(options)) throw new ArgumentTypeError(`${className}() takes its options in one object, such as { name: 'a' }. Found: ${String(options)}`, captureLocation())
  return { ...(options as Record<string, unknown>), ...Object.fromEntries(positional.map((name, i) => [name, args[i]])) }
}

/** An instance. @throws ArgumentTypeError for a missing or an unknown option, ValueError for a value it cannot have. */
export function metricOf(definition: MetricDefinition, given: Readonly<Record<string, unknown>>): Metric {
  const { className, options: table } = definition
  const unknown = Object.keys(given).find((key) => !Object.hasOwn(table, key) && key !== 'name' && key !== 'dtype')
  if (unknown !== undefined) throw new ArgumentTypeError(`${className}() got an unexpected keyword argument '${camelToSnake(unknown)}'`, captureLocation())
  const values = Object.fromEntries(Object.entries(table).map(([key, { fallback, parse }]) => {
    const value = given[key] === undefined ? fallback : given[key]
    if (value === undefined) throw new ArgumentTypeError(`${className}() missing required argument: '${camelToSnake(key)}'`, captureLocation())
    return [key, parse(value as never, camelToSnake(key), given)]
  }))
  const name = typeof given['name'] === 'string' ? given['name'] : definition.instanceName()
  const own = Object.entries(table).map(([key, { serialize }]): [string, Json] => [camelToSnake(key), serialize(values[key] as never)])
  const config = { class_name: className, config: { name, dtype: 'float32', ...Object.fromEntries(own) } }
  return new Metric({ name, computes: definition.functions[0] ?? name, config, sparse: definition.sparse, rule: definition.rule(values) })
}

/** The instance a configuration describes. */
export const metricOfConfig = (definition: MetricDefinition, config: Readonly<Record<string, unknown>>): Metric =>
  metricOf(definition, Object.fromEntries(Object.entries(config).map(([key, value]) => [snakeToCamel(key), value])))
