import { describe, expect, test } from 'vitest'
import { exportedModels, packageName } from '../../compiler/trace/exported-models.js'

class Model { constructor(readonly label: string) {} }
const isModel = (value: unknown): value is Model => value instanceof Model

describe('models of a file', () => {
  test('come with the default export first and are named after the file', async () => {
    const [a, b] = [new Model('a'), new Model('b')]
    const found = await exportedModels('/x/gan.ts', { discriminator: a, default: b, units: 3 }, isModel)
    expect(found.map(({ name, exportName, model }) => [name, exportName, model.label]))
      .toEqual([['gan', 'default', 'b'], ['gan-discriminator', 'discriminator', 'a']])
  })

  test('count once when exported twice, and may be promised', async () => {
    const model = new Model('m')
    const found = await exportedModels('/x/a.ts', { model, default: Promise.resolve(model) }, isModel)
    expect(found.map((f) => f.exportName)).toEqual(['default'])
  })

  test('are missed with a message that says what was found', async () => {
    await expect(exportedModels('/x/a.ts', { units: 1, helper: () => 2 }, isModel)).rejects.toThrow(/\/x\/a\.ts exports no model\..*found only: helper, units\./)
    await expect(exportedModels('/x/a.ts', {}, isModel)).rejects.toThrow('found no exports at all')
  })
})

test.each([
  ['/e/mnist-mlp/model.ts', 'default', 'mnist-mlp'],
  ['/e/mnist-mlp/index.ts', 'encoder', 'mnist-mlp-encoder'],
  ['/e/My Model.v2.ts', 'default', 'my-model.v2'],
  ['/e/..ts', 'default', 'model'],
  ['/e/weights.h5', 'default', 'weights'],
])('%s (%s) becomes the package %s', (file, exportName, name) => {
  expect(packageName(file, exportName)).toBe(name)
})
