/**
 * Golden C++: the whole text that the small example becomes, so that a change of the compiler shows as a change of
 * generated lines. `UPDATE=1` writes the files anew; read the difference before committing it.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { Dense, Sequential, clearSession } from '../../compiler/index.js'
import type { Emitted } from '../../compiler/emit/sources.js'
import { moduleSource } from '../../compiler/nn/module-source.js'
import { compileSources } from '../../compiler/pipeline.js'

const folder = join(import.meta.dirname, 'golden', 'small-mlp')

/** The model of `examples/small-mlp`. */
function emitted(): Emitted {
  clearSession()
  const model = Sequential([Dense(32, { activation: 'relu', inputShape: [100] }), Dense(1, { activation: 'sigmoid' })])
  model.compile({ optimizer: 'rmsprop', loss: 'binary_crossentropy', metrics: ['accuracy'] })
  return compileSources([{ ...moduleSource(model), name: 'small-mlp' }])
}

/** Lines of this test, at which its layers are made, are not part of what is kept. */
const withoutPlaces = (text: string): string => text.replaceAll(/golden\.test\.ts:\d+:\d+/g, 'model.ts')

it('the example becomes the C++ that is kept', () => {
  const files = emitted().files.map(({ name, text }) => ({ name, text: withoutPlaces(text) }))
  expect(files.length).toBeGreaterThan(3)
  if (process.env['UPDATE'] === '1') {
    mkdirSync(folder, { recursive: true })
    for (const { name, text } of files) writeFileSync(join(folder, name), text)
  }
  for (const { name, text } of files) expect(text, name).toBe(readFileSync(join(folder, name), 'utf8'))
})

it('the same model gives the same text', () => {
  expect(emitted().files).toEqual(emitted().files)
})
