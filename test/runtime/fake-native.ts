/**
 * A native addon made of JavaScript: functions are plain code over typed arrays. It keeps the promises of the real one
 * (batches gathered by order, return after a budget, nothing done in the caller's turn) and fails a test when an
 * asynchronous call that changes variables overlaps another.
 */
import { RUNTIME_ABI } from '../../runtime/load-package.js'
import { allocate } from '../../runtime/contract/dtype.js'
import type { TypedArray } from '../../runtime/contract/dtype.js'
import { MANIFEST_FORMAT } from '../../runtime/contract/manifest.js'
import type { FunctionManifest, ModelManifest, ModuleManifest, TensorManifest, VariableManifest } from '../../runtime/contract/manifest.js'
import type { Column, LoopPlan, NativeAddon, NativeModule } from '../../runtime/contract/native.js'
import { NDArray, sizeOf } from '../../runtime/ndarray.js'

export type Call = { inputs: readonly TypedArray[]; outputs: readonly TypedArray[]; variables: readonly TypedArray[]; scalars: readonly number[]; batch: number }
export type FakeFunction = { readonly manifest: FunctionManifest; readonly body: (call: Call) => void }

export class FakeModule implements NativeModule {
  readonly variables: TypedArray[]
  readonly scalars: number[]
  /** Batches a loop runs before it comes back, standing for its budget of time. */
  batchesPerVisit = Infinity
  readonly plans: LoopPlan[] = []
  calls = 0
  readers = 0
  writers = 0
  closed = false
  random = { seed: 0, step: 0 }

  constructor(readonly manifest: ModuleManifest, readonly functions: readonly FakeFunction[]) {
    this.variables = manifest.variables.map((v) => allocate(v.dtype, sizeOf(v.shape)))
    this.scalars = manifest.scalars.map((s) => s.value)
  }

  setVariable(index: number, value: TypedArray): void { this.variables[index]!.set(value) }
  getVariable(index: number, into: TypedArray): void { into.set(this.variables[index]!) }
  setScalar(index: number, value: number): void { this.scalars[index] = value }
  getScalar(index: number): number { return this.scalars[index]! }
  setRandom(seed: number, step: number): void { this.random = { seed, step } }
  getRandom(): { seed: number; step: number } { return this.random }
  /** Function and sizes of every `reserve`. */
  readonly reserved: (readonly [fn: number, dims: readonly number[]])[] = []
  reserve(fn: number, dims: readonly number[]): void { this.reserved.push([fn, dims]) }
  readLog(): void {}
  forgetLog(): void {}
  forgetData(): void {}
  describe(): string | null { return null }
  readChoices(): void {}
  choices(): string { return '' }
  bytes(): number { return 1000 }
  close(): void {
    if (this.readers + this.writers > 0) throw new Error('closed during a call')
    this.closed = true
  }

  readonly #bound: (() => void)[] = []
  bind(fn: number, inputs: readonly TypedArray[], outputs: readonly TypedArray[], dims: readonly number[]): number {
    return this.#bound.push(() => this.call(fn, inputs, outputs, dims)) - 1
  }
  callBound(bound: number): void { this.#bound[bound]!() }

  call(fn: number, inputs: readonly TypedArray[], outputs: readonly TypedArray[], dims: readonly number[]): void {
    if (this.closed) throw new Error('closed')
    this.calls++
    this.functions[fn]!.body({ inputs, outputs, variables: this.variables, scalars: this.scalars, batch: dims[0]! })
  }

  async callAsync(fn: number, inputs: readonly TypedArray[], outputs: readonly TypedArray[], dims: readonly number[]): Promise<void> {
    await this.#apart(fn, () => this.functions[fn]!.body({ inputs, outputs, variables: this.variables, scalars: this.scalars, batch: dims[0]! }))
  }

  async loop(plan: LoopPlan): Promise<number> {
    this.plans.push(plan)
    const last = Math.min(plan.lastBatch, plan.firstBatch + this.batchesPerVisit)
    await this.#apart(plan.fn, () => { for (let b = plan.firstBatch; b < last; b++) this.#batch(plan, b) })
    return last
  }

  async #apart(fn: number, body: () => void): Promise<void> {
    const writes = this.manifest.functions[fn]!.updates.length > 0
    if (this.closed || this.writers > 0 || (writes && this.readers > 0)) throw new Error('overlapping or late call')
    if (writes) this.writers++
    else this.readers++
    try {
      await new Promise<void>((resolve) => setTimeout(resolve, 1))
      body()
    } finally {
      if (writes) this.writers--
      else this.readers--
    }
  }

