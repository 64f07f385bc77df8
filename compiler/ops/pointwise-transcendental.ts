/** Elementwise functions of a float: exp expm1 log log1p sqrt tanh sigmoid. All give NaN for NaN. */
import * as b from './build.js'
import { defineFloatFunction } from './elementwise.js'

export const exp = defineFloatFunction({
  name: 'exp', doc: 'e to the power x.', cost: 'costly',
  value: ([x]) => Math.exp(x!), fn: 'exp',
  gradient: (node, g) => [b.mul(g, node)],
  simplify: null,
})

export const expm1 = defineFloatFunction({
  name: 'expm1', doc: 'exp(x) - 1 without cancellation near 0.', cost: 'costly',
  value: ([x]) => Math.expm1(x!), fn: 'expm1',
  gradient: (node, g) => [b.mul(g, b.add(node, 1))],
  simplify: null,
})

export const log = defineFloatFunction({
  name: 'log', doc: 'Natural logarithm; -Infinity of 0, NaN below.', cost: 'costly', range: [0.25, 4],
  value: ([x]) => Math.log(x!), fn: 'log',
  gradient: ({ inputs: [x] }, g) => [b.div(g, x!)],
  simplify: null,
})

export const log1p = defineFloatFunction({
  name: 'log1p', doc: 'log(1 + x) without cancellation near 0; -Infinity of -1, NaN below.', cost: 'costly', range: [-0.75, 4],
  value: ([x]) => Math.log1p(x!), fn: 'log1p',
  gradient: ({ inputs: [x] }, g) => [b.div(g, b.add(x!, 1))],
  simplify: null,
})

export const sqrt = defineFloatFunction({
  name: 'sqrt', doc: 'Square root; NaN below 0.', range: [0.25, 4],
  value: ([x]) => Math.sqrt(x!), fn: 'sqrt',
  gradient: (node, g) => [b.div(b.mul(g, 0.5), node)],
  simplify: null,
})

export const tanh = defineFloatFunction({
  name: 'tanh', doc: 'Hyperbolic tangent.', cost: 'costly',
  value: ([x]) => Math.tanh(x!), fn: 'tanh',
  gradient: (node, g) => [b.mul(g, b.sub(1, b.mul(node, node)))],
  simplify: null,
})

export const sigmoid = defineFloatFunction({
  name: 'sigmoid', doc: '1 / (1 + exp(-x)), without overflow.', cost: 'costly',
  value: ([x]) => (x! >= 0 ? 1 / (1 + Math.exp(-x!)) : Math.exp(x!) / (1 + Math.exp(x!))), fn: 'sigmoid',
  gradient: (node, g) => [b.mul(g, b.mul(node, b.sub(1, node)))],
  simplify: null,
})
