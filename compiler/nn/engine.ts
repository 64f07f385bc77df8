/** What runs a model. The facade provides it, so that this room knows neither the compiler's pipeline nor the runtime. */
import type { TypedArray } from '../../runtime/contract/dtype.js'
import type {
  ArrayData, EvaluateOptions, EvaluateResult, FitOptions, History, PredictOptions, PredictResult, TestOnBatchOptions, TrainOnBatchOptions,
} from '../../runtime/contract/fit-types.js'
import { RuntimeError } from '../../runtime/contract/errors.js'
import type { Model } from './model.js'

/** A compiled model with variables of its own. Names are those of the module's table. */
export interface ModelEngine {
  fit(x: ArrayData, y: ArrayData, options: FitOptions): Promise<History>
  evaluate(x: ArrayData, y: ArrayData, options: EvaluateOptions): Promise<EvaluateResult>
  predict(x: ArrayData, options: PredictOptions): Promise<PredictResult>
  trainOnBatch(x: ArrayData, y: ArrayData, options: TrainOnBatchOptions): Promise<EvaluateResult>
  testOnBatch(x: ArrayData, y: ArrayData, options: TestOnBatchOptions): Promise<EvaluateResult>
  predictOnBatch(x: ArrayData): Promise<PredictResult>
  readVariable(name: string): TypedArray
  writeVariable(name: string, value: TypedArray): void
  getScalar(name: string): number
  setScalar(name: string, value: number): void
  close(): void
}

export type EngineFactory = (model: Model) => Promise<ModelEngine>

let factory: EngineFactory | null = null

/** Called once by the facade. */
export const setEngineFactory = (make: EngineFactory): void => { factory = make }

/** @throws RuntimeError where no facade was loaded. */
export function createEngine(model: Model): Promise<ModelEngine> {
  if (!factory) throw new RuntimeError('Nothing can run this model: import models from the package kcc, not from its parts.')
  return factory(model)
}