  #batch(plan: LoopPlan, b: number): void {
    const begin = b * plan.batchSize, end = Math.min(plan.samples, begin + plan.batchSize)
    const rows = Array.from({ length: end - begin }, (_, i) => (plan.order === null ? begin + i : plan.order[begin + i]!))
    const inputs = plan.inputs.map((column) => gather(column, rows))
    const outputs: TypedArray[] = plan.logs === null
      ? plan.outputs.map((c) => part(c, begin, end))
      : Array.from({ length: plan.scalarOutputs }, (_, k) => plan.logs!.subarray(b * plan.scalarOutputs + k, b * plan.scalarOutputs + k + 1))
    this.functions[plan.fn]!.body({ inputs, outputs, variables: this.variables, scalars: this.scalars, batch: rows.length })
  }
}

const width = ({ data, rowBytes }: Column): number => rowBytes / data.BYTES_PER_ELEMENT
const part = (column: Column, begin: number, end: number): TypedArray => column.data.subarray(begin * width(column), end * width(column))

function gather(column: Column, rows: readonly number[]): TypedArray {
  const n = width(column), make = column.data.constructor as new (length: number) => TypedArray
  const result = new make(rows.length * n)
  rows.forEach((row, i) => result.set(part(column, row, row + 1), i * n))
  return result
}

export const fakeAddon = (manifest: ModuleManifest, functions: readonly FakeFunction[], opened: FakeModule[] = []): NativeAddon => ({
  abi: RUNTIME_ABI, levels: ['fake'], level: 'fake', modules: [manifest.name],
  open: () => { const m = new FakeModule(manifest, functions); opened.push(m); return m },
  gpus: () => ({ count: 0, why: 'this file has no code for GPUs' }),
  setThreads: (n) => n,
})

export const tensor = (name: string, shape: TensorManifest['shape'], dtype: TensorManifest['dtype'] = 'float32'): TensorManifest => ({ name, dtype, shape })
export const fnManifest = (name: string, inputs: TensorManifest[], outputs: TensorManifest[], updates: string[] = []): FunctionManifest =>
  ({ name, inputs, outputs, updates, arenaBytes: { expression: '0', at: {} }, kernels: 1, flops: '0' })
export const variable = (name: string, shape: number[], role: VariableManifest['role'] = 'weight'): VariableManifest => ({ name, dtype: 'float32', shape, role, trainable: role === 'weight' })

export function moduleManifest(name: string, functions: readonly FakeFunction[], variables: VariableManifest[], model: Partial<ModelManifest>): ModuleManifest {
  return {
    format: MANIFEST_FORMAT, kcc: 'test', name, dims: ['B', 'T'], variables, scalars: [{ name: 'lr', value: 0.01 }], functions: functions.map((f) => f.manifest),
    model: { name, inputNames: [], outputNames: [], metricsNames: [], targets: [], weights: variables.filter((v) => v.role === 'weight').map((v) => v.name), optimizerWeights: [], config: null, trainingConfig: null, ...model },
  }
}

export const array = (shape: number[], fill: (i: number) => number = () => 0): NDArray => new NDArray(Float32Array.from({ length: sizeOf(shape) }, (_, i) => fill(i)), shape)
