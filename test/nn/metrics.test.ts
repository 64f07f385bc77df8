/** Metrics and losses as objects: configurations, functions, what they refuse, and values worked out by hand. */
import { beforeEach, describe, expect, it } from 'vitest'
import { compileModel, type CompileOptions, type CompileTarget } from '../../compiler/nn/compile.js'
import * as losses from '../../compiler/nn/losses/index.js'
import { plainPrediction } from '../../compiler/nn/losses/define-loss.js'
import { getMetric } from '../../compiler/nn/metrics/get-metric.js'
import * as metrics from '../../compiler/nn/metrics/index.js'
import { findMetricClass, metricDefinitions } from '../../compiler/nn/metrics/registry.js'
import { clearSession } from '../../compiler/nn/session.js'
import { KTensor } from '../../compiler/nn/tensor.js'
import { input, sigmoid } from '../../compiler/ops/build.js'
import { gradients } from '../../compiler/ops/gradients.js'
import { ArgumentTypeError, ValueError } from '../../runtime/contract/errors.js'
import { evaluate } from './training-shared.js'

beforeEach(() => clearSession())

const target: CompileTarget = { outputNames: ['d'], outputShapes: [[null, 3]], trainableWeights: [], hasPenalties: false }
const sequence: CompileTarget = { ...target, outputShapes: [[null, 5, 3]] }
const two: CompileTarget = { outputNames: ['p', 'q'], outputShapes: [[null, 1], [null, 4, 3]], trainableWeights: [], hasPenalties: false }
const compile = (model: CompileTarget, options: object) => compileModel(model, { optimizer: 'sgd', loss: 'mse', ...options } as CompileOptions)

describe('configurations', () => {
  const required: Record<string, unknown[]> = { MeanIoU: [3], SensitivityAtSpecificity: [0.5], SpecificityAtSensitivity: [0.25] }
  for (const { className } of metricDefinitions.filter((d) => d.className in metrics)) {
    it(`${className} is made again from its own`, () => {
      const made = (metrics as unknown as Record<string, (...args: unknown[]) => metrics.Metric>)[className]!(...(required[className] ?? []))
      const again = metrics.deserialize(metrics.serialize(made)) as metrics.Metric
      expect(metrics.serialize(again)).toEqual({ class_name: className, config: made.getConfig() })
      expect(again.name).toBe(made.name)
    })
  }

  it('are those of Keras, options in its order', () => {
    expect(JSON.stringify(metrics.Precision({ topK: 2 }).getConfig())).toBe('{"name":"precision_1","dtype":"float32","thresholds":null,"top_k":2,"class_id":null}')
    expect(JSON.stringify(metrics.AUC({ numThresholds: 5 }).getConfig())).toBe('{"name":"auc_1","dtype":"float32","num_thresholds":5,"curve":"ROC","summation_method":"interpolation","thresholds":[0.25,0.5,0.75]}')
    expect(JSON.stringify(metrics.AUC({ thresholds: [0.9, 0.1] }).getConfig())).toContain('"num_thresholds":4,"curve":"ROC","summation_method":"interpolation","thresholds":[0.1,0.9]')
    expect(JSON.stringify(metrics.SensitivityAtSpecificity(0.6).getConfig())).toBe('{"name":"sensitivity_at_specificity_1","dtype":"float32","num_thresholds":200,"specificity":0.6}')
    expect(JSON.stringify(metrics.CategoricalCrossentropy().getConfig())).toBe('{"name":"categorical_crossentropy","dtype":"float32","from_logits":false,"label_smoothing":0}')
    expect(JSON.stringify(losses.CosineSimilarity({ axis: 0 }).getConfig())).toBe('{"reduction":"sum_over_batch_size","name":"cosine_similarity","axis":0}')
  })

  it('instances without a name are counted', () => {
    expect([metrics.Recall(), metrics.Recall(), metrics.AUC()].map((m) => m.name)).toEqual(['recall_1', 'recall_2', 'auc_1'])
    expect([metrics.MeanIoU(2), metrics.MeanIoU(2)].map((m) => m.name)).toEqual(['mean_io_u', 'mean_io_u_1'])
  })

  it('of losses are made again', () => {
    for (const { className } of losses.lossDefinitions) {
      const made = (losses as unknown as Record<string, (o: object) => losses.Loss>)[className]!({ reduction: 'sum' })
      expect(losses.serialize(losses.deserialize({ class_name: className, config: made.getConfig() }))).toEqual(made.config)
    }
  })
})

