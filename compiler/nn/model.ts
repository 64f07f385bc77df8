/** `Model`: a network that can be compiled, trained and run. */
import { RuntimeError } from '../../runtime/contract/errors.js'
import type {
  ArrayData, EvaluateOptions, EvaluateResult, FitOptions, History, PredictOptions, PredictResult, TestOnBatchOptions, TrainOnBatchOptions,
} from '../../runtime/contract/fit-types.js'
import { captureLocation } from '../support/capture.js'
import { compileModel, type CompiledTraining, type CompileOptions } from './compile.js'
import { sampleShapes } from './data-shapes.js'
import { callableClass } from './define-layer.js'
import { createEngine, type ModelEngine } from './engine.js'
import type { Tensors } from './layer.js'
import { registerLayer } from './layer-table.js'
import { optimizerSlots } from './optimizer-slots.js'
import type { Weight } from './weight.js'
import { modelFiles, type LoadWeightsOptions, type SaveOptions } from './model-files.js'
import { NetworkModel, type ModelOptions } from './network-model.js'
import type { Optimizer } from './optimizers/optimizer.js'

const notCompiled = 'You must compile a model before training/testing. Use `model.compile(optimizer, loss)`.'

/** The class behind `Model`. */
export class ModelClass extends NetworkModel {
  /** Null before `compile`. */
  declare training: CompiledTraining | null
  /** Callbacks set it to end training. */
  declare stopTraining: boolean
  /** Options of a `compile` before the shape of the inputs is known; carried out when it is. */
  private declare pending: CompileOptions | null
  private declare starting: Promise<ModelEngine> | null
  private declare running: ModelEngine | null

  constructor(options: ModelOptions | Tensors = {}, outputs?: Tensors, rest: ModelOptions = {}) {
    super(options, outputs, rest)
    Object.assign(this, { training: null, stopTraining: false, pending: null, starting: null, running: null })
  }

  protected override structureChanges(): void { this.releaseEngine() }

  /** Sets loss, metrics and optimizer. What is trainable is fixed here. */
  compile(options: CompileOptions): void {
    this.located(() => {
      const known = this.inputs.length > 0
      const training = known ? compileModel(this, options) : null
      this.releaseEngine()
      this.training = training
      this.pending = known ? null : options
    })
  }

  get metricsNames(): readonly string[] { return this.training?.metricsNames ?? ['loss'] }
  /** @throws RuntimeError before `compile`. */
  get optimizer(): Optimizer {
    if (!this.training) throw new RuntimeError(notCompiled, captureLocation())
    return this.training.optimizer
  }
  private requireCompiled(): void {
    if (!this.training && !this.pending) throw new RuntimeError(notCompiled, captureLocation())
  }

  /** Keras' `fit`. Its arrays are not to be changed before it settles, by callbacks neither: see `FitOptions`. @throws RuntimeError before `compile` */
  async fit(x: ArrayData, y: ArrayData, options: FitOptions = {}): Promise<History> {
    this.requireCompiled()
    return (await this.prepared(x)).fit(x, y, options)
  }
  async evaluate(x: ArrayData, y: ArrayData, options: EvaluateOptions = {}): Promise<EvaluateResult> {
    this.requireCompiled()
    return (await this.prepared(x)).evaluate(x, y, options)
  }
  async predict(x: ArrayData, options: PredictOptions = {}): Promise<PredictResult> {
    return (await this.prepared(x)).predict(x, options)
  }
  async trainOnBatch(x: ArrayData, y: ArrayData, options: TrainOnBatchOptions = {}): Promise<EvaluateResult> {
    this.requireCompiled()
    return (await this.prepared(x)).trainOnBatch(x, y, options)
  }
  async testOnBatch(x: ArrayData, y: ArrayData, options: TestOnBatchOptions = {}): Promise<EvaluateResult> {
    this.requireCompiled()
    return (await this.prepared(x)).testOnBatch(x, y, options)
  }
  async predictOnBatch(x: ArrayData): Promise<PredictResult> {
    return (await this.prepared(x)).predictOnBatch(x)
  }

  /** The engine with this model's weights in it: another model may have trained them meanwhile. */
  private async prepared(x: ArrayData): Promise<ModelEngine> {
    if (this.inputs.length === 0) this.build(sampleShapes(x))
    if (this.pending) this.compile(this.pending)
    const engine = await (this.starting ??= this.begin())
    for (const weight of this.held()) weight.attach(engine)
    return engine
  }

  /** Starts an engine. A start that fails, for want of a compiler for instance, is forgotten: the next call tries again. */
  private begin(): Promise<ModelEngine> {
    const starting = this.start()
    starting.catch(() => { if (this.starting === starting) this.starting = null })
    return starting
  }

  private async start(): Promise<ModelEngine> {
    const { training } = this
    const engine = await createEngine(this)
    training?.optimizer.connect({ get: (name) => engine.getScalar(name), set: (name, value) => engine.setScalar(name, value) })
    this.running = engine
    return engine
  }

  /** Everything whose value an engine keeps while it runs. */
  private held(): readonly Weight[] {
    return this.training ? [...this.weights, ...optimizerSlots(this.training)] : this.weights
  }

  /** Architecture, weights, training configuration and optimizer state, as Keras' `model.save`. */
  save(path: string, options: SaveOptions = {}): Promise<void> { return modelFiles().save(this, path, options) }
  saveWeights(path: string, options: Pick<SaveOptions, 'overwrite'> = {}): Promise<void> { return modelFiles().saveWeights(this, path, options) }
  loadWeights(path: string, options: LoadWeightsOptions = {}): Promise<void> { return modelFiles().loadWeights(this, path, options) }

  /** Frees what runs the model. It stays usable: the next call starts where this one ended. */
  close(): void { this.releaseEngine() }

  /** Ends the engine; weights and scalars keep their values here. The next call starts another. */
  releaseEngine(): void {
    const { running, starting } = this
    if (running) this.stop(running)
    else void starting?.then((engine) => this.stop(engine), () => undefined)
    this.running = null
    this.starting = null
  }

  private stop(engine: ModelEngine): void {
    for (const weight of this.held()) weight.detach(engine)
    this.training?.optimizer.connect(null)
    engine.close()
  }
}
Object.defineProperty(ModelClass, 'name', { value: 'Model' })
registerLayer('Model', ModelClass)

/** `Model({ inputs, outputs })`, with or without `new`; `class MyModel extends Model` for models with a `call` of their own. */
export type Model = ModelClass
export const Model = callableClass(ModelClass) as typeof ModelClass & ((options?: ModelOptions | Tensors, outputs?: Tensors, rest?: ModelOptions) => ModelClass)
