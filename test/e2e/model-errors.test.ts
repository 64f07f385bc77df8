/** What a user sees whose model is wrong. The exact outputs are in `golden/`; `vitest -u` writes them anew. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openWorkshop } from './workshop.js'

const shop = openWorkshop('model-errors')
afterAll(() => shop.remove())

const programs: Record<string, string> = {
  'type-errors': `import { Dense, Sequential } from 'kcc'

const model = Sequential()
model.add(Dense(64, { activation: 'relu', inputShape: [20] }))
model.add(Dense('10', { activation: 'softmax' }))
model.compile({ loss: 'categorical_crossentropy', optimiser: 'sgd' })

export default model
`,
  'shape-error-add': `import { Dense, Flatten, Input, Model, Reshape, add } from 'kcc'

const image = Input({ shape: [28, 28], name: 'image' })
const pixels = Flatten()(image)
const left = Dense(64)(pixels)
const right = Dense(32)(pixels)
const joined = add([
  left,
  right,
])
export default Model({ inputs: image, outputs: Reshape([8, 8])(joined) })
`,
  'shape-error-reshape': `import { Input, Model, Reshape } from 'kcc'

const image = Input({ shape: [28, 28] })
const rows = Reshape([28, 27])(image)
export default Model({ inputs: image, outputs: rows })
`,
  'shape-error-concatenate': `import { Dense, Input, Model, Reshape, concatenate } from 'kcc'

const x = Input({ shape: [12] })
const both = concatenate([Reshape([3, 4])(x), Reshape([4, 3])(x)])
export default Model({ inputs: x, outputs: both })
`,
  'shape-error-dense': `import { Dense, Input, Model } from 'kcc'

const shared = Dense(8, { name: 'shared' })
const a = Input({ shape: [4] }), b = Input({ shape: [5] })
export default Model({ inputs: [a, b], outputs: [shared(a), shared(b)] })
`,
  'not-connected': `import { Dense, Input, Model } from 'kcc'

const a = Input({ shape: [4], name: 'a' }), b = Input({ shape: [4], name: 'b' })
const sum = Dense(2)(b)
export default Model({ inputs: a, outputs: sum })
`,
  'syntax-error': `import { Dense, Sequential } from 'kcc'
export default Sequential([Dense(10, { inputShape: [4] })
`,
  'no-model': `export const width = 12
`,
}

beforeAll(() => { for (const [name, text] of Object.entries(programs)) shop.write(`${name}.ts`, text) })

describe('kcc build of a wrong model', () => {
  test.each(Object.keys(programs))('%s: shows the place and what was expected', async (name) => {
    const ran = await shop.kcc(['build', `${name}.ts`])
    expect([ran.code, ran.stdout]).toEqual([1, ''])
    await expect(`${ran.stderr}\n`).toMatchFileSnapshot(`golden/${name}.txt`)
    expect(shop.exists('dist')).toBe(false)
  })
})

test('unknown identifiers are named where they are written', async () => {
  shop.write('unknown.ts', `import { Dense, Sequential } from 'kcc'
const small = () => Sequential([Dense(1, { inputShape: [2], name: 'a' })])
const attempts = [
  () => Dense(3, { activation: 'rely' }),
  () => Dense(3, { kernelInitializer: 'glorot' }),
  () => Dense(3, { kernelRegularizer: 'l3' }),
  () => Dense(3, { kernelConstraint: 'max' }),
  () => small().compile({ optimizer: 'sgd', loss: 'mze' }),
  () => small().compile({ optimizer: 'sgd', loss: 'mse', metrics: ['acuracy'] }),
  () => small().compile({ optimizer: 'sdg', loss: 'mse' }),
  () => small().compile({ optimizer: 'sgd', loss: { b: 'mse' } }),
  () => small().compile({ optimizer: 'sgd', loss: 'mse', lossWeights: { b: 1 } }),
  () => Dense(3, { unitz: 4 }),
  () => small().getLayer('b'),
]
for (const attempt of attempts) {
  try { attempt(); console.log('accepted:', String(attempt)) }
  catch (error) { console.log(error.name + ': ' + error.message + ' @ ' + error.location?.line) }
}
const model = small()
model.compile({ optimizer: 'sgd', loss: 'mse' })
console.log((await model.predict(Float32Array.of(1, 2))).shape.join())
`)
  const ran = await shop.kcc(['run', '--no-check', 'unknown.ts'])
  expect([ran.code, ran.stderr]).toEqual([0, ''])
  await expect(`${ran.stdout}\n`).toMatchFileSnapshot('golden/unknown-identifiers.txt')
})
