/**
 * A layer is one record: its options, weights, function, shapes and documentation. `defineLayer` makes of it what
 * Keras has: a class that can be called with or without `new`, extended, and made from a configuration.
 */
import { ArgumentTypeError } from '../../runtime/contract/errors.js'
import type { Node } from '../ir/graph.js'
import { captureLocation } from '../support/capture.js'
import { camelToSnake, snakeToCamel, type Json, type JsonObject } from './configured.js'
import type { InputSpec } from './input-spec.js'
import { Layer, type CallContext, type LayerOptions, type Tensors } from './layer.js'
import { registerLayer } from './layer-table.js'
import type { InOf, OptionTable, OutOf } from './option.js'
import { session } from './session.js'
import { toList, unpackSingleton, type KShape } from './shape.js'
import { KTensor } from './tensor.js'
import type { Weight } from './weight.js'

/** What `call` may use besides the layer: the mode, and random streams. */
export type CallScope = { readonly training: boolean; readonly nextStream: (seed: number | null) => number }

/** A layer with the values of its options as properties, and its weights by name. */
export type Defined<O extends OptionTable> = Layer & { readonly [K in keyof O]: OutOf<O[K]> } & DefinedWeights
export interface DefinedWeights {
  /** A weight made in `build`; null when the options left it out. */
  weightNamed(name: string): Weight | null
}

export type LayerRecord<O extends OptionTable, P extends readonly (keyof O & string)[]> = {
  /** Keras' class name. */
  readonly className: string
  readonly doc: string
  /** In the order of Keras' configuration. */
  readonly options: O
  /** Required options, given by position in Keras' order. */
  readonly positional: P
  /** Whether `inputDim: n` may stand for `inputShape: [n]`. */
  readonly acceptsInputDim: boolean
  /** Shape of one sample where the user gave none, from the options as written; without it a first layer needs a shape. */
  readonly impliedInputShape?: (given: Readonly<Record<string, unknown>>) => KShape
  readonly inputSpec: InputSpec | null
  /** Makes weights with `layer.addWeight` and may set `layer.inputSpec`; checks shapes. "none" is `null`. */
  readonly build: ((layer: Defined<O>, inputShapes: readonly KShape[]) => void) | null
  readonly call: (layer: Defined<O>, inputs: readonly Node[], scope: CallScope) => Node | readonly Node[]
  readonly outputShape: (layer: Defined<O>, inputShapes: readonly KShape[]) => KShape
}

type Positionals<O extends OptionTable, P extends readonly (keyof O)[]> = { -readonly [I in keyof P]: InOf<O[P[I]]> }
type Rest<O extends OptionTable, P extends readonly (keyof O)[]> =
  { readonly [K in Exclude<keyof O, P[number]>]?: InOf<O[K]> } & LayerOptions & { readonly inputDim?: number }
export type LayerArguments<O extends OptionTable, P extends readonly (keyof O)[]> = [...Positionals<O, P>, options?: Rest<O, P>]

/** `Dense(64, {…})`, `new Dense(64, {…})`, `class X extends Dense`, `Dense.fromConfig(config)`. */
export interface LayerConstructor<O extends OptionTable, P extends readonly (keyof O & string)[]> {
  (...args: LayerArguments<O, P>): Defined<O>
  new (...args: LayerArguments<O, P>): Defined<O>
  fromConfig(config: JsonObject): Defined<O>
  readonly record: LayerRecord<O, P>
}

type BaseRecord = { readonly options: OptionTable; readonly acceptsInputDim: boolean; readonly impliedInputShape?: (given: Readonly<Record<string, unknown>>) => KShape }

/** Options as the base class takes them; a record's own ones are taken out. */
function baseOptions(all: Readonly<Record<string, unknown>>, { options: own, acceptsInputDim, impliedInputShape }: BaseRecord): LayerOptions {
  const given = Object.fromEntries(Object.entries(all).filter(([key]) => !Object.hasOwn(own, key)))
  const base = impliedInputShape ? { inputShape: impliedInputShape(all), ...given } : given
  if (acceptsInputDim && typeof base['inputDim'] === 'number') {
    const { inputDim, ...rest } = base
    return { inputShape: [inputDim], ...rest }
  }
  return base
}

