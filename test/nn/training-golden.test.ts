/** Every training run of Keras made only of what exists here, replayed with interpreted graphs. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readKerasH5, type KerasFile } from '../../compiler/files/keras-h5.js'
import { loadNpz } from '../../compiler/files/npz.js'
import { optionsOfConfig, type TrainingConfig } from '../../compiler/nn/compile.js'
import { type LossFunction } from '../../compiler/nn/losses/loss.js'
import { moduleSource, type ModuleSource } from '../../compiler/nn/module-source.js'
import { layerTable } from '../../compiler/nn/layer-table.js'
import { clearSession } from '../../compiler/nn/session.js'
import { modelFromConfig } from '../../compiler/nn/serialization.js'
import { maximum, mean, mul, sub } from '../../compiler/ops/build.js'
import type { Tensor } from '../../compiler/ops/define-op.js'
import { expectClose, golden, hasGolden, toTensor } from './training-shared.js'
import { countOf, Replay, sliceSamples, type Logs, type Samples } from './training-replay.js'

type Case = {
  name: string; python_before_compile: string; callbacks: string; stateful_epochs: boolean; metrics_names: string[]
  fit: { batch_size: number; epochs: number; initial_epoch?: number; validation_split?: number; class_weight?: Record<string, number> }
  inputs: { key: string }[]; targets: { key: string }[]; weights: { key: string; name: string }[]
  optimizer_weights: { key: string; name: string }[]; rtol: number; atol: number
}

/** The functions a loader must be given, as the vectors' README defines them. */
const square = (x: ReturnType<typeof sub>): ReturnType<typeof sub> => mul(x, x)
const customObjects: Record<string, LossFunction> = {
  contrastive_loss: (t, p) => mean(sub(mul(t.node, square(p.node)), mul(sub(t.node, 1), square(maximum(sub(1, p.node), 0))))),
  mean_pred: (_, p) => mean(p.node),
  identity_loss: (_, p) => p.node,
  lambda_loss: (t, p) => mean(square(square(sub(t.node, p.node))), [-1]),
}
for (const [name, f] of Object.entries(customObjects)) Object.defineProperty(f, 'name', { value: name })

const folder = join(golden, 'training')
const names = hasGolden ? readdirSync(folder).filter((n) => !n.includes('.')) : []
const readFileOf = (name: string, file: string): Promise<KerasFile> => readKerasH5(readFileSync(join(folder, name, file)), `${name}/${file}`)
const readCase = (name: string): Case => JSON.parse(readFileSync(join(folder, name, 'case.json'), 'utf8')) as Case

/** Classes named anywhere in a model's configuration. */
function classesIn(config: unknown): string[] {
  if (typeof config !== 'object' || config === null) return []
  const own = 'class_name' in config && 'config' in config && typeof config.class_name === 'string' ? [config.class_name] : []
  return [...own, ...Object.values(config).flatMap(classesIn)]
}

const builtIn = ['Sequential', 'Model', 'VarianceScaling', 'Zeros', 'Ones', 'L1L2', 'RandomUniform', 'RandomNormal', 'MaxNorm', 'NonNeg', 'UnitNorm', 'MinMaxNorm', 'InputLayer']

/** Why a case is not replayed here, or null. */
function obstacleOf(c: Case, file: KerasFile): string | null {
  const layer = classesIn(file.modelConfig).find((k) => !builtIn.includes(k) && !Object.hasOwn(layerTable, k))
  if (layer !== undefined) return `layer ${layer}`
  if (c.callbacks !== '' && !c.callbacks.includes('LearningRateScheduler')) return `callback ${c.callbacks.replace(/\(.*/, '').replace(/.*\./, '')}`
  return null
}

type Loaded = { readonly c: Case; readonly initial: KerasFile; readonly obstacle: string | null }
const cases: Loaded[] = []
for (const name of names) {
  const [c, initial] = [readCase(name), await readFileOf(name, 'initial.h5')]
  cases.push({ c, initial, obstacle: obstacleOf(c, initial) })
}
const replayed = cases.filter((x) => x.obstacle === null)
if (hasGolden) console.log(`replayed ${replayed.length} of ${cases.length} training cases; not yet: ${cases.filter((x) => x.obstacle !== null).map((x) => `${x.c.name} (${x.obstacle})`).join(', ')}`)

function sourceOf(file: KerasFile, c: Case): ModuleSource {
  clearSession()
  const model = modelFromConfig(file.modelConfig)
  // Whether a model inside another is frozen is not part of a configuration.
  const frozen = /get_layer\('(\w+)'\)\.trainable = False/.exec(c.python_before_compile)?.[1]
  if (frozen !== undefined) model.getLayer(frozen).trainable = false
  model.compile(optionsOfConfig(file.trainingConfig as TrainingConfig, customObjects))
  return moduleSource(model)
}

/** Values by the module's variable names: the file lists layers and weights in the model's own order. */
function variablesOf(source: ModuleSource, file: KerasFile): Record<string, Tensor> {
  const stored = new Map(file.layers.flatMap((l) => l.weights).map((w) => [w.name, toTensor(w.value)]))
  const state = new Map((file.optimizerWeights ?? []).map((w) => [w.name, toTensor(w.value)]))
  return Object.fromEntries([...source.model.weights, ...source.model.optimizerWeights].flatMap((name) => {
    const value = stored.get(name) ?? state.get(name)
    return value ? [[name, value]] : []
  }))
}

