/** A compiled module as the runtime uses it: functions, variables and scalars by name instead of by index. */
import { allocate, itemSize } from './contract/dtype.js'
import type { DType, TypedArray } from './contract/dtype.js'
import { RuntimeError, ValueError } from './contract/errors.js'
import type { FunctionManifest, ModuleManifest, TensorManifest, VariableManifest } from './contract/manifest.js'
import type { Column, NativeModule } from './contract/native.js'
import { checkIndices } from './check-indices.js'
import { checkConstraints } from './constraints.js'
import { evaluateDim, isSymbol } from './dims.js'
import { NDArray, sizeOf } from './ndarray.js'
import { pythonTuple } from './python-text.js'

/** The symbol that counts samples in every function of a Keras model. */
const BATCH = 'B'

export type ProgramFunction = {
  readonly index: number
  readonly manifest: FunctionManifest
  /** It changes variables, so no other call of the module may overlap it. */
  readonly exclusive: boolean
  /** The number of samples every call must have, or null when any will do. */
  readonly fixedBatch: number | null
}

/** What a call writes. */
export type OutputType = { readonly shape: readonly number[]; readonly dtype: DType }

/** The functions and variables of an opened native module by their names, with every argument checked. */
export class Program {
  readonly #variables: ReadonlyMap<string, number>
  readonly #scalars: ReadonlyMap<string, number>
  readonly #functions: ReadonlyMap<string, ProgramFunction>
  /** Position of the batch symbol in a call's dims; -1 when the batch size is fixed. */
  readonly batchDim: number

  constructor(readonly native: NativeModule, readonly manifest: ModuleManifest) {
    this.#variables = new Map(manifest.variables.map((v, i) => [v.name, i]))
    this.#scalars = new Map(manifest.scalars.map((s, i) => [s.name, i]))
    this.#functions = new Map(manifest.functions.map((f, i) => [f.name, describeFunction(f, i)]))
    this.batchDim = manifest.dims.indexOf(BATCH)
  }

  /** A function by name, or null when the module has none of that name. */
  find(name: string): ProgramFunction | null { return this.#functions.get(name) ?? null }

  /**
   * Values of the module's symbols for calls over these samples (the batch symbol stands for all of them); symbols the function does not mention get 1.
   * @throws ValueError when two arrays disagree about a symbol, the model cannot take these sizes, or an index is outside its table.
   */
  dimsOf(fn: ProgramFunction, all: readonly NDArray[]): number[] {
    const arrays = fn.fixedBatch === null ? all : all.map((a) => a.rows(0, fn.fixedBatch!))
    const bound = new Map<string, { value: number; by: string }>()
    fn.manifest.inputs.forEach(({ name, shape }, i) => shape.forEach((dim, axis) => {
      if (!isSymbol(dim)) return
      const value = arrays[i]!.shape[axis]!, before = bound.get(dim)
      if (before === undefined) bound.set(dim, { value, by: name })
      else if (before.value !== value) throw new ValueError(`Dimension ${axis} of ${name} is ${value}, but ${before.by} has ${before.value} in the same place (${dim})`)
    }))
    this.#checkDerived(fn, arrays, (symbol) => bound.get(symbol)?.value ?? 1)
    checkConstraints(fn.manifest, arrays, (symbol) => bound.get(symbol)?.value ?? 1)
    checkIndices(fn.manifest, all)
    return this.manifest.dims.map((symbol) => bound.get(symbol)?.value ?? 1)
  }

  #checkDerived(fn: ProgramFunction, arrays: readonly NDArray[], valueOf: (symbol: string) => number): void {
    fn.manifest.inputs.forEach(({ name, shape }, i) => {
      const wanted = shape.map((dim) => evaluateDim(dim, valueOf))
      if (wanted.some((d, axis) => d !== arrays[i]!.shape[axis])) {
        throw new ValueError(`Error when checking input: expected ${name} to have shape ${pythonTuple(wanted)} but got array with shape ${pythonTuple(arrays[i]!.shape)}`)
      }
    })
  }

