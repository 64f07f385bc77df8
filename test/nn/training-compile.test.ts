import { describe, expect, it } from 'vitest'
import { compileModel, optionsOfConfig, type CompileOptions, type CompileTarget } from '../../compiler/nn/compile.js'
import { BinaryCrossentropy, MeanSquaredError, SparseCategoricalCrossentropy } from '../../compiler/nn/losses/index.js'
import * as metrics from '../../compiler/nn/metrics/index.js'
import { Adam, RMSprop, SGD, getOptimizer, optimizerDefinitions, type OptimizerOptions } from '../../compiler/nn/optimizers/index.js'
import { mean } from '../../compiler/ops/build.js'
import { ArgumentTypeError, ValueError } from '../../runtime/contract/errors.js'

const oneOutput: CompileTarget = { outputNames: ['dense_1'], outputShapes: [[null, 2]], trainableWeights: [], hasPenalties: false }
const twoOutputs: CompileTarget = { outputNames: ['p', 'q'], outputShapes: [[null, 1], [null, 3]], trainableWeights: [], hasPenalties: false }

const namesOf = (model: CompileTarget, options: CompileOptions): readonly string[] => compileModel(model, options).metricsNames
/** Resolution of `accuracy`, seen by the metrics' own records: which one computes the first metric. */
const accuracyOf = (lastDim: number, loss: CompileOptions['loss']): string => {
  const [output] = compileModel({ ...oneOutput, outputShapes: [[null, lastDim]] }, { optimizer: 'sgd', loss, metrics: ['accuracy'] }).outputs
  return output!.metrics[0]!.metric.computes
}

describe('errors of compile, in the words of Keras', () => {
  const cases: [string, CompileTarget, unknown, new (m: string) => Error, string][] = [
    ['unknown loss', oneOutput, { optimizer: 'sgd', loss: 'msee' }, ValueError, 'Unknown loss function:msee'],
    ['unknown optimizer', oneOutput, { optimizer: 'sdg', loss: 'mse' }, ValueError, 'Unknown optimizer: sdg'],
    ['unknown metric', oneOutput, { optimizer: 'sgd', loss: 'mse', metrics: ['accurracy'] }, ValueError, 'Unknown metric function:accurracy'],
    ['loss list of the wrong length', twoOutputs, { optimizer: 'sgd', loss: ['mse', 'mse', 'mse'] }, ValueError, "When passing a list as loss, it should have one entry per model outputs. The model has 2 outputs, but you passed loss=['mse', 'mse', 'mse']"],
    ['loss of an unknown output name', twoOutputs, { optimizer: 'sgd', loss: { p: 'mse', r: 'mse' } }, ValueError, "Unknown entries in loss dictionary: ['r']. Only expected following keys: ['p', 'q']"],
    ['loss_weights of an unknown output name', twoOutputs, { optimizer: 'sgd', loss: 'mse', lossWeights: { r: 1 } }, ValueError, "Unknown entries in loss_weights dictionary: ['r']. Only expected following keys: ['p', 'q']"],
    ['loss_weights of the wrong length', twoOutputs, { optimizer: 'sgd', loss: 'mse', lossWeights: [1] }, ValueError, 'When passing a list as loss_weights, it should have one entry per model output. The model has 2 outputs, but you passed loss_weights=[1]'],
    ['metrics of an unknown output name', twoOutputs, { optimizer: 'sgd', loss: 'mse', metrics: { r: ['mae'] } }, ValueError, "Unknown entries in metrics dictionary: ['r']. Only expected following keys: ['p', 'q']"],
    ['nested metrics of the wrong length', twoOutputs, { optimizer: 'sgd', loss: 'mse', metrics: [['mae']] }, ValueError, "When passing a list of lists as `metrics`, it should have one entry per model output. The model has 2 outputs, but you passed metrics=[['mae']]"],
    ['no loss', oneOutput, { optimizer: 'sgd', loss: null }, ValueError, 'The model cannot be compiled because it has no loss to optimize.'],
    ['unknown option', oneOutput, { optimizer: 'sgd', loss: 'mse', metric: ['mae'] }, ArgumentTypeError, "compile() got an unexpected keyword argument 'metric'"],
    ['no optimizer', oneOutput, { loss: 'mse' }, ArgumentTypeError, "compile() missing 1 required positional argument: 'optimizer'"],
  ]
  for (const [what, model, options, type, message] of cases) {
    it(what, () => {
      const attempt = (): unknown => compileModel(model, options as CompileOptions)
      expect(attempt).toThrow(type)
      expect(attempt).toThrow(message)
    })
  }

  it('unknown keyword of an optimizer', () => {
    const attempt = (): unknown => getOptimizer({ class_name: 'SGD', config: { learning: 0.1 } })
    expect(attempt).toThrow(ArgumentTypeError)
    expect(attempt).toThrow('Unexpected keyword argument passed to optimizer: learning')
  })

  it('a learning rate that is not a number', () => expect(() => SGD({ lr: Number.NaN })).toThrow('lr must be a finite number'))
})

