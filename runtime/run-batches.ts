/**
 * Runs one function over the batches of a data set. Native code does as many batches as it can in one go; it comes back
 * to JavaScript when a callback wants every batch, and every 50 ms, so that other calls of the model get their turn, the
 * progress bar moves, and `stopTraining` is seen.
 */
import { RuntimeError } from './contract/errors.js'
import type { Column } from './contract/native.js'
import { columnOf } from './program.js'
import type { ProgramFunction } from './program.js'
import type { MetricState } from './metric-state.js'
import type { NDArray } from './ndarray.js'
import type { Session } from './session.js'

const BUDGET_MS = 50

export type BatchRun = {
  readonly fn: ProgramFunction
  readonly inputs: readonly NDArray[]
  /** Arrays filled sample by sample; empty when the function's outputs are scalars. */
  readonly outputs: readonly NDArray[]
  /** Scalar outputs of batch b are written from `b * scalarOutputs` on. */
  readonly logs: Float32Array | null
  readonly scalarOutputs: number
  /** What the function's metrics count; null where it has none. */
  readonly state: MetricState | null
  readonly order: Int32Array | null
  readonly samples: number
  readonly batchSize: number
  readonly dims: readonly number[]
}

export type BatchObserver = {
  /** Come back after every batch. */
  readonly everyBatch: boolean
  /** Come back after the first batch, so that a progress bar appears at once. */
  readonly firstBatch: boolean
  /** Native code has begun on some batches: a moment for work that need not wait for them. */
  started?(): void
  /** Before a batch; only with `everyBatch`. */
  begin(batch: number): Promise<void>
  /** After the batches `[from, to)`. Returns true to stop. */
  advanced(from: number, to: number): Promise<boolean>
}

export const batchCount = (run: { readonly samples: number; readonly batchSize: number }): number => Math.ceil(run.samples / run.batchSize)

/** Number of samples in a batch. */
export const sizeOfBatch = (run: { readonly samples: number; readonly batchSize: number }, batch: number): number =>
  Math.min(run.samples, (batch + 1) * run.batchSize) - batch * run.batchSize

/** @returns the number of batches run: less than all when the observer stopped. */
export async function runBatches(session: Session, run: BatchRun, observer: BatchObserver): Promise<number> {
  const count = batchCount(run)
  const columns = { inputs: run.inputs.map((a) => columnOf(a, run.samples)), outputs: run.outputs.map((a) => columnOf(a, run.samples)) }
  let next = 0
  while (next < count) {
    if (observer.everyBatch) await observer.begin(next)
    const single = observer.everyBatch || (observer.firstBatch && next === 0)
    const done = await runChunk(session, run, columns, next, single ? next + 1 : count, observer)
    const stop = await observer.advanced(next, done)
    next = done
    if (stop) break
  }
  return next
}

async function runChunk(session: Session, run: BatchRun, columns: { inputs: Column[]; outputs: Column[] }, firstBatch: number, lastBatch: number, observer: BatchObserver): Promise<number> {
  const { program } = session
  const { fn, logs, scalarOutputs, state, order, samples, batchSize, dims } = run
  const done = await session.lock.run(fn.exclusive, async () => {
    session.checkOpen()
    const start = (): Promise<number> => program.native.loop({
      fn: fn.index, ...columns, logs, scalarOutputs, order, samples, batchSize, firstBatch, lastBatch,
      budgetMs: BUDGET_MS, dims, batchDim: program.batchDim,
    })
    const running = state === null ? start() : state.during(start)
    observer.started?.()
    return running
  })
  if (done <= firstBatch) throw new RuntimeError(`the native loop of ${fn.manifest.name} made no progress at batch ${firstBatch}`)
  return done
}
