/** Keras' callbacks: the base class with every hook, the one built from functions, and the record of a training run. */
import type { Awaitable, CallbackHooks, CallbackModel, CallbackParams, History as HistoryRecord, Logs } from './contract/fit-types.js'

/**
 * Base class. Override the hooks of interest; each may be async and is awaited. Overriding a hook of single batches
 * makes `fit` come back to JavaScript after every batch.
 */
export class Callback<M extends CallbackModel = CallbackModel> implements CallbackHooks {
  /** The model being trained; set before the first hook. */
  model!: M
  params!: CallbackParams

  setModel(model: CallbackModel): void { this.model = model as M }
  setParams(params: CallbackParams): void { this.params = params }

  onTrainBegin(_logs: Logs): Awaitable {}
  onTrainEnd(_logs: Logs): Awaitable {}
  onEpochBegin(_epoch: number, _logs: Logs): Awaitable {}
  onEpochEnd(_epoch: number, _logs: Logs): Awaitable {}
  onBatchBegin(_batch: number, _logs: Logs): Awaitable {}
  onBatchEnd(_batch: number, _logs: Logs): Awaitable {}
  /** Alias of `onBatchBegin`; when both are overridden, this one is called. */
  onTrainBatchBegin(_batch: number, _logs: Logs): Awaitable {}
  /** Alias of `onBatchEnd`; when both are overridden, this one is called. */
  onTrainBatchEnd(_batch: number, _logs: Logs): Awaitable {}
  onTestBegin(_logs: Logs): Awaitable {}
  onTestEnd(_logs: Logs): Awaitable {}
  onTestBatchBegin(_batch: number, _logs: Logs): Awaitable {}
  onTestBatchEnd(_batch: number, _logs: Logs): Awaitable {}
  onPredictBegin(_logs: Logs): Awaitable {}
  onPredictEnd(_logs: Logs): Awaitable {}
  onPredictBatchBegin(_batch: number, _logs: Logs): Awaitable {}
  onPredictBatchEnd(_batch: number, _logs: Logs): Awaitable {}
}

/** A callback of functions given by name. Only those given count as overridden. */
export class LambdaCallback extends Callback {
  constructor(hooks: Omit<CallbackHooks, 'setModel' | 'setParams'>) {
    super()
    Object.assign(this, hooks)
  }
}

/** Records the logs of every epoch; `fit` adds one and returns it. */
export class History extends Callback implements HistoryRecord {
  epoch: number[] = []
  history: { [name: string]: number[] } = {}

  override onTrainBegin(): void { this.epoch = []; this.history = {} }

  override onEpochEnd(epoch: number, logs: Logs): void {
    this.epoch.push(epoch)
    for (const [name, value] of Object.entries(logs)) (this.history[name] ??= []).push(value)
  }
}
