/**
 * Prediction on the calling thread. A model with one float32 input and one float32 output of known sizes, given exactly
 * one Float32Array, takes a path that allocates nothing but the result: a single sample costs little more than the kernels.
 */
import type { ArrayData } from './contract/fit-types.js'
import { allocate } from './contract/dtype.js'
import type { TypedArray } from './contract/dtype.js'
import { ValueError } from './contract/errors.js'
import { NDArray, sizeOf } from './ndarray.js'
import { functionOrder } from './predict.js'
import { columnWidth } from './program.js'
import type { OutputType, ProgramFunction } from './program.js'
import type { Session } from './session.js'
import { checkWholeBatches, chooseBatchSize, standardizeInputs } from './training-data.js'

export type PredictSyncOptions = {
  /** Arrays to write the results to, one per output, of their exact length and type; new ones by default. */
  readonly into?: TypedArray | readonly TypedArray[]
  readonly batchSize?: number
}

/** What the fast path needs to know about a model it applies to. */
type FastPath = {
  readonly fn: number
  readonly inputWidth: number
  readonly outputWidth: number
  readonly batch: number
  readonly single: readonly number[]
  readonly rowShape: readonly number[]
  readonly inputs: Float32Array[]
  readonly outputs: Float32Array[]
  readonly dims: number[]
}

/** One sample (or the model's fixed batch) in arrays of our own that native code knows already. */
type BoundCall = { readonly call: number; readonly input: Float32Array; readonly output: Float32Array }

const NOTHING = new Float32Array(0)

export class SyncPredictor {
  readonly #session: Session
  readonly #fast: FastPath | null
  #bound: BoundCall | null = null

  constructor(session: Session) {
    this.#session = session
    this.#fast = fastPath(session)
  }

  /** During training it waits, on the calling thread, for the step in progress: native code lets it in between two steps. */
  predict(x: ArrayData, options: PredictSyncOptions | undefined): NDArray | NDArray[] {
    this.#session.checkOpen()
    const fast = this.#fast
    if (fast !== null && x instanceof Float32Array) {
      const samples = fast.batch === 0 ? x.length / fast.inputWidth : fast.batch
      if (samples >= 1 && samples <= 32 && samples * fast.inputWidth === x.length && Number.isInteger(samples)) return this.#run(fast, x, samples, options?.into)
    }
    return this.#general(x, options)
  }

  #run(fast: FastPath, x: Float32Array, samples: number, into: TypedArray | readonly TypedArray[] | undefined): NDArray {
    const result = into === undefined ? new Float32Array(samples * fast.outputWidth) : this.#target(into, samples * fast.outputWidth)
    if (samples === 1 || fast.batch !== 0) this.#runBound(fast, x, result)
    else this.#runDirect(fast, x, samples, result)
    return new NDArray(result, samples === 1 ? fast.single : [samples, ...fast.rowShape], 'float32')
  }

  /** Copies in and out of arrays that were bound once: handing native code new arrays costs more than a small kernel. */
  #runBound(fast: FastPath, x: Float32Array, result: Float32Array): void {
    const bound = (this.#bound ??= this.#bind(fast, x.length, result.length))
    bound.input.set(x)
    this.#session.program.native.callBound(bound.call)
    copyFew(bound.output, result)
  }

  #bind(fast: FastPath, inputLength: number, outputLength: number): BoundCall {
    const input = new Float32Array(inputLength), output = new Float32Array(outputLength)
    const { native, batchDim } = this.#session.program
    const dims = fast.dims.map((d, i) => (i === batchDim ? 1 : d))
    return { call: native.bind(fast.fn, [input], [output], dims), input, output }
  }

  #runDirect(fast: FastPath, x: Float32Array, samples: number, result: Float32Array): void {
    const { inputs, outputs, dims } = fast
    inputs[0] = x
    outputs[0] = result
    dims[this.#session.program.batchDim] = samples
    this.#session.program.native.call(fast.fn, inputs, outputs, dims)
    inputs[0] = outputs[0] = NOTHING
  }

  #target(into: TypedArray | readonly TypedArray[], length: number): Float32Array {
    const target = Array.isArray(into) ? (into as readonly TypedArray[])[0] : into as TypedArray
    if (target instanceof Float32Array && target.length === length) return target
    throw wrongTarget(target, 'Float32Array', length)
  }

  #general(x: ArrayData, options: PredictSyncOptions = {}): NDArray | NDArray[] {
    const session = this.#session, { program } = session, fn = session.predictFunction()
    const { inputs, samples } = standardizeInputs(session.model, fn, x)
    const batchSize = chooseBatchSize(options.batchSize, fn)
    checkWholeBatches(samples, fn)
    const arrays = functionOrder(session, inputs)
    const dims = program.dimsOf(fn, arrays)
    const outputs = outputArrays(program.outputsOf(fn, dims, samples), options.into)
    for (let begin = 0; begin < samples; begin += batchSize) callBatch(session, fn, arrays, outputs, dims, samples, begin, Math.min(samples, begin + batchSize))
    return outputs.length === 1 ? outputs[0]! : outputs
  }
}

