/** The service's own behaviour, in front of a model that stands in for the compiled package. */
import { afterEach, describe, expect, it } from 'vitest'
import { createServer } from '../../examples/service/server.js'
import { loadServer, pixelsOf } from '../../examples/service/load-test.js'
import type { DigitModel } from '../../examples/service/digits-package.js'
import { ValueError } from '../../runtime/contract/errors.js'

/** Answers with the first ten pixels of each sample; the pixel 0.125 in the first place is refused, 0.25 breaks. */
function standIn(): { model: DigitModel; closed: () => boolean; warm: () => boolean } {
  let closed = false, warm = false
  const answer = (data: Float32Array): Float32Array => {
    if (data[0] === 0.125) throw new ValueError('the first pixel must not be 0.125')
    if (data[0] === 0.25) throw new Error('secret detail')
    return Float32Array.from({ length: data.length / 784 * 10 }, (_, i) => data[Math.floor(i / 10) * 784 + i % 10]!)
  }
  const model = {
    name: 'stand-in',
    memoryBytes: 1,
    warmup: async () => { warm = true },
    close: async () => { closed = true },
    predictSync: (x: Float32Array) => ({ data: answer(x), shape: [1, 10] }),
    predict: async (x: { data: Float32Array; shape: readonly number[] }) => {
      await new Promise((resolve) => { setTimeout(resolve, 1) })
      return { data: answer(x.data), shape: [x.shape[0]!, 10] }
    },
  } as unknown as DigitModel
  return { model, closed: () => closed, warm: () => warm }
}

const apps: Awaited<ReturnType<typeof createServer>>[] = []
const start = async (model: DigitModel): Promise<(typeof apps)[number]> => {
  const app = await createServer(model)
  apps.push(app)
  return app
}
afterEach(async () => { await Promise.all(apps.splice(0).map((app) => app.close())) })

const sample = (first: number): number[] => [first, ...new Array<number>(783).fill(0)]

describe('the service', () => {
  it('warms up, answers, tells its health, and closes the model', async () => {
    const { model, closed, warm } = standIn()
    const app = await start(model)
    expect(warm()).toBe(true)
    const many = await app.inject({ method: 'POST', url: '/predict', payload: { samples: [sample(1), [0, 0, 0.5, ...sample(0).slice(3)]] } })
    expect(many.statusCode).toBe(200)
    expect(many.json().answers.map((a: { digit: number }) => a.digit)).toEqual([0, 2])
    const one = await app.inject({ method: 'POST', url: '/predict-sync', payload: { sample: sample(0.75) } })
    expect(one.json()).toEqual({ digit: 0, probabilities: [0.75, 0, 0, 0, 0, 0, 0, 0, 0, 0] })
    expect((await app.inject('/health')).json()).toMatchObject({ status: 'ok', model: 'stand-in', predictions: 3, memoryBytes: 1 })
    await app.close()
    expect(closed()).toBe(true)
  })

  it.each([
    ['nothing', {}, /samples/],
    ['no samples', { samples: [] }, /fewer than 1 items/],
    ['a short sample', { samples: [[1, 2]] }, /fewer than 784 items/],
    ['text', { samples: [['1', ...sample(0).slice(1)]] }, /must be number/],
    ['too many', { samples: new Array(257).fill([1]) }, /more than 256 items/],
    ['what the model refuses', { samples: [sample(0.125)] }, /the first pixel must not be 0\.125/],
  ])('answers 400 to %s', async (_, payload, message) => {
    const app = await start(standIn().model)
    const response = await app.inject({ method: 'POST', url: '/predict', payload })
    expect(response.statusCode).toBe(400)
    expect(response.json().error).toMatch(message)
    expect((await app.inject('/health')).statusCode).toBe(200)
  })

  it('answers 400 to broken JSON, 404 to other paths, and hides internal errors', async () => {
    const app = await start(standIn().model)
    const broken = await app.inject({ method: 'POST', url: '/predict', headers: { 'content-type': 'application/json' }, payload: '{"samples": [' })
    expect(broken.statusCode).toBe(400)
    expect((await app.inject('/none')).statusCode).toBe(404)
    const failed = await app.inject({ method: 'POST', url: '/predict', payload: { samples: [sample(0.25)] } })
    expect([failed.statusCode, failed.json()]).toEqual([500, { error: 'internal error' }])
  })

  it('is loaded with many requests at once, and the load test notices wrong answers', async () => {
    const app = await start(standIn().model)
    const url = await app.listen({ port: 0 })
    const right = await loadServer(url, (i) => pixelsOf(i).subarray(0, 10), { requests: 200, concurrency: 32 })
    expect(right).toMatchObject({ calls: 200, wrong: 0, failed: 0 })
    const wrong = await loadServer(url, (i) => pixelsOf(i + 1).subarray(0, 10), { requests: 20, concurrency: 4 })
    expect(wrong).toMatchObject({ wrong: 20, failed: 0 })
  })
})
