/**
 * Metrics with a state inside a trained model: what `fit` and `evaluate` report, compared with the same numbers counted
 * here from the model's predictions.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clearSession, Dense, initializers, K, loadModel, losses, metrics, NDArray, optimizers, Reshape, Sequential, type CallbackHooks, type Model } from '../../compiler/index.js'
import { compileAndLoad } from '../../compiler/engine.js'
import { numbers } from './workshop.js'

const SAMPLES = 75, VALIDATION = 26, FEATURES = 4, BATCH = 16, EPOCHS = 3
const folder = mkdtempSync(join(tmpdir(), 'kcc-metrics-'))
afterAll(() => rmSync(folder, { recursive: true }))

type Seen = { readonly labels: number[]; readonly scores: number[]; readonly weights: number[] }
const nothing = (): Seen => ({ labels: [], scores: [], weights: [] })

const rows = ({ data, shape }: NDArray, from: number, to: number): NDArray => {
  const width = data.length / shape[0]!
  return new NDArray(data.slice(from * width, to * width), [to - from, ...shape.slice(1)])
}
const inputs = (count: number, salt: number): NDArray => new NDArray(numbers(count * FEATURES, salt).map((v) => 4 * v - 2), [count, FEATURES])
/** Mostly what a plane divides, so that metrics are neither 0 nor 1. */
const labelsOf = (x: NDArray, salt: number): NDArray => {
  const noise = numbers(x.shape[0]!, salt)
  return new NDArray(Float32Array.from(noise, (v, i) => (x.data[i * FEATURES]! - x.data[i * FEATURES + 1]! + 3 * (v - 0.5) > 0 ? 1 : 0)), [noise.length, 1])
}
const x = inputs(SAMPLES, 1), y = labelsOf(x, 5), w = new NDArray(numbers(SAMPLES, 9).map((v) => v + 0.25), [SAMPLES])
const vx = inputs(VALIDATION, 400), vy = labelsOf(vx, 31)

function classifier(): Model {
  clearSession()
  const start = (seed: number): ReturnType<typeof initializers.glorotUniform> => initializers.glorotUniform({ seed })
  const model = Sequential([Dense(6, { activation: 'tanh', inputShape: [FEATURES], kernelInitializer: start(3) }), Dense(1, { activation: 'sigmoid', kernelInitializer: start(4) })])
  model.compile({
    optimizer: optimizers.SGD({ learningRate: 0.3 }), loss: losses.binaryCrossentropy,
    metrics: [
      'accuracy', metrics.Precision({ thresholds: 0.4 }), metrics.Recall(), metrics.AUC({ numThresholds: 25 }), metrics.AUC({ curve: 'PR', summationMethod: 'minoring', thresholds: [0.7, 0.2, 0.5], name: 'pr' }),
      metrics.RootMeanSquaredError(), metrics.TruePositives(), metrics.SensitivityAtSpecificity(0.4713, { numThresholds: 9 }),
    ],
    weightedMetrics: [metrics.Precision({ name: 'weighted_precision' })],
  })
  return model
}

/** Weights of labels whose score is above (or below) a limit. */
const count = ({ labels, scores, weights }: Seen, label: number, above: boolean, limit: number, weighted = false): number =>
  scores.reduce((sum, score, i) => (labels[i] === label && (above ? score > limit : score < limit) ? sum + (weighted ? weights[i]! : 1) : sum), 0)
const ratio = (part: number, rest: number): number => (part + rest > 0 ? part / (part + rest) : 0)
const precision = (seen: Seen, limit: number, weighted = false): number => ratio(count(seen, 1, true, limit, weighted), count(seen, 0, true, limit, weighted))
const recall = (seen: Seen, limit: number): number => ratio(count(seen, 1, true, limit), count(seen, 1, false, limit))
const specificity = (seen: Seen, limit: number): number => ratio(count(seen, 0, false, limit), count(seen, 0, true, limit))

/** Area between neighbouring thresholds, rising. */
function area(limits: readonly number[], x: (limit: number) => number, y: (limit: number) => number, height: (a: number, b: number) => number): number {
  return limits.slice(1).reduce((sum, limit, i) => sum + (x(limits[i]!) - x(limit)) * height(y(limits[i]!), y(limit)), 0)
}

