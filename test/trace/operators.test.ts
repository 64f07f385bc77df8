/** Operators on tensors: what is rewritten and what is not, what they compute, where their errors point. */
import * as fs from 'node:fs'
import * as path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { checkTypes } from '../../compiler/trace/check.js'
import { transpiledBefore } from '../../compiler/trace/transpile.js'
import { lastJson, openWorkshop, sharedCache } from '../e2e/workshop.js'

const shop = openWorkshop('operators')
beforeAll(() => { process.env['KCC_CACHE_DIR'] = sharedCache })
afterAll(() => shop.remove())

const head = "import { Dense, Input, K, KTensor, Lambda, type TensorLike } from 'kcc'\ndeclare const x: KTensor, y: KTensor, w: TensorLike, list: KTensor[], maybe: KTensor | null, one: KTensor | number, n: number, s: string, u: unknown\n"

type Case = { readonly code: string; readonly errors: string[] }

/** Each line in a block of its own below `head`, all in one file: its JavaScript in one spelling, and the errors in it. */
async function rewritten(name: string, lines: readonly string[]): Promise<Case[]> {
  const text = `${head}${lines.map((line, i) => `// case ${i}\n{\n${line}\n}\n`).join('')}export {}\n`
  const file = shop.write(name, text)
  const { diagnostics } = await checkTypes(file)
  const parts = (transpiledBefore(file, text) ?? '').split(/\/\/ case \d+\n/)
  return lines.map((_, i) => ({
    code: spelling(/^\{\n([^]*?)\n\}\n/.exec(parts[i + 1] ?? '')?.[1] ?? ''),
    errors: diagnostics.filter((d) => d.location?.line === 5 + 4 * i)
      .map((d) => `${d.location?.column}+${d.length} ${d.message}${d.notes.map((note) => ` | ${note}`).join('')}`),
  }))
}

/** Without spaces, but for those between two words. */
const spelling = (code: string): string => code.replaceAll('$kccK.', 'K.').replaceAll(/\s+/g, ' ').replaceAll(/(?<!\w) | (?!\w)/g, '')

describe('an operator on tensors is a function of K', () => {
  const cases = [
    ['const a = x ** 2;', 'const a = K.pow(x,2);'],
    ['const a = (x - y) ** 2 / 2 + n;', 'const a = K.add(K.divide(K.pow((K.subtract(x,y)),2),2),n);'],
    ['const a = 1 - x * y;', 'const a = K.subtract(1,K.multiply(x,y));'],
    ['const a = -x + -n * 2 ** x;', 'const a = K.add(K.negative(x),K.multiply(-n,K.pow(2,x)));'],
    ['const a = ~(x > 0) & (y <= n) | (x < 1) & (y >= x);', 'const a = K.logicalOr(K.logicalAnd(K.logicalNot((K.greater(x,0))),(K.lessEqual(y,n))),K.logicalAnd((K.less(x,1)),(K.greaterEqual(y,x))));'],
    ['let a = x; a -= K.mean(a) + y; a **= 2;', 'let a = x;a = K.subtract(a,K.add(K.mean(a),y));a = K.pow(a,2);'],
    ['const a = w * 2, b = one / 3, c = list[0]! + list[1]!;', 'const a = K.multiply(w,2),b = K.divide(one,3),c = K.add(list[0],list[1]);'],
    // What depends on a rewritten type is found too, through variables, functions and generics.
    ['const d = x - y, e = [d * d].map((t) => t / 2), f = e[0]! ** 2, g = ((t: KTensor) => t + 1)(x) - 1;',
      'const d = K.subtract(x,y),e = [K.multiply(d,d)].map((t) => K.divide(t,2)),f = K.pow(e[0],2),g = K.subtract(((t) => K.add(t,1))(x),1);'],
    ['const l = Lambda((t) => t ** 2)(x) - Dense(3)(y);', 'const l = K.subtract(Lambda((t) => K.pow(t,2))(x),Dense(3)(y));'],
    ['const f = (t: KTensor) => { return-t; };', 'const f = (t) => { return K.negative(t);};'],
  ] as const
  const others = [
    'const a = n ** 2 - n / 3;',
    "const a = s + x + 'b';",
    'const same = x === y && maybe !== null || x !== y;',
    'const t = maybe ? maybe : x;',
    'const f = `${x}` < s;',
  ]
  let found: Case[]
  beforeAll(async () => { found = await rewritten('cases.ts', [...cases.map(([line]) => line), ...others]) })

  test.each(cases.map(([line, wanted], i) => ({ line, wanted, i })))('$line', ({ wanted, i }) => {
    expect(found[i]).toEqual({ code: spelling(wanted), errors: [] })
  })

  test.each(others.map((line, i) => ({ line, i })))('and nothing else is: $line', ({ line, i }) => {
    expect(found[cases.length + i]).toEqual({ code: spelling(line), errors: [] })
  })
})

