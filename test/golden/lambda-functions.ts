/** The functions of the programs' Lambda layers, whose Python code is stored but cannot run here. */
import type { CustomObjects } from '../../compiler/nn/session.js'
import type { KTensor } from '../../compiler/nn/tensor.js'
import type { Node } from '../../compiler/ir/graph.js'
import { maximum, reshape, sqrt, sub, sum } from '../../compiler/ops/build.js'
import { square } from '../../compiler/ops/compositions.js'
import { gradients } from '../../compiler/ops/gradients.js'

/** By model and layer. */
export const lambdaFunctions: Readonly<Record<string, CustomObjects>> = {
  E14: { l2_loss: ([features, centers]: readonly KTensor[]): Node => sum(square(sub(features!.node, reshape(centers!.node, features!.node.type.shape))), 1, true) },
  E15: { lambda_1: ([before, pooled]: readonly KTensor[]): Node => gradients(sum(pooled!.node), null, [before!.node])[0]! },
  E20: { lambda_1: ([a, b]: readonly KTensor[]): Node => sqrt(maximum(sum(square(sub(a!.node, b!.node)), 1, true), 1e-7)) },
}

/** A configuration with the functions above where Keras has Python code. */
export function withoutPythonCode(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutPythonCode)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutPythonCode(inner)]))
  if (entries['function_type'] !== 'lambda') return entries
  return { ...entries, function: entries['name'], function_type: 'function', output_shape: null, output_shape_type: 'raw' }
}