/** A loop beats `set` for the few numbers most models give. */
function copyFew(from: Float32Array, to: Float32Array): void {
  if (from.length > 32) return to.set(from)
  for (let i = 0; i < from.length; i++) to[i] = from[i]!
}

function callBatch(session: Session, fn: ProgramFunction, inputs: readonly NDArray[], outputs: readonly NDArray[], dims: readonly number[], samples: number, begin: number, end: number): void {
  const { native, batchDim } = session.program
  const part = (a: NDArray): TypedArray => a.data.subarray(begin * columnWidth(a, samples), end * columnWidth(a, samples))
  native.call(fn.index, inputs.map(part), outputs.map(part), dims.map((d, i) => (i === batchDim ? end - begin : d)))
}

function outputArrays(types: readonly OutputType[], into: TypedArray | readonly TypedArray[] | undefined): NDArray[] {
  if (into === undefined) return types.map(({ shape, dtype }) => NDArray.zeros(shape, dtype))
  const targets: readonly (TypedArray | undefined)[] = Array.isArray(into) ? into as readonly TypedArray[] : [into as TypedArray]
  if (targets.length !== types.length) throw new ValueError(`\`into\` must hold ${types.length} arrays, one per output, found ${targets.length}`)
  return types.map(({ shape, dtype }, i) => {
    const target = targets[i], length = sizeOf(shape), type = allocate(dtype, 0).constructor
    if (target === undefined || target.constructor !== type || target.length !== length) throw wrongTarget(target, type.name, length)
    return new NDArray(target, shape, dtype)
  })
}

const wrongTarget = (found: TypedArray | undefined, type: string, length: number): ValueError =>
  new ValueError(`\`into\` must be a ${type} of ${length} elements, found ${found === undefined ? 'nothing' : `a ${found.constructor.name} of ${found.length}`}`)

function fastPath({ program }: Session): FastPath | null {
  const fn = program.find('predict')
  if (fn === null || fn.manifest.inputs.length !== 1 || fn.manifest.outputs.length !== 1) return null
  // Indices are looked at one by one.
  if (fn.manifest.indices !== undefined) return null
  const [input, output] = [fn.manifest.inputs[0]!, fn.manifest.outputs[0]!]
  const inputRow = knownSizes(input.shape.slice(1)), outputRow = knownSizes(output.shape.slice(1))
  const sameBatch = input.shape[0] === output.shape[0] && (fn.fixedBatch !== null || input.shape[0] === program.manifest.dims[program.batchDim])
  if (inputRow === null || outputRow === null || !sameBatch || input.dtype !== 'float32' || output.dtype !== 'float32') return null
  return {
    fn: fn.index, inputWidth: sizeOf(inputRow), outputWidth: sizeOf(outputRow), batch: fn.fixedBatch ?? 0,
    single: Object.freeze([1, ...outputRow]), rowShape: outputRow, inputs: [NOTHING], outputs: [NOTHING], dims: program.manifest.dims.map(() => 1),
  }
}

function knownSizes(shape: readonly (number | string)[]): number[] | null {
  return shape.every((d) => typeof d === 'number') ? shape as number[] : null
}