describe('an operator that tensors do not have, or that fits badly, is an error at its place', () => {
  const truth = 'A tensor is neither true nor false while the model is being made: its values are known only when the model runs.'
  const cases: readonly (readonly [string, string[]])[] = [
    ['const a = x % 2', ['11+5 Tensors have no operator %. | K has no remainder']],
    ['const a = 2 << x', ['11+6 Tensors have no operator <<. | K has no shifts']],
    ['const a = x == 1', ['11+6 Tensors have no operator ==. | K.equal(a, b) compares elements']],
    ['const a = +x', ['11+2 Tensors have no operator + with one operand. | leave it out']],
    ['let a = x; a++', ['12+3 Tensors have no operator ++. | `x = x + 1` makes a new tensor']],
    ['const a = x > 0 ? 1 : 2', [`11+5 ${truth} | K.switch(condition, then, otherwise) chooses by elements`]],
    ['const a = (x - 1 > 0) && (y < 1)', [`11+11 ${truth} | \`a & b\` or K.logicalAnd(a, b) works on elements`, `26+7 ${truth} | \`a & b\` or K.logicalAnd(a, b) works on elements`]],
    ['if (!(x < 1)) throw 1', [`6+7 ${truth} | \`~x\` or K.logicalNot(x) works on elements`]],
    ['list[n] += x', ['1+12 The operator += on a tensor needs a plain variable or property on its left. | write: target = target + value']],
    ['const a = x - 1, b = a * s', ["26+1 Argument of type 'string' is not assignable to parameter of type 'TensorOrNumber'. [TS2345] | expected: TensorOrNumber\nfound:    string"]],
    ['let total = 0; total += K.sum(x)', ["16+5 Type 'KTensor' is not assignable to type 'number'. [TS2322] | expected: number\nfound:    KTensor"]],
    ['const a: number = x ** 2; const b: number = s', ["7+1 Type 'KTensor' is not assignable to type 'number'. [TS2322] | expected: number\nfound:    KTensor", "33+1 Type 'string' is not assignable to type 'number'. [TS2322] | expected: number\nfound:    string"]],
  ]
  let found: Case[]
  beforeAll(async () => { found = await rewritten('errors.ts', cases.map(([line]) => line)) })

  test.each(cases.map(([line, wanted], i) => ({ line, wanted, i })))('$line', ({ wanted, i }) => {
    expect(found[i]!.errors).toEqual(wanted)
  })
})

/** Expressions over a and b whose values are small whole numbers, so that float32 and JavaScript agree exactly. */
function randomExpression(random: () => number, depth: number): string {
  if (depth === 0) return ['a', 'b', '2', '3', 'a', 'b'][Math.floor(random() * 6)]!
  const part = (): string => randomExpression(random, depth - 1)
  const group = (text: string): string => (random() < 0.5 ? `(${text})` : text)
  const forms = [() => `${part()} + ${group(part())}`, () => `${part()} - ${group(part())}`, () => `(${part()}) * ${part()}`, () => `-(${part()})`, () => `(${part()}) ** 2 - ${part()}`]
  return forms[Math.floor(random() * forms.length)]!()
}