describe('functions', () => {
  it('stand for the loss or metric they are', () => {
    const training = compile(target, { loss: losses.categoricalCrossentropy, metrics: [metrics.mse, metrics.topKCategoricalAccuracy, 'cosine', losses.cosineProximity] })
    expect(training.metricsNames).toEqual(['loss', 'mean_squared_error', 'top_k_categorical_accuracy', 'cosine', 'cosine_proximity'])
    expect(training.outputs[0]!.loss.definition!.kind).toBe('categorical')
    expect(training.trainingConfig()).toMatchObject({ loss: 'categorical_crossentropy', metrics: ['mean_squared_error', 'top_k_categorical_accuracy', 'cosine', 'cosine_proximity'] })
  })

  it('compute inside functions of a user, with the logits of a sigmoid where there are some', () => {
    const [t, z] = [input('t', { dtype: 'float32', shape: [1, 2] }), input('z', { dtype: 'float32', shape: [1, 2] })]
    const loss = losses.binaryCrossentropy(new KTensor(t), new KTensor(sigmoid(z)), { labelSmoothing: 0.5 })
    // 50 and -50 against targets 0.25 and 0.75: (50 - 12.5 + 37.5) / 2, which no rounded sigmoid would give.
    expect([...evaluate(loss.node, { t: { shape: [1, 2], data: Float64Array.of(0, 1) }, z: { shape: [1, 2], data: Float64Array.of(50, -50) } }).data]).toEqual([37.5])
  })

  it('names of classes make objects, and are stored as such', () => {
    const training = compile(two, { metrics: { p: 'AUC', q: ['Precision', 'topKCategoricalAccuracy'] } })
    expect(training.metricsNames).toEqual(['loss', 'p_loss', 'q_loss', 'p_auc_1', 'q_precision_1', 'q_top_k_categorical_accuracy'])
    expect(training.trainingConfig().metrics).toMatchObject({ p: { class_name: 'AUC', config: { name: 'auc_1' } }, q: [{ class_name: 'Precision' }, 'top_k_categorical_accuracy'] })
  })

  it('get gives the function of a name and the object of a class', () => {
    expect(metrics.get('mse')).toBe(losses.meanSquaredError)
    expect(metrics.get('sparseTopKCategoricalAccuracy')).toBe(metrics.sparseTopKCategoricalAccuracy)
    expect((metrics.get('AUC') as metrics.Metric).name).toBe('auc_1')
    expect(losses.get('kld')).toBe(losses.kullbackLeiblerDivergence)
    expect(losses.get(losses.mse)).toBe(losses.mse)
    expect((losses.get({ class_name: 'Huber', config: { delta: 2 } }) as losses.Loss).getConfig()['delta']).toBe(2)
  })

  it('the metric cosine_proximity is the cosine, the loss of that name its negative', () => {
    const loss = losses.get('cosine_proximity')
    const metric = getMetric('cosine_proximity', { lastDim: 2, loss: losses.getLoss('mse') })
    metric.updateState([[1, 0]], [[3, 4]])
    expect(metric.result()).toBeCloseTo(0.6, 6)
    expect(loss).toBe(losses.cosineProximity)
  })
})