/** @throws TypeError for a required option that is missing. */
function parseOptions(className: string, table: OptionTable, given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(table).map(([name, option]) => {
    const { fallback, parse } = option
    const value = given[name] === undefined ? fallback : given[name]
    if (value === undefined) throw new ArgumentTypeError(`${className}() missing required argument: '${camelToSnake(name)}'`, captureLocation())
    return [name, parse(value as never, camelToSnake(name), given)]
  }))
}

/** Positional arguments and the options object as one record. @throws TypeError for too many arguments. */
function gather(record: { className: string; positional: readonly string[] }, args: readonly unknown[]): Record<string, unknown> {
  const { className, positional } = record
  if (args.length > positional.length + 1) throw new ArgumentTypeError(`${className}() takes ${positional.length} positional arguments and one options object but ${args.length} arguments were given`, captureLocation())
  const options = args[positional.length] ?? {}
  if (typeof options !== 'object' || Array.isArray(options)) throw new ArgumentTypeError(`${className}() takes its options in one object, such as { name: 'a' }. Found: ${String(options)}`, captureLocation())
  const twice = positional.find((name) => Object.hasOwn(options, name))
  if (twice !== undefined) throw new ArgumentTypeError(`${className}() got multiple values for argument '${camelToSnake(twice)}'`, captureLocation(), `${twice} is given by position: ${className}(${positional.join(', ')}, { … })`)
  return { ...(options as Record<string, unknown>), ...Object.fromEntries(positional.map((name, i) => [name, args[i]])) }
}

export function defineLayer<const O extends OptionTable, const P extends readonly (keyof O & string)[]>(record: LayerRecord<O, P>): LayerConstructor<O, P> {
  const { options: table, className } = record

  class DefinedLayer extends Layer implements DefinedWeights {
    constructor(...args: unknown[]) {
      const given = gather(record, args)
      super(baseOptions(given, record))
      this.located(() => Object.assign(this, parseOptions(className, table, given)))
      this.inputSpec = record.inputSpec
    }

    protected override get optionNames(): readonly string[] { return Object.keys(table).filter((name) => !record.positional.includes(name)) }

    override build(inputShape: KShape | KShape[]): void {
      record.build?.(asDefined(this), shapeList(inputShape))
      this.built = true
    }

    override call(inputs: KTensor | KTensor[], context: CallContext): Tensors {
      const nodes = toList(inputs).map((t) => t.node)
      const nextStream = (seed: number | null): number => session.currentRun?.nextStream(seed) ?? 0
      const result = record.call(asDefined(this), nodes, { training: context.training, nextStream })
      return unpackSingleton(toList(result).map((node) => new KTensor(node)))
    }

    override computeOutputShape(inputShape: KShape | KShape[]): KShape {
      return record.outputShape(asDefined(this), shapeList(inputShape))
    }

    override getConfig(): JsonObject {
      const values = asDefined(this) as unknown as Readonly<Record<string, never>>
      const own = Object.entries(table).filter(([name, option]) => option.inConfig?.(values[name] as never) ?? true)
        .map(([name, option]): [string, Json] => [camelToSnake(name), option.serialize(values[name] as never)])
      return { ...super.getConfig(), ...Object.fromEntries(own) }
    }

    weightNamed(name: string): Weight | null {
      return this.ownWeights.find((w) => w.name.endsWith(`/${name}:0`) || w.name === `${name}:0`) ?? null
    }

    static fromConfig(config: JsonObject): Layer {
      const options: Record<string, unknown> = Object.fromEntries(Object.entries(config).map(([k, v]) => [snakeToCamel(k), v]))
      const leading = record.positional.map((name) => options[name])
      return new this(...leading, Object.fromEntries(Object.entries(options).filter(([k]) => !record.positional.includes(k))))
    }

    static readonly record = record
  }

  const asDefined = (layer: DefinedLayer): Defined<O> => layer as unknown as Defined<O>
  Object.defineProperty(DefinedLayer, 'name', { value: className })
  const constructor = callableClass(DefinedLayer) as unknown as LayerConstructor<O, P>
  registerLayer(className, constructor)
  return constructor
}

/** A class that makes an instance when called without `new` as well. */
export const callableClass = <C extends abstract new (...args: never[]) => object>(target: C): C =>
  new Proxy(target, { apply: (_, __, args: unknown[]) => Reflect.construct(target, args) as object })

/** One shape or several, as a list. */
export const shapeList = (shape: KShape | KShape[]): KShape[] =>
  Array.isArray(shape[0]) ? (shape as KShape[]) : [shape as KShape]

