/**
 * What this example uses of its compiled package. The package's own `index.d.ts` says more; it is not imported here,
 * because this file is type-checked before the package is built.
 */
import type { CompiledModel } from 'kcc/runtime'

export type Probabilities = { readonly data: Float32Array; readonly shape: readonly number[] }
export type DigitsInput = { readonly data: Float32Array; readonly shape: readonly number[] } | Float32Array

export type DigitModel = Omit<CompiledModel, 'predict' | 'predictSync'> & {
  predict(x: DigitsInput): Promise<Probabilities>
  predictSync(x: DigitsInput): Probabilities
}

/** `load` makes an instance with weights of its own. */
export type DigitPackage = { readonly model: DigitModel; load(): DigitModel }

/** Imports the package in `folder`, as `import … from '<package>'` would. */
export async function importPackage(folder: string): Promise<DigitPackage> {
  const { pathToFileURL } = await import('node:url')
  return (await import(new URL('index.mjs', `${pathToFileURL(folder).href}/`).href)) as DigitPackage
}