test('what is computed is what the same text computes for numbers: precedence and order are those of JavaScript', async () => {
  let state = 1
  const random = (): number => (state = (state * 48271) % 2147483647) / 2147483647
  const expressions = Array.from({ length: 30 }, () => randomExpression(random, 2))
  shop.write('values.ts', `import { Input, KTensor, Lambda, Model } from 'kcc'
const left = Input({ shape: [3] }), right = Input({ shape: [3] })
const outputs = Lambda(([a, b]: [KTensor, KTensor]) => [${expressions.map((e) => `(${e}) + a * 0`).join(', ')}])([left, right])
const model = Model({ inputs: [left, right], outputs })
const x = [1, -2, 3], y = [2, 1, -1]
const numbers = x.map((a, i) => { const b = y[i]!; return [${expressions.join(', ')}] })
const results = await model.predict([[x], [y]])
const found = (Array.isArray(results) ? results : [results]).map((r) => Array.from(r.data))
console.log(JSON.stringify({ found, wanted: found.map((_, k) => numbers.map((row) => row[k]! + 0)) }))
`)
  const { found, wanted } = lastJson<{ found: number[][]; wanted: number[][] }>(await shop.kcc(['run', 'values.ts']))
  expect(found).toHaveLength(expressions.length)
  expect(found.map((values, k) => `${expressions[k]} = ${values.map((v) => v + 0).join()}`)).toEqual(wanted.map((values, k) => `${expressions[k]} = ${values.join()}`))
})

test('errors while the model is made point to the operand in the TypeScript file', async () => {
  const text = `import { Input, Lambda } from 'kcc'
const a = Input({ shape: [4] })
export const z = Lambda((x) =>
  2 * x - (1 + x)    * Input({ shape: [7] }))(a)
`
  shop.write('shapes.ts', text)
  const ran = await shop.kcc(['run', 'shapes.ts'])
  expect(ran.code).toBe(1)
  expect(ran.stderr).toContain('ValueError: operands could not be broadcast together with shapes [B,4] [B,7]')
  expect(ran.stderr).toContain('shapes.ts:4:11:')
})

test('without the type check an operator on a tensor is refused when it runs, with its line', async () => {
  shop.write('unchecked.ts', "import { Input } from 'kcc'\nconst a = Input({ shape: [4] })\nconsole.log(`${a}`)\nexport const b = a - 1\n")
  const ran = await shop.kcc(['run', '--no-check', 'unchecked.ts'])
  expect([ran.code, ran.stdout]).toEqual([1, 'Tensor("input_1:0", shape=(?, 4), dtype=float32)'])
  expect(ran.stderr).toContain('TypeError: An operator of JavaScript was used on Tensor("input_1:0", shape=(?, 4), dtype=float32).')
  expect(ran.stderr).toContain('unchecked.ts:4:19:')
  expect(ran.stderr).toContain('K.pow(x, 2)')
})

test('an imported file is rewritten too, and `kcc build` writes a package of it', async () => {
  shop.write('parts.ts', "import type { KTensor } from 'kcc'\nexport const center = (x: KTensor) => x - 1\n")
  shop.write('centered.ts', "import { Input, Lambda, Model } from 'kcc'\nimport { center } from './parts.js'\nconst inputs = Input({ shape: [2] })\nexport default Model({ inputs, outputs: Lambda((x) => center(x) ** 2)(inputs) })\n")
  expect(await shop.kcc(['build', 'centered.ts'])).toMatchObject({ code: 0, stderr: '' })
  shop.write('use.mjs', "import { predictSync, model } from './dist/centered/index.mjs'\nconsole.log(JSON.stringify(Array.from(predictSync(new Float32Array([4, -1])).data)))\nawait model.close()\n")
  expect(lastJson<number[]>(await shop.node(['use.mjs']))).toEqual([9, 4])
  expect(fs.existsSync(path.join(shop.folder, 'dist', 'centered', 'model.node'))).toBe(true)
})