/** The metrics of `classifier`, in its order. */
function expected(seen: Seen): Record<string, number> {
  const inner = Array.from({ length: 23 }, (_, i) => Math.fround((i + 1) / 24))
  const nine = Array.from({ length: 9 }, (_, i) => i / 8)
  const nearest = nine.reduce((best, limit) => (Math.abs(specificity(seen, limit) - 0.4713) < Math.abs(specificity(seen, best) - 0.4713) ? limit : best))
  const squares = seen.scores.map((score, i) => (score - seen.labels[i]!) ** 2)
  return {
    accuracy: seen.scores.filter((score, i) => (score > 0.5 ? 1 : 0) === seen.labels[i]).length / seen.scores.length,
    precision_1: precision(seen, 0.4),
    recall_1: recall(seen, 0.5),
    auc_1: area([-1e-7, ...inner, 1 + 1e-7], (t) => 1 - specificity(seen, t), (t) => recall(seen, t), (a, b) => (a + b) / 2),
    pr: area([-1e-7, 0.2, 0.5, 0.7, 1 + 1e-7], (t) => recall(seen, t), (t) => (count(seen, 1, true, t) > 0 ? precision(seen, t) : 0), Math.min),
    root_mean_squared_error: Math.sqrt(squares.reduce((a, b) => a + b, 0) / squares.length),
    true_positives_1: count(seen, 1, true, 0.5),
    sensitivity_at_specificity_1: recall(seen, nearest),
    weighted_precision: precision(seen, 0.5, true),
  }
}

const add = (seen: Seen, labels: NDArray, scores: NDArray, weights: NDArray | null): void => {
  seen.labels.push(...labels.data)
  seen.scores.push(...scores.data)
  seen.weights.push(...(weights?.data ?? Array<number>(labels.data.length).fill(1)))
}
const only = (result: unknown): NDArray => result as NDArray

/** Counts are whole numbers of samples, so only the roundings of quotients and sums in float32 remain. */
function close(got: Readonly<Record<string, number>>, want: Readonly<Record<string, number>>, what: string): void {
  for (const [name, value] of Object.entries(want)) expect(Math.abs(got[name]! - value), `${what}: ${name} is ${got[name]}, expected ${value}`).toBeLessThanOrEqual(2e-6 * Math.max(1, Math.abs(value)))
}
const named = (model: Model, values: unknown): Record<string, number> => Object.fromEntries(model.metricsNames.map((name, i) => [name, (values as number[])[i]!]))
const fitOptions = { batchSize: BATCH, epochs: EPOCHS, shuffle: false, verbose: 0, sampleWeight: w, validationData: [vx, vy] } as const

describe('metrics with a state in fit', () => {
  const model = classifier()
  const epochs: Seen[] = [], validations: Seen[] = [], running: { seen: Record<string, number>; logs: Record<string, number> }[] = []
  let history: Record<string, readonly number[]> = {}

  beforeAll(async () => {
    const observer: CallbackHooks = {
      onEpochBegin: () => void epochs.push(nothing()),
      onTrainBatchBegin: async (batch) => {
        const [from, to] = [batch * BATCH, Math.min(SAMPLES, (batch + 1) * BATCH)]
        add(epochs.at(-1)!, rows(y, from, to), only(await model.predictOnBatch(rows(x, from, to))), rows(w, from, to))
      },
      onTrainBatchEnd: async (batch, logs) => {
        running.push({ seen: expected(epochs.at(-1)!), logs: { ...logs } })
        // An evaluation in the middle of an epoch counts for itself.
        if (batch === 1) await model.evaluate(vx, vy, { verbose: 0, batchSize: 7 })
      },
      onEpochEnd: async () => {
        const seen = nothing()
        add(seen, vy, only(await model.predict(vx)), null)
        validations.push(seen)
      },
    }
    history = (await model.fit(x, y, { ...fitOptions, callbacks: [observer] })).history as Record<string, readonly number[]>
  }, 120_000)

  test('the history of each epoch, and of its validation', () => {
    expect(epochs.map((e) => e.scores.length)).toEqual([SAMPLES, SAMPLES, SAMPLES])
    epochs.forEach((seen, e) => close(Object.fromEntries(Object.entries(history).map(([k, v]) => [k, v[e]!])), expected(seen), `epoch ${e}`))
    validations.forEach((seen, e) => close(Object.fromEntries(Object.entries(history).filter(([k]) => k.startsWith('val_')).map(([k, v]) => [k.slice(4), v[e]!])), expected(seen), `validation ${e}`))
  })

  test('says something: no metric is the same in all epochs', () => {
    for (const name of ['precision_1', 'recall_1', 'auc_1', 'root_mean_squared_error']) expect(new Set(history[name]).size, name).toBeGreaterThan(1)
  })

  test('logs of batches hold the running value of the epoch', () => {
    expect(running.length).toBe(EPOCHS * Math.ceil(SAMPLES / BATCH))
    running.forEach(({ seen, logs }, i) => close(logs, seen, `batch ${i}`))
  })

  test('without callbacks, where no JavaScript runs between two batches, they are the same to the last bit', async () => {
    const again = classifier()
    expect((await again.fit(x, y, fitOptions)).history).toEqual(history)
  })

  test('evaluations at the same time do not mix', async () => {
    const [small, large] = await Promise.all([model.evaluate(vx, vy, { verbose: 0, batchSize: 3 }), model.evaluate(x, y, { verbose: 0, batchSize: 5 })])
    for (const [values, [a, b]] of [[small, [vx, vy]], [large, [x, y]]] as const) {
      const seen = nothing()
      add(seen, b, only(await model.predict(a)), null)
      close(named(model, values), expected(seen), 'evaluate')
    }
  })

  test('batches one by one: cleared each time, or going on when asked', async () => {
    const seen = nothing()
    const values: unknown[] = []
    for (const [from, to] of [[0, 9], [9, 20]] as const) {
      values.push(await model.testOnBatch(rows(vx, from, to), rows(vy, from, to), { resetMetrics: from === 0 }))
      add(seen, rows(vy, from, to), only(await model.predictOnBatch(rows(vx, from, to))), null)
    }
    close(named(model, values[1]), expected(seen), 'second batch')
    const alone = nothing()
    add(alone, rows(vy, 9, 20), only(await model.predictOnBatch(rows(vx, 9, 20))), null)
    close(named(model, await model.testOnBatch(rows(vx, 9, 20), rows(vy, 9, 20))), expected(alone), 'alone')
  })

  test('are saved as options, not as weights, and read back', async () => {
    const file = join(folder, 'model.h5')
    await model.save(file)
    const loaded = await loadModel(file)
    expect(loaded.metricsNames).toEqual(model.metricsNames)
    expect(loaded.training!.trainingConfig()).toEqual(model.training!.trainingConfig())
    expect(await loaded.evaluate(vx, vy, { verbose: 0 })).toEqual(await model.evaluate(vx, vy, { verbose: 0 }))
    const compiled = await compileAndLoad(model)
    await compiled.saveWeights(join(folder, 'all.safetensors'), { optimizer: true })
    await compiled.loadWeights(join(folder, 'all.safetensors'))
    expect(compiled.program.manifest.variables.filter((v) => v.role === 'metric').length).toBe(2 + 2 + 4 + 4 + 2 + 1 + 4 + 2)
    await compiled.close()
  })
})

