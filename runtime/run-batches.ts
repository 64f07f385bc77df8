/**
 * Runs one function over the batches of a data set. Native code does as many batches as it can in one go; it comes back
 * to JavaScript when a callback wants every batch, and every 50 ms, so that other calls of the model get their turn, the
 * progress bar moves, and `stopTraining` is seen. Losses and metrics that nobody watches stay on a device until the end.
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
  /** Number of the inputs where runs go over them again, which a device may keep; 0 where this is the only one. */
  readonly data: number
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
  /** The scalars are looked at as batches end; otherwise once, when all have. */
  readonly watches: boolean
  /** Native code has begun on some batches: a moment for work that need not wait for them. */
  started?(): void
  /** Before a batch; only with `everyBatch`. */
  begin(batch: number): Promise<void>
  /** After the batches `[from, to)`, with their results: as they end, or once for all. */
  advanced(from: number, to: number): Promise<void>
  /** Asked after some batches: have there been enough? */
  stops?(): boolean
}

export const batchCount = (run: { readonly samples: number; readonly batchSize: number }): number => Math.ceil(run.samples / run.batchSize)

/** Number of samples in a batch. */
export const sizeOfBatch = (run: { readonly samples: number; readonly batchSize: number }, batch: number): number =>
  Math.min(run.samples, (batch + 1) * run.batchSize) - batch * run.batchSize

/** @returns the number of batches run: less than all when the observer stopped. */
export async function runBatches(session: Session, run: BatchRun, observer: BatchObserver): Promise<number> {
  const count = batchCount(run)
  const columns = { inputs: run.inputs.map((a) => columnOf(a, run.samples)), outputs: run.outputs.map((a) => columnOf(a, run.samples)) }
  session.program.reserve(run.fn, run.dims, run.samples, run.batchSize)
  const log = observer.watches || run.scalarOutputs === 0 ? 0 : session.newNumber()
  let next = 0
  try {
    while (next < count) {
      if (observer.everyBatch) await observer.begin(next)
      const single = observer.everyBatch || (observer.firstBatch && next === 0)
      const done = await runChunk(session, run, columns, log, next, single ? next + 1 : count, observer)
      if (observer.watches) await observer.advanced(next, done)
      next = done
      if (observer.stops?.() === true) break
    }
    if (log !== 0 && next < count) session.program.native.readLog(log, run.logs!, next * run.scalarOutputs)
  } finally {
    if (log !== 0) session.program.native.forgetLog(log)
  }
  if (!observer.watches) await observer.advanced(0, next)
  return next
}

async function runChunk(session: Session, run: BatchRun, columns: { inputs: Column[]; outputs: Column[] }, log: number, firstBatch: number, lastBatch: number, observer: BatchObserver): Promise<number> {
  const { program } = session
  const { fn, logs, scalarOutputs, state, data, order, samples, batchSize, dims } = run
  const done = await session.lock.run(fn.exclusive, async () => {
    session.checkOpen()
    const start = (): Promise<number> => program.native.loop({
      fn: fn.index, ...columns, logs, scalarOutputs, log, data, order, samples, batchSize, firstBatch, lastBatch,
      budgetMs: BUDGET_MS, dims, batchDim: program.batchDim,
    })
    const running = state === null ? start() : state.during(start)
    observer.started?.()
    return running
  })
  if (done <= firstBatch) throw new RuntimeError(`the native loop of ${fn.manifest.name} made no progress at batch ${firstBatch}`)
  return done
}
