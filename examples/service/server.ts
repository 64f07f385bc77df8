/**
 * A prediction service: fastify and a compiled package. Predictions run off the main thread, so that the server keeps
 * answering; requests that come together are worked on together.
 *
 *     POST /predict       {"samples": [[784 numbers], …]}   many samples, off the main thread
 *     POST /predict-sync  {"sample": [784 numbers]}         one sample, at once
 *     GET  /health
 */
import Fastify from 'fastify'
import type { FastifyError, FastifyInstance } from 'fastify'
import type { DigitModel } from './digits-package.js'

const SIZE = 784, CLASSES = 10, MOST_SAMPLES = 256

const sample = { type: 'array', items: { type: 'number' }, minItems: SIZE, maxItems: SIZE } as const
const oneSample = { type: 'object', required: ['sample'], properties: { sample }, additionalProperties: false } as const
const manySamples = {
  type: 'object', required: ['samples'], additionalProperties: false,
  properties: { samples: { type: 'array', items: sample, minItems: 1, maxItems: MOST_SAMPLES } },
} as const

export type Answer = { readonly digit: number; readonly probabilities: readonly number[] }

/** The service around a loaded model, which it closes when it is closed itself. */
export async function createServer(model: DigitModel, options: { readonly logger?: boolean } = {}): Promise<FastifyInstance> {
  const app = Fastify({ logger: options.logger ?? false, bodyLimit: 32 * 1024 * 1024, ajv: { customOptions: { coerceTypes: false } } })
  const started = Date.now()
  let predictions = 0

  app.setErrorHandler((error: FastifyError, _request, reply) => {
    const status = error.validation ? 400 : error.name === 'ValueError' || error.name === 'TypeError' && 'location' in error ? 400 : error.statusCode ?? 500
    if (status >= 500) app.log.error(error)
    return reply.code(status).send({ error: status >= 500 ? 'internal error' : error.message })
  })

  app.get('/health', () => ({ status: 'ok', model: model.name, uptimeSeconds: (Date.now() - started) / 1000, predictions, memoryBytes: model.memoryBytes }))

  app.post<{ Body: { samples: number[][] } }>('/predict', { schema: { body: manySamples } }, async ({ body: { samples } }) => {
    const data = new Float32Array(samples.length * SIZE)
    samples.forEach((row, i) => data.set(row, i * SIZE))
    const result = await model.predict({ data, shape: [samples.length, SIZE] })
    predictions += samples.length
    return { answers: samples.map((_, i) => answer(result.data.subarray(i * CLASSES, (i + 1) * CLASSES))) }
  })

  app.post<{ Body: { sample: number[] } }>('/predict-sync', { schema: { body: oneSample } }, ({ body }) => {
    predictions++
    return Promise.resolve(answer(model.predictSync(Float32Array.from(body.sample)).data))
  })

  // Clients keep their connections for more requests. Answers given while closing tell them not to, for otherwise
  // the end would wait for each of those connections to time out.
  let closing = false
  app.addHook('preClose', async () => { closing = true })
  app.addHook('onSend', async (_request, reply) => { if (closing) reply.header('connection', 'close') })
  app.addHook('onClose', () => model.close())
  await model.warmup()
  return app
}

const answer = (probabilities: Float32Array): Answer => {
  const list = Array.from(probabilities)
  return { digit: list.indexOf(Math.max(...list)), probabilities: list }
}
