/**
 * Starts the service: `node build/examples/service/main.js`. `PORT` and `HOST` say where; `KCC_WEIGHTS` names weights
 * to load instead of the package's own. SIGTERM and SIGINT end it after the requests in progress.
 */
import { importPackage, packageFolder } from './digits-package.js'
import { createServer } from './server.js'

const { model } = await importPackage(packageFolder())
const weights = process.env['KCC_WEIGHTS']
if (weights !== undefined) await model.loadWeights(weights)

const app = await createServer(model, { logger: process.env['LOG'] === '1' })
const stop = (): void => {
  app.close().then(() => console.log('stopped'), (error: unknown) => {
    console.error(error)
    process.exitCode = 1
  })
}
process.once('SIGTERM', stop)
process.once('SIGINT', stop)

console.log(`listening on ${await app.listen({ port: Number(process.env['PORT'] ?? 3000), host: process.env['HOST'] ?? '127.0.0.1' })}`)
