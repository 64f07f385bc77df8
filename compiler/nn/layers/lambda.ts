/** Lambda: a user's function of tensors as a layer. */
import { ArgumentTypeError, ValueError } from '../../../runtime/contract/errors.js'
import { input as inputNode } from '../../ops/build.js'
import type { Node } from '../../ir/graph.js'
import { captureLocation } from '../../support/capture.js'
import { snakeToCamel, type JsonObject } from '../configured.js'
import { callableClass, shapeList } from '../define-layer.js'
import { Layer, type LayerOptions, type Tensors } from '../layer.js'
import { registerLayer } from '../layer-table.js'
import { reprText } from '../python-text.js'
import { session } from '../session.js'
import { inputShape, toList, unpackSingleton, type KShape } from '../shape.js'
import { KTensor, type TensorLike } from '../tensor.js'

type Result = TensorLike | Node
/** Gets the tensor, or a list of several, and the layer's `arguments`. */
export type LambdaFunction<T extends KTensor | KTensor[] = never> = (inputs: T, args: JsonObject) => Result | readonly Result[]
export type OutputShape = KShape | ((inputShape: KShape | KShape[]) => KShape | KShape[])

export type LambdaOptions = LayerOptions & {
  /** Shape of the result without the batch, or a function from the input's whole shape. It is known without it, too. */
  readonly outputShape?: OutputShape | null
  /** Given to the function as its second argument. */
  readonly arguments?: JsonObject
}

const nodeOf = (x: unknown): Node | null => {
  const node = typeof x === 'object' && x !== null && 'node' in x ? x.node : x
  return typeof node === 'object' && node !== null && 'op' in node ? (node as Node) : null
}

class LambdaClass extends Layer {
  /** The user's function, whatever kind of input it declares. */
  declare readonly function: LambdaFunction
  declare readonly declaredShape: OutputShape | null
  declare readonly arguments: JsonObject

  constructor(f: LambdaFunction, options: LambdaOptions = {}) {
    if (typeof f !== 'function') throw new ArgumentTypeError(`Lambda() takes a function of a tensor. Found: ${reprText(f)}`, captureLocation())
    const { outputShape, arguments: args, ...base } = options
    super(base)
    Object.defineProperty(this, 'arguments', { value: args ?? {}, enumerable: true })
    Object.assign(this, { function: f, declaredShape: outputShape ?? null })
  }

  override get className(): string { return 'Lambda' }
  protected override automaticName(): string { return session.layerName('Lambda') }

  override call(inputs: KTensor | KTensor[]): Tensors {
    const results = toList(this.function(inputs as never, this.arguments) as unknown)
    return unpackSingleton(results.map((result) => {
      const node = nodeOf(result)
      if (!node) throw new ArgumentTypeError(`The function of ${this.name} must return a tensor; it returned ${reprText(result)}.`)
      return new KTensor(node)
    }))
  }

  override computeOutputShape(shape: KShape | KShape[]): KShape | KShape[] {
    const { declaredShape } = this
    if (typeof declaredShape === 'function') return declaredShape(shape)
    const shapes = shapeList(shape)
    if (declaredShape) return [shapes[0]![0] ?? null, ...declaredShape]
    const inputs = shapes.map((s, i) => new KTensor(inputNode(`input_${i}`, { dtype: this.dtype, shape: inputShape(`input_${i}`, s) })))
    return unpackSingleton(toList(this.call(unpackSingleton(inputs))).map((t) => t.shape))
  }

  /** Python's code cannot be written, so a function stands under its name, one without a name under the layer's. */
  override getConfig(): JsonObject {
    const { declaredShape } = this
    const shape = typeof declaredShape === 'function' ? { output_shape: nameOr(declaredShape, `${this.name}_shape`), output_shape_type: 'function' } : { output_shape: declaredShape, output_shape_type: 'raw' }
    return { ...super.getConfig(), function: nameOr(this.function, this.name), function_type: 'function', ...shape, arguments: this.arguments }
  }

  static fromConfig(config: JsonObject): Layer {
    const { function: f, function_type: kind, output_shape: shape, output_shape_type: shapeKind, arguments: args, ...rest } = config
    const base = Object.fromEntries(Object.entries(rest).map(([key, value]) => [snakeToCamel(key), value]))
    const name = String(config['name'])
    const outputShape = shapeKind === 'raw' ? (shape as KShape | null) : shapeKind === 'function' ? (customFunction(String(shape)) as OutputShape) : null
    return new this(kind === 'lambda' ? pythonFunction(name) : (customFunction(String(f)) as LambdaFunction), { ...base, outputShape, arguments: (args ?? {}) as JsonObject })
  }
}

const nameOr = (f: { readonly name: string }, fallback: string): string => (f.name === '' ? fallback : f.name)

/** @throws ValueError in Keras' words for a name that `customObjects` does not have. */
function customFunction(name: string): unknown {
  const found = session.customObjects[name]
  if (typeof found !== 'function') throw new ValueError(`Unknown function in Lambda layer: ${name}`, null, `expected: the function under this name in \`customObjects\``)
  return found
}

/** The function that stands for a layer's Python code. @throws ValueError when there is none. */
function pythonFunction(layer: string): LambdaFunction {
  const found = session.customObjects[layer]
  if (typeof found === 'function') return found as LambdaFunction
  throw new ValueError(`The function of the Lambda layer ${layer} is stored as Python code, which cannot run here.`, null,
    `expected: a function named ${layer} in \`customObjects\`, or the model built in code and its weights loaded`)
}

export type Lambda = LambdaClass
/** `Lambda((x) => …, { outputShape, arguments })`: a function of a tensor, or of a list of tensors, as a layer. */
export const Lambda = callableClass(LambdaClass) as unknown as {
  <T extends KTensor | KTensor[] = KTensor>(f: LambdaFunction<T>, options?: LambdaOptions): LambdaClass
  new <T extends KTensor | KTensor[] = KTensor>(f: LambdaFunction<T>, options?: LambdaOptions): LambdaClass
  fromConfig(config: JsonObject): Layer
}
registerLayer('Lambda', LambdaClass)