  /** The shape of a tensor of a function under values of the symbols. */
  shapeOf(tensor: TensorManifest, dims: readonly number[]): number[] {
    return tensor.shape.map((dim) => evaluateDim(dim, (symbol) => dims[this.manifest.dims.indexOf(symbol)] ?? 1))
  }

  /**
   * Makes room for calls of up to `batchSize` of `samples`, before anything runs.
   * @throws RuntimeError when a device has too little memory; the CPU takes it when it needs it
   */
  reserve(fn: ProgramFunction, dims: readonly number[], samples: number, batchSize: number): void {
    const sizes = [Math.min(samples, batchSize), samples < batchSize ? 0 : samples % batchSize].filter((size) => size > 0)
    for (const size of sizes) {
      try {
        this.native.reserve(fn.index, dims.map((d, i) => (i === this.batchDim ? size : d)))
      } catch (error) {
        throw new RuntimeError((error as Error).message)
      }
    }
  }

  /** The outputs of `samples` samples, as they are after all batches. */
  outputsOf(fn: ProgramFunction, dims: readonly number[], samples: number): OutputType[] {
    const all = dims.map((d, i) => (i === this.batchDim ? samples : d))
    return fn.manifest.outputs.map((output) => {
      const shape = this.shapeOf(output, all)
      if (fn.fixedBatch !== null) shape[0] = (shape[0]! / fn.fixedBatch) * samples
      return { shape, dtype: output.dtype }
    })
  }

  get variableNames(): string[] { return [...this.#variables.keys()] }
  hasVariable(name: string): boolean { return this.#variables.has(name) }
  hasScalar(name: string): boolean { return this.#scalars.has(name) }

  variable(name: string): VariableManifest { return this.manifest.variables[this.#variableIndex(name)]! }

  /** A copy of a variable's value. @throws ValueError for an unknown name. */
  readVariable(name: string): NDArray {
    const index = this.#variableIndex(name), { dtype, shape } = this.manifest.variables[index]!
    const value = allocate(dtype, sizeOf(shape))
    this.native.getVariable(index, value)
    return new NDArray(value, shape, dtype)
  }

  /** Copies `value`, which must have the variable's element type and size. */
  writeVariable(name: string, value: TypedArray): void {
    const index = this.#variableIndex(name), { dtype, shape } = this.manifest.variables[index]!
    if (value.length !== sizeOf(shape) || value.BYTES_PER_ELEMENT !== itemSize[dtype]) {
      throw new ValueError(`variable ${name} holds ${sizeOf(shape)} elements of ${dtype}; got ${value.length} of ${value.constructor.name}`)
    }
    this.native.setVariable(index, value)
  }

  getScalar(name: string): number { return this.native.getScalar(this.#scalarIndex(name)) }
  setScalar(name: string, value: number): void { this.native.setScalar(this.#scalarIndex(name), value) }

  #variableIndex(name: string): number { return indexIn(this.#variables, name, 'variable') }
  #scalarIndex(name: string): number { return indexIn(this.#scalars, name, 'run-time scalar') }
}

function indexIn(table: ReadonlyMap<string, number>, name: string, kind: string): number {
  const index = table.get(name)
  if (index === undefined) throw new ValueError(`No such ${kind}: ${name}. There are: ${[...table.keys()].join(', ') || 'none'}`)
  return index
}

function describeFunction(manifest: FunctionManifest, index: number): ProgramFunction {
  const batch = manifest.inputs[0]?.shape[0]
  return { index, manifest, exclusive: manifest.updates.length > 0, fixedBatch: typeof batch === 'number' ? batch : null }
}

/** Elements of an array that belong to one sample. */
export const columnWidth = (array: NDArray, samples: number): number => (samples === 0 ? 0 : array.size / samples)

/** The samples of an array as the native loop addresses them. */
export const columnOf = (array: NDArray, samples: number): Column =>
  ({ data: array.data, rowBytes: columnWidth(array, samples) * itemSize[array.dtype] })
