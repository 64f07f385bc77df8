/** What the runtime must know about a module, from its plan. */
import { MANIFEST_FORMAT, type FunctionManifest, type ModuleManifest, type TensorManifest } from '../../runtime/contract/manifest.js'
import { addDims, dimText, isStatic, type Dim } from '../ir/dim.js'
import { dataType } from '../ir/element-type.js'
import type { Node } from '../ir/graph.js'
import { contractionFlops } from '../ir/kernel-work.js'
import { arenaBytes, arenaText } from '../plan/plan-memory.js'
import type { PlannedFunction } from '../plan/plan-function.js'
import { identifier } from './c-expr.js'
import type { PlannedModule } from './emit-modules.js'

export function moduleManifest(planned: PlannedModule, version: string): ModuleManifest {
  const { module, dims, model, precision = 'float32' } = planned
  return {
    format: MANIFEST_FORMAT, kcc: version, name: identifier(module.name), dims,
    variables: module.variables.map(({ name, dtype, shape, role, trainable }) => ({ name, dtype, shape, role, trainable })),
    scalars: module.scalars.map(({ name, value }) => ({ name, value })),
    functions: planned.functions.map(({ general, constraints = [], indices = [] }) => ({
      ...functionManifest(general, dims), ...(constraints.length > 0 ? { constraints } : {}), ...(indices.length > 0 ? { indices } : {}),
    })),
    model, ...(precision === 'float32' ? {} : { precision }),
  }
}

/** Batch sizes at which the arena is quoted for people. */
const quoted = [1, 32, 128]

function functionManifest({ graph, kernels, memory }: PlannedFunction, dims: readonly string[]): FunctionManifest {
  const at = Object.fromEntries(quoted.map((size) => [String(size), arenaBytes(memory, Object.fromEntries(dims.map((name) => [name, size])))]))
  return {
    name: graph.name,
    inputs: graph.inputs.map((node) => tensor(String(node.attrs['name']), node)),
    outputs: graph.outputs.map(({ name, node }) => tensor(name, node)),
    updates: graph.updates.map((u) => u.variable),
    arenaBytes: { expression: arenaText(memory), at },
    kernels: kernels.length,
    flops: dimText(kernels.flatMap((k) => k.program.body).map(contractionFlops).reduce<Dim>(addDims, 0)),
  }
}

const tensor = (name: string, node: Node): TensorManifest =>
  ({ name, dtype: dataType(node.type.dtype), shape: node.type.shape.map((dim) => (isStatic(dim) ? dim : dimText(dim))) })