const ones = (n: number): Tensor => ({ shape: [n], data: new Float64Array(n).fill(1) })

/** Class of each sample: the number itself, or the position of the largest. */
function classesOf(target: Tensor): number[] {
  const width = target.data.length / target.shape[0]!
  return Array.from({ length: target.shape[0]! }, (_, i) => {
    const row = [...target.data.slice(i * width, (i + 1) * width)]
    return width === 1 ? row[0]! : row.indexOf(Math.max(...row))
  })
}

function samplesOf(source: ModuleSource, c: Case, arrays: Record<string, Tensor>, prefix: string): Samples | null {
  if (!arrays[`${prefix}x_0`]) return null
  const inputs = c.inputs.map((i) => arrays[`${prefix}${i.key}`]!)
  const targets = source.model.targets.map((_, i) => arrays[`${prefix}y_${i}`]!)
  const weights = targets.map((t, i) => {
    const given = arrays[`${prefix}sw_${i}`] ?? ones(t.shape[0]!)
    const byClass = c.fit.class_weight
    if (!byClass || prefix !== '') return given
    return { shape: given.shape, data: given.data.map((w, j) => w * byClass[classesOf(t)[j]!]!) }
  })
  return { inputs, targets, weights }
}

/** Training and validation samples; `validation_split` takes its part from the end. */
function splitSamples(source: ModuleSource, c: Case, arrays: Record<string, Tensor>): { train: Samples; validation: Samples | null } {
  const all = samplesOf(source, c, arrays, '')!
  const split = c.fit.validation_split
  if (split === undefined) return { train: all, validation: samplesOf(source, c, arrays, 'v') }
  const at = Math.floor(countOf(all) * (1 - split))
  return { train: sliceSamples(all, 0, at), validation: sliceSamples(all, at, countOf(all)) }
}

async function replay({ c, initial }: Loaded): Promise<void> {
  const dir = join(folder, c.name)
  const source = sourceOf(initial, c)
  const load = async (file: string): Promise<Record<string, Tensor>> => Object.fromEntries(Object.entries(await loadNpz(join(dir, file))).map(([k, v]) => [k, toTensor(v)]))
  const [arrays, expected] = [await load('data.npz'), await load('expected.npz')]
  const { train, validation } = splitSamples(source, c, arrays)
  const run = new Replay(source, variablesOf(source, initial))
  const close = (got: ArrayLike<number>, want: ArrayLike<number>, what: string): void => expectClose(got, want, c.rtol, c.atol, `${c.name} ${what}`)

  expect(source.model.metricsNames).toEqual(c.metrics_names)
  expect(source.model.weights).toEqual(c.weights.map((w) => w.name))
  expect(source.model.optimizerWeights).toEqual(c.optimizer_weights.map((w) => w.name))

  const batchLogs: Logs[] = []
  const history: Record<string, number[]> = {}
  const record = (logs: Logs, prefix: string): void => Object.entries(logs).forEach(([name, v]) => (history[prefix + name] ??= []).push(v))
  const compareWeights = (prefix: string): void => c.weights.forEach((w, i) => close(run.variables[w.name]!.data, expected[`${prefix}${i}`]!.data, `${prefix}${i}`))

  for (let epoch = c.fit.initial_epoch ?? 0; epoch < c.fit.epochs; epoch++) {
    if (c.callbacks.includes('0.4 * 0.5 ** epoch')) run.scalars['lr'] = Math.fround(0.4 * 0.5 ** epoch)
    const logs = run.epoch(train, c.fit.batch_size, (batch) => {
      batchLogs.push(batch)
      if (batchLogs.length === 1) compareWeights('w_after_batch1_')
    })
    if (validation) record(run.evaluate(validation, c.fit.batch_size), 'val_')
    record(logs, '')
  }

  compareWeights('w_')
  c.optimizer_weights.forEach((w, i) => close(run.variables[w.name]!.data, expected[`opt_${i}`]!.data, `optimizer weight ${w.name}`))
  for (const name of c.metrics_names) close(batchLogs.map((l) => l[name]!), expected[`batch_${name}`]!.data, `batch_${name}`)
  const stored = JSON.parse(readFileSync(join(dir, 'history.json'), 'utf8')) as { history: Record<string, number[]> }
  for (const [name, values] of Object.entries(stored.history)) if (name !== 'lr') close(history[name] ?? [], values, `history ${name}`)
  const all = samplesOf(source, { ...c, fit: { ...c.fit, class_weight: undefined } }, arrays, '')!
  const evaluated = run.evaluate(all, c.fit.batch_size)
  close(c.metrics_names.map((n) => evaluated[n]!), expected['evaluate']!.data, 'evaluate')
  run.predict(all).forEach((p, k) => close(p.data, expected[`pred_${k}`]!.data, `predict ${k}`))
}

describe.skipIf(!hasGolden)('training runs of Keras', () => {
  it('replays those it can', () => expect(replayed.length).toBeGreaterThan(60))
  for (const loaded of replayed) it(loaded.c.name, () => replay(loaded))
})

describe.skipIf(!hasGolden)('training_config', () => {
  for (const { c } of replayed) {
    it(`of ${c.name} is written as Keras writes it`, async () => {
      const file = await readFileOf(c.name, 'final.h5')
      expect(sourceOf(file, c).model.trainingConfig).toEqual(file.trainingConfig)
    })
  }
})