describe('weights of time steps', () => {
  const STEPS = 3, WIDTH = 2
  const sequences = new NDArray(numbers(SAMPLES * STEPS * WIDTH, 3), [SAMPLES, STEPS, WIDTH])
  const targets = new NDArray(numbers(SAMPLES * STEPS * WIDTH, 50), [SAMPLES, STEPS, WIDTH])
  const stepWeights = new NDArray(numbers(SAMPLES * STEPS, 8), [SAMPLES, STEPS])

  /** Mean over everything of weight × mean square of the step, and the weighted mean of the absolute differences. */
  function lossAndError(predicted: NDArray): { loss: number; mae: number } {
    let [loss, error, total] = [0, 0, 0]
    stepWeights.data.forEach((weight, step) => {
      const differences = Array.from({ length: WIDTH }, (_, k) => predicted.data[step * WIDTH + k]! - targets.data[step * WIDTH + k]!)
      loss += weight * differences.reduce((sum, d) => sum + d * d / WIDTH, 0)
      error += weight * differences.reduce((sum, d) => sum + Math.abs(d) / WIDTH, 0)
      total += weight
    })
    return { loss: loss / stepWeights.data.length, mae: error / total }
  }

  test('count in loss and weighted metrics', async () => {
    clearSession()
    const model = Sequential([Dense(WIDTH, { inputShape: [STEPS, WIDTH], kernelInitializer: initializers.glorotUniform({ seed: 1 }) }), Reshape([STEPS, WIDTH])])
    model.compile({
      optimizer: 'sgd', loss: 'mse', weightedMetrics: ['mae', metrics.TruePositives({ thresholds: 0.5 })], sampleWeightMode: 'temporal',
      metrics: [(t: Parameters<typeof losses.mse>[0], p: Parameters<typeof losses.mse>[1]) => K.mean(losses.mse(t, p)), (t: Parameters<typeof losses.mse>[0], p: Parameters<typeof losses.mse>[1]) => metrics.topKCategoricalAccuracy(t, p, { k: 1 })],
    })
    const values = await model.evaluate(sequences, targets, { batchSize: SAMPLES, verbose: 0, sampleWeight: stepWeights }) as number[]
    const want = lossAndError(only(await model.predict(sequences)))
    expect(values[0]).toBeCloseTo(want.loss, 6)
    expect(named(model, values)['mae']).toBeCloseTo(want.mae, 6)
    await expect(model.evaluate(sequences, targets, { verbose: 0, sampleWeight: w })).rejects.toThrow(`Found a sample_weight array with shape (${SAMPLES},). In order to use timestep-wise sample weighting, you should pass a 2D sample_weight array.`)
    expect(model.training!.trainingConfig().sample_weight_mode).toBe('temporal')
  })
})