describe('names of metrics', () => {
  it('are the strings given', () => {
    expect(namesOf(oneOutput, { optimizer: 'sgd', loss: 'mse', metrics: ['acc', 'accuracy', 'mae'] })).toEqual(['loss', 'acc', 'accuracy', 'mae'])
  })
  it('carry the output with several outputs', () => {
    expect(namesOf(twoOutputs, { optimizer: 'sgd', loss: 'mse', metrics: { q: 'mae' } })).toEqual(['loss', 'p_loss', 'q_loss', 'q_mae'])
  })
  it('are numbered when taken', () => {
    expect(namesOf(oneOutput, { optimizer: 'sgd', loss: 'mse', metrics: ['mae'], weightedMetrics: ['mae'] })).toEqual(['loss', 'mae', 'mae_1'])
  })
  it('count once when given twice', () => {
    expect(namesOf(oneOutput, { optimizer: 'sgd', loss: 'mse', metrics: ['mae', 'mae'] })).toEqual(['loss', 'mae'])
  })
  it('of functions are theirs', () => {
    const meanPred: NonNullable<CompileOptions['metrics']> = [function mean_pred(_: unknown, p: { node: Parameters<typeof mean>[0] }) { return mean(p.node) }]
    expect(namesOf(oneOutput, { optimizer: 'sgd', loss: 'mse', metrics: meanPred })).toEqual(['loss', 'mean_pred'])
  })
  it('skip outputs without a loss', () => {
    expect(namesOf(twoOutputs, { optimizer: 'sgd', loss: { p: 'mse' }, metrics: ['mae'] })).toEqual(['loss', 'p_loss', 'p_mae'])
  })
  it('in camelCase become Keras names', () => {
    expect(namesOf(oneOutput, { optimizer: 'sgd', loss: 'meanSquaredError', metrics: ['binaryAccuracy'] })).toEqual(['loss', 'binary_accuracy'])
  })
})

describe('accuracy', () => {
  it('is binary for one column or a binary cross-entropy', () => {
    expect(accuracyOf(1, 'mse')).toBe('binary_accuracy')
    expect(accuracyOf(4, 'binary_crossentropy')).toBe('binary_accuracy')
    expect(accuracyOf(4, BinaryCrossentropy({ fromLogits: true }))).toBe('binary_accuracy')
  })
  it('is sparse for class numbers', () => {
    expect(accuracyOf(4, 'sparse_categorical_crossentropy')).toBe('sparse_categorical_accuracy')
    expect(accuracyOf(4, SparseCategoricalCrossentropy())).toBe('sparse_categorical_accuracy')
  })
  it('is categorical otherwise', () => {
    expect(accuracyOf(4, 'categorical_crossentropy')).toBe('categorical_accuracy')
    expect(accuracyOf(4, 'mse')).toBe('categorical_accuracy')
  })
})

describe('training_config', () => {
  it('goes through options and back', () => {
    const options: CompileOptions = {
      optimizer: Adam({ lr: 0.02, amsgrad: true, clipnorm: 0.5 }), loss: { p: 'binary_crossentropy', q: MeanSquaredError({ reduction: 'sum' }) },
      metrics: { q: ['mae', metrics.BinaryAccuracy({ threshold: 0.7 })] }, lossWeights: { p: 1, q: 0.3 },
    }
    const config = compileModel(twoOutputs, options).trainingConfig()
    expect(compileModel(twoOutputs, optionsOfConfig(config)).trainingConfig()).toEqual(config)
    expect(config.optimizer_config).toEqual({ class_name: 'Adam', config: { clipnorm: 0.5, learning_rate: Math.fround(0.02), beta_1: Math.fround(0.9), beta_2: Math.fround(0.999), decay: 0, epsilon: 1e-7, amsgrad: true } })
  })
  it('holds the present learning rate', () => {
    const optimizer = SGD({ lr: 0.1 })
    const training = compileModel(oneOutput, { optimizer, loss: 'mse' })
    optimizer.lr = 0.05
    expect(training.trainingConfig().optimizer_config.config['learning_rate']).toBe(Math.fround(0.05))
  })
})

describe('optimizers', () => {
  it('have the defaults of Keras 2.3', () => {
    expect(optimizerDefinitions.map((d) => [d.className, d.scalars['lr']])).toEqual([['SGD', 0.01], ['RMSprop', 0.001], ['Adagrad', 0.01], ['Adadelta', 1], ['Adam', 0.001], ['Adamax', 0.002], ['Nadam', 0.002]])
  })
  it('accept every spelling of an option', () => {
    const spellings: OptimizerOptions[] = [{ lr: 0.5 }, { learning_rate: 0.5 }, { learningRate: 0.5 }]
    for (const config of spellings) expect(getOptimizer({ class_name: 'adam', config }).lr).toBe(0.5)
    expect(Adam({ beta1: 0.5 }).get('beta_1')).toBe(0.5)
    expect(Adam({ beta_1: 0.5 }).get('beta_1')).toBe(0.5)
  })
  it('leave scalars out whose terms are not in the graph', () => {
    expect(SGD().scalars().map((s) => s.name)).toEqual(['lr'])
    expect(SGD({ momentum: 0.9, decay: 1e-6 }).scalars().map((s) => s.name)).toEqual(['lr', 'momentum', 'decay'])
    expect(RMSprop().scalars().map((s) => s.name)).toEqual(['lr', 'rho'])
  })
  it('send scalars to a running engine and take them back', () => {
    const held = new Map([['lr', 0.25]])
    const optimizer = SGD({ lr: 0.1 })
    optimizer.connect({ get: (name) => held.get(name)!, set: (name, value) => void held.set(name, value) })
    optimizer.lr = 0.75
    expect([held.get('lr'), optimizer.lr]).toEqual([0.75, 0.75])
    held.set('lr', 0.5)
    optimizer.connect(null)
    expect(optimizer.lr).toBe(0.5)
  })
})
