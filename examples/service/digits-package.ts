/** The compiled model that the service links: the package of `examples/mnist-mlp`, as a service's dependency would be. */
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

export { importPackage } from '../mnist-mlp/package-types.js'
export type { DigitModel, DigitPackage } from '../mnist-mlp/package-types.js'

/** Folder of the package: `KCC_PACKAGE`, or where `kcc build examples/mnist-mlp/model.ts` writes it. */
export const packageFolder = (): string =>
  process.env['KCC_PACKAGE'] ?? join(dirname(createRequire(import.meta.url).resolve('kcc/package.json')), 'dist', 'mnist-mlp')