describe('values worked out by hand', () => {
  it('a mean over several updates', () => {
    const mean = metrics.Mean()
    mean.updateState([1, 3])
    mean.updateState([[10]], { sampleWeight: 2 })
    expect(mean.result()).toBe(6)
    mean.resetStates()
    expect(mean.result()).toBe(0)
    const sum = metrics.Sum()
    sum.updateState(Float32Array.of(1, 2, 3), { sampleWeight: [0, 1, 2] })
    expect(sum.result()).toBe(8)
  })

  it('precision and recall among the highest k: first of equals, and what is left out counts as negative', () => {
    const [precision, recall] = [metrics.Precision({ topK: 2 }), metrics.Recall({ topK: 2 })]
    for (const m of [precision, recall]) m.updateState([[1, 0, 1, 1]], [[0.3, 0.9, 0.3, 0.1]])
    expect(precision.result()).toBeCloseTo(1 / 2, 6)
    expect(recall.result()).toBeCloseTo(1 / 3, 6)
  })

  it('the area under a perfect and under a reversed ranking', () => {
    for (const [scores, want] of [[[0.1, 0.2, 0.7, 0.9], 1], [[0.9, 0.7, 0.2, 0.1], 0]] as const) {
      const auc = metrics.AUC()
      auc.updateState([0, 0, 1, 1], scores)
      expect(auc.result()).toBeCloseTo(want, 6)
    }
  })

  it('evenly spaced thresholds are the same whether computed or listed', () => {
    const listed = metrics.AUC({ thresholds: Array.from({ length: 198 }, (_, i) => (i + 1) / 199) })
    const shuffled = metrics.AUC({ thresholds: Array.from({ length: 198 }, (_, i) => (i + 1) / 199 + (i === 7 ? 1e-12 : 0)) })
    const computed = metrics.AUC()
    const [labels, scores] = [Array.from({ length: 60 }, (_, i) => (i * i) % 3 === 0 ? 1 : 0), Array.from({ length: 60 }, (_, i) => ((i * 37) % 61) / 61)]
    for (const auc of [listed, shuffled, computed]) auc.updateState(labels, scores)
    expect(listed.result()).toBe(computed.result())
    expect(shuffled.result()).toBe(computed.result())
  })

  it('intersection over union', () => {
    const iou = metrics.MeanIoU(3)
    iou.updateState([0, 0, 1, 1], [0, 1, 1, 1])
    // Class 0: 1 / 2, class 1: 2 / 3; class 2 does not occur.
    expect(iou.result()).toBeCloseTo((1 / 2 + 2 / 3) / 2, 6)
  })

  it('several thresholds give a value each', () => {
    const positives = metrics.TruePositives({ thresholds: [0.2, 0.6] })
    positives.updateState([1, 1, 0], [0.3, 0.7, 0.9])
    expect(positives.result()).toEqual([2, 1])
  })

  it('a loss without a reduction is reported as the mean and has the gradient of the sum', () => {
    const [t, p, w] = ['t', 'p'].map((name) => input(name, { dtype: 'float32', shape: [2, 1] })).concat(input('w', { dtype: 'float32', shape: [2] }))
    const total = losses.MeanSquaredError({ reduction: 'none' }).total(t!, plainPrediction(p!), w!)
    const values = { t: { shape: [2, 1], data: Float64Array.of(0, 0) }, p: { shape: [2, 1], data: Float64Array.of(1, 3) }, w: { shape: [2], data: Float64Array.of(1, 2) } }
    expect([...evaluate(total, values).data]).toEqual([(1 + 18) / 2])
    expect([...evaluate(gradients(total, null, [p!])[0]!, values).data]).toEqual([2, 12])
  })
})

describe('weights of time steps', () => {
  it('are asked for by all, by position and by name', () => {
    expect(compile(sequence, { sampleWeightMode: 'temporal' }).outputs[0]!.temporal).toBe(true)
    expect(compile(two, { sampleWeightMode: [null, 'temporal'] }).outputs.map((o) => o.temporal)).toEqual([false, true])
    expect(compile(two, { sampleWeightMode: { p: null, q: 'temporal' } }).outputs.map((o) => o.temporal)).toEqual([false, true])
    expect(compile(two, { loss: { p: null, q: 'mse' }, sampleWeightMode: { q: 'temporal' } }).outputs.map((o) => o.temporal)).toEqual([true])
    expect(compile(two, { sampleWeightMode: { p: null, q: 'temporal' } }).trainingConfig().sample_weight_mode).toEqual({ p: null, q: 'temporal' })
  })

  const wrong: [string, CompileTarget, unknown, string][] = [
    ['an output without time', target, 'temporal', 'Found a sample_weight array for an input with shape (None, 3). Timestep-wise sample weighting (use of sample_weight_mode="temporal") is restricted to outputs that are at least 3D, i.e. that have a time dimension.'],
    ['another word', sequence, 'time', '"sample_weight_mode should be None or "temporal". Found: time'],
    ['a list of another length', two, ['temporal'], "When passing a list as sample_weight_mode, it should have one entry per model output. The model has 2 outputs, but you passed sample_weight_mode=['temporal']"],
    ['an unknown output', two, { r: 'temporal' }, `Unknown entry in sample_weight_mode dictionary: "r". Only expected the following keys: ['p', 'q']`],
    ['an output left out', two, { q: 'temporal' }, 'Output "p" missing from sample_weight_modes dictionary'],
  ]
  for (const [what, model, sampleWeightMode, message] of wrong) {
    it(`refuse ${what}`, () => expect(() => compile(model, { sampleWeightMode })).toThrow(new ValueError(message)))
  }
})

