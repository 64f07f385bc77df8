/** Whole runs against the texts Keras printed, times aside. */
import { describe, expect, it } from 'vitest'
import { goldenText, sharedPresent } from './shared.js'
import { screen, tinyModel, tinyX, tinyY } from './fake-models.js'

/** Times depend on the clock: "0s 98us/step", "ETA: 0s". */
const withoutTimes = (text: string): string => text.replaceAll(/\d+s \d+[mu]?s\/step/g, 'TIME').replaceAll(/ETA: \d+s/g, 'ETA').replaceAll(/ - \d+s - /g, ' - TIME - ')
/** Lines of a bar that is not complete: which of them appear depends on the clock. */
const withoutIntermediate = (text: string): string => withoutTimes(text).split('\n').filter((line) => !line.includes('ETA')).join('\n')
const golden = (file: string): string => (sharedPresent ? goldenText(file) : '')
const common = { batchSize: 8, epochs: 2, shuffle: false } as const

describe.skipIf(!sharedPresent)('output of fit, evaluate and predict', () => {
  it.each([
    ['fit_verbose0.txt', { verbose: 0 }], ['fit_verbose1.txt', { verbose: 1 }], ['fit_verbose2.txt', { verbose: 2 }],
    ['fit_verbose1_validation.txt', { verbose: 1, validationSplit: 0.2 }], ['fit_verbose2_validation.txt', { verbose: 2, validationData: [tinyX, tinyY] }],
  ] as const)('%s', async (file, options) => {
    const shown = screen(0.001), { model } = tinyModel({ screen: shown })
    await model.fit(tinyX, tinyY, { ...common, ...options })
    expect(withoutTimes(shown.text())).toBe(withoutTimes(golden(file)))
  })

  it('is the same when native code comes back after every batch, or a callback wants every batch', async () => {
    for (const callbacks of [[], [{ onBatchEnd: () => undefined }]]) {
      const shown = screen(0.06), { model, native } = tinyModel({ screen: shown })
      native.batchesPerVisit = 1
      await model.fit(tinyX, tinyY, { ...common, callbacks })
      expect(withoutIntermediate(shown.text())).toBe(withoutIntermediate(golden('fit_verbose1.txt')))
      expect(shown.text()).toContain('16/20 [')
    }
  })

  it('evaluate_verbose1.txt', async () => {
    const shown = screen(0.001), { model } = tinyModel({ screen: shown })
    const values = await model.evaluate(tinyX, tinyY, { batchSize: 8, verbose: 1 }) as number[]
    const text = golden('evaluate_verbose1.txt'), at = text.indexOf('[0.')
    expect(withoutTimes(shown.text())).toBe(withoutTimes(text.slice(0, at)))
    const [loss, accuracy] = JSON.parse(text.slice(at)) as [number, number]
    expect(values[0]).toBeCloseTo(loss, 6)
    expect(values[1]).toBe(accuracy)
  })

  it('predict_verbose1.txt', async () => {
    const shown = screen(0.001), { model } = tinyModel({ screen: shown })
    await model.predict(tinyX, { batchSize: 8, verbose: 1 })
    expect(withoutTimes(shown.text())).toBe(withoutTimes(golden('predict_verbose1.txt')))
  })
})
