/** What the templates of a package show: inputs and outputs with their TypeScript types. */
import type { DType } from '../../runtime/contract/dtype.js'
import type { ManifestDim, ModuleManifest, TensorManifest } from '../../runtime/contract/manifest.js'
import { KccError } from '../../runtime/contract/errors.js'
import { kccVersion } from '../support/paths.js'

export type TensorView = {
  /** The name as a TypeScript string literal. */
  readonly key: string
  /** `Samples<Float32Array, [784]>` or `Result<'float32', Float32Array, [number, 10]>`. */
  readonly type: string
  /** `float32 [B, 784]`. */
  readonly doc: string
}

export type PackageView = {
  readonly name: string
  readonly kcc: string
  readonly inputs: readonly TensorView[]
  readonly outputs: readonly TensorView[]
  /** Set when there is only one. */
  readonly onlyInput: TensorView | null
  readonly onlyOutput: TensorView | null
  readonly metrics: string
  readonly platform: string
  readonly arch: string
}

const arrayTypes: Readonly<Record<DType, string>> = {
  float32: 'Float32Array', float64: 'Float64Array', int32: 'Int32Array', bool: 'Uint8Array', uint8: 'Uint8Array',
}

export function packageView(name: string, manifest: ModuleManifest): PackageView {
  const predict = manifest.functions.find((f) => f.name === 'predict')
  if (predict === undefined) throw new KccError(`The module ${manifest.name} has no function predict, so it cannot be a package.`)
  const inputs = predict.inputs.map(inputView)
  const outputs = predict.outputs.map(outputView)
  return {
    name, kcc: kccVersion, inputs, outputs,
    onlyInput: inputs.length === 1 ? inputs[0]! : null,
    onlyOutput: outputs.length === 1 ? outputs[0]! : null,
    metrics: (manifest.model?.metricsNames ?? []).map(literal).join(' | ') || 'string',
    platform: process.platform,
    arch: process.arch,
  }
}

const inputView = (tensor: TensorManifest): TensorView =>
  ({ key: literal(tensor.name), doc: describe(tensor), type: `Samples<${arrayTypes[tensor.dtype]}, ${shapeType(tensor.shape)}>` })

const outputView = (tensor: TensorManifest): TensorView =>
  ({ key: literal(tensor.name), doc: describe(tensor), type: `Result<'${tensor.dtype}', ${arrayTypes[tensor.dtype]}, ${shapeType(tensor.shape)}>` })

/** A symbolic dimension is any number. */
const shapeType = (shape: readonly ManifestDim[]): string =>
  `[${shape.map((dim) => (typeof dim === 'number' ? String(dim) : 'number')).join(', ')}]`

const describe = (tensor: TensorManifest): string => `${tensor.dtype} [${tensor.shape.join(', ')}]`

/** Names come from the user's model: they appear in generated text only as string literals. */
const literal = (text: string): string =>
  `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'").replaceAll('*/', '*\\/')}'`
