/** Calls the hooks of several callbacks in turn, awaiting those that are async. */
import { Callback } from './callbacks.js'
import type { Awaitable, CallbackHooks, CallbackModel, CallbackParams, Logs } from './contract/fit-types.js'

export type Phase = 'Train' | 'Test' | 'Predict'
type Moment = 'Begin' | 'End'
type BatchHook = (batch: number, logs: Logs) => Awaitable

export class CallbackList {
  readonly #callbacks: readonly CallbackHooks[]
  readonly #batchHooks: { readonly [K in `${Phase}${Moment}`]: readonly BatchHook[] }

  constructor(callbacks: readonly CallbackHooks[], model: CallbackModel, params: CallbackParams) {
    this.#callbacks = callbacks
    const hooks = (phase: Phase, moment: Moment): readonly BatchHook[] => batchHooks(callbacks, phase, moment)
    this.#batchHooks = {
      TrainBegin: hooks('Train', 'Begin'), TrainEnd: hooks('Train', 'End'),
      TestBegin: hooks('Test', 'Begin'), TestEnd: hooks('Test', 'End'),
      PredictBegin: hooks('Predict', 'Begin'), PredictEnd: hooks('Predict', 'End'),
    }
    for (const c of callbacks) { c.setParams?.(params); c.setModel?.(model) }
  }

  /** Whether a callback wants to be called around single batches. */
  wantsBatches(phase: Phase): boolean {
    return this.#batchHooks[`${phase}Begin`].length > 0 || this.#batchHooks[`${phase}End`].length > 0
  }

  async phase(phase: Phase, moment: Moment): Promise<void> {
    for (const c of this.#callbacks) await c[`on${phase}${moment}`]?.({})
  }

  async epochBegin(epoch: number): Promise<void> {
    for (const c of this.#callbacks) await c.onEpochBegin?.(epoch, {})
  }

  async epochEnd(epoch: number, logs: Logs): Promise<void> {
    for (const c of this.#callbacks) await c.onEpochEnd?.(epoch, logs)
  }

  async batch(phase: Phase, moment: Moment, batch: number, logs: Logs): Promise<void> {
    for (const hook of this.#batchHooks[`${phase}${moment}`]) {
      const result = hook(batch, logs)
      if (result !== undefined) await result
    }
  }
}

/** Whether one of the callbacks wants to be called around single batches. */
export const wantBatches = (callbacks: readonly CallbackHooks[], phase: Phase): boolean =>
  batchHooks(callbacks, phase, 'Begin').length > 0 || batchHooks(callbacks, phase, 'End').length > 0

const batchHooks = (callbacks: readonly CallbackHooks[], phase: Phase, moment: Moment): BatchHook[] =>
  callbacks.flatMap((c) => batchHook(c, phase, moment) ?? [])

/** The hook a callback has for batches of a phase; the base class's empty methods do not count. */
function batchHook(callback: CallbackHooks, phase: Phase, moment: Moment): BatchHook | null {
  const own = overridden(callback, `on${phase}Batch${moment}`)
  return own ?? (phase === 'Train' ? overridden(callback, `onBatch${moment}`) : null)
}

function overridden(callback: CallbackHooks, name: `on${Phase}Batch${Moment}` | `onBatch${Moment}`): BatchHook | null {
  const hook = callback[name]
  return hook === undefined || hook === Callback.prototype[name] ? null : hook.bind(callback)
}