describe('refusals', () => {
  const cases: [string, () => unknown, new (m: string) => Error, string][] = [
    ['a threshold outside [0, 1]', () => metrics.Precision({ thresholds: [0.5, 1.5] }), ValueError, 'Threshold values must be in [0, 1]. Invalid values: [1.5]'],
    ['too few thresholds', () => metrics.AUC({ numThresholds: 1 }), ValueError, '`num_thresholds` must be > 1.'],
    ['no thresholds', () => metrics.SpecificityAtSensitivity(0.5, { numThresholds: 0 }), ValueError, '`num_thresholds` must be > 0.'],
    ['a specificity above 1', () => metrics.SensitivityAtSpecificity(2), ValueError, '`specificity` must be in the range [0, 1].'],
    ['an unknown curve', () => metrics.AUC({ curve: 'FOC' }), ValueError, 'Invalid AUC curve value "FOC".'],
    ['an unknown sum', () => metrics.AUC({ summationMethod: 'major' }), ValueError, 'Invalid AUC summation method value "major".'],
    ['an unknown option', () => metrics.Recall({ threshold: 1 } as object), ArgumentTypeError, "Recall() got an unexpected keyword argument 'threshold'"],
    ['a missing argument', () => (metrics.MeanIoU as unknown as () => unknown)(), ArgumentTypeError, "MeanIoU() missing required argument: 'num_classes'"],
    ['an unknown class', () => metrics.deserialize({ class_name: 'Precission', config: {} }), ValueError, 'Unknown metric function:Precission'],
    ['an option a loss does not have', () => losses.MeanSquaredError({ delta: 1 }), ArgumentTypeError, "MeanSquaredError() got an unexpected keyword argument 'delta'"],
    ['an unknown reduction', () => losses.Hinge({ reduction: 'mean' as 'sum' }), ValueError, 'Invalid Reduction Key mean.'],
    ['targets of another shape', () => metrics.AUC().updateState([[1], [0]], [[0.1, 0.2, 0.3], [0, 0, 1]]), ValueError, 'Shapes (2, 3) and (2, 1) are incompatible'],
    ['several values in a compiled model', () => compile(target, { metrics: [metrics.Recall({ thresholds: [0.2, 0.4], name: 'r' })] }), ValueError, 'The metric r has 2 values, one for each of its thresholds'],
    ['a metric of values in a compiled model', () => compile(target, { metrics: [metrics.Mean()] }), ValueError, 'Could not interpret metric function identifier'],
  ]
  for (const [what, attempt, type, message] of cases) {
    it(what, () => {
      expect(attempt).toThrow(type)
      expect(attempt).toThrow(message)
    })
  }

  it('an update that is refused leaves the state as it was', () => {
    const recall = metrics.Recall()
    recall.updateState([1, 1], [0.9, 0.1])
    expect(() => recall.updateState([1, 1], [0.9])).toThrow(ValueError)
    expect(recall.result()).toBe(0.5)
  })

  it('every class of Keras is there', () => {
    for (const name of ['Accuracy', 'MeanIoU', 'LogCoshError']) expect(findMetricClass(name)).not.toBeNull()
  })
})
