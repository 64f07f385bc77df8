/** The optimizers of Keras 2.3.1, each with its exact update rule. Source: keras/optimizers.py. */
import type { Node } from '../../ir/graph.js'
import { abs, add, div, mul, maximum, neg, pow, select, equal, sqrt, sub, type Operand } from '../../ops/build.js'
import { square } from '../../ops/compositions.js'
import { defineOptimizer } from './define-optimizer.js'

const EPSILON = 1e-7
const source = 'keras/optimizers.py, 2.3.1'

/** rate * old + (1 - rate) * fresh */
const blend = (rate: Operand, old: Node, fresh: Node): Node =>
  add(mul(rate, old), mul(typeof rate === 'number' ? 1 - rate : sub(1, rate), fresh))

export const sgd = defineOptimizer({
  className: 'SGD',
  doc: 'v = momentum v - lr g; p = p + v, or with Nesterov p + momentum v - lr g. With momentum 0 at compile time its term is left out; v is kept all the same, as Keras stores it',
  source,
  scalars: { lr: 0.01, momentum: 0, decay: 0 },
  fixed: { nesterov: false as boolean },
  config: ['lr', 'momentum', 'decay', 'nesterov'],
  states: [],
  slots: () => ({ moment: 'parameter' }),
  step: ({ scalar, fixed, isZero, lr }) => ({
    update: ({ parameter, gradient, slot }) => {
      const step = mul(lr, gradient)
      if (isZero('momentum')) return { parameter: sub(parameter, step), slots: { moment: neg(step) } }
      const velocity = sub(mul(scalar.momentum, slot.moment), step)
      const move = fixed.nesterov ? sub(mul(scalar.momentum, velocity), step) : velocity
      return { parameter: add(parameter, move), slots: { moment: velocity } }
    },
  }),
})

export const rmsprop = defineOptimizer({
  className: 'RMSprop',
  doc: 'a = rho a + (1 - rho) g^2; p = p - lr g / (sqrt(a) + epsilon)',
  source,
  scalars: { lr: 0.001, rho: 0.9, decay: 0 },
  fixed: { epsilon: EPSILON as number },
  config: ['lr', 'rho', 'decay', 'epsilon'],
  states: [],
  slots: () => ({ accumulator: 'parameter' }),
  step: ({ scalar, fixed, lr }) => ({
    update: ({ parameter, gradient, slot }) => {
      const accumulator = blend(scalar.rho, slot.accumulator, square(gradient))
      const step = div(mul(lr, gradient), add(sqrt(accumulator), fixed.epsilon))
      return { parameter: sub(parameter, step), slots: { accumulator } }
    },
  }),
})

export const adagrad = defineOptimizer({
  className: 'Adagrad',
  doc: 'a = a + g^2; p = p - lr g / (sqrt(a) + epsilon)',
  source,
  scalars: { lr: 0.01, decay: 0 },
  fixed: { epsilon: EPSILON as number },
  config: ['lr', 'decay', 'epsilon'],
  states: [],
  slots: () => ({ accumulator: 'parameter' }),
  step: ({ fixed, lr }) => ({
    update: ({ parameter, gradient, slot }) => {
      const accumulator = add(slot.accumulator, square(gradient))
      const step = div(mul(lr, gradient), add(sqrt(accumulator), fixed.epsilon))
      return { parameter: sub(parameter, step), slots: { accumulator } }
    },
  }),
})

export const adadelta = defineOptimizer({
  className: 'Adadelta',
  doc: 'a = rho a + (1 - rho) g^2; u = g sqrt(d + epsilon) / sqrt(a + epsilon); p = p - lr u; d = rho d + (1 - rho) u^2',
  source,
  // Keras keeps this rho as a plain number, not as a variable.
  scalars: { lr: 1, decay: 0 },
  fixed: { rho: 0.95 as number, epsilon: EPSILON as number },
  config: ['lr', 'rho', 'decay', 'epsilon'],
  states: [],
  slots: () => ({ accumulator: 'parameter', delta_accumulator: 'parameter' }),
  step: ({ fixed, lr }) => ({
    update: ({ parameter, gradient, slot }) => {
      const accumulator = blend(fixed.rho, slot.accumulator, square(gradient))
      const scale = div(sqrt(add(slot.delta_accumulator, fixed.epsilon)), sqrt(add(accumulator, fixed.epsilon)))
      const step = mul(gradient, scale)
      const delta = blend(fixed.rho, slot.delta_accumulator, square(step))
      return { parameter: sub(parameter, mul(lr, step)), slots: { accumulator, delta_accumulator: delta } }
    },
  }),
})

/** 1 - rate^t */
const correction = (rate: Node, t: Node): Node => sub(1, pow(rate, t))

export const adam = defineOptimizer({
  className: 'Adam',
  doc: 'm = beta_1 m + (1 - beta_1) g; v = beta_2 v + (1 - beta_2) g^2; p = p - lr sqrt(1 - beta_2^t) / (1 - beta_1^t) m / (sqrt(v) + epsilon); AMSGrad divides by the largest v so far',
  source,
  scalars: { lr: 0.001, beta_1: 0.9, beta_2: 0.999, decay: 0 },
  fixed: { epsilon: EPSILON as number, amsgrad: false as boolean },
  config: ['lr', 'beta_1', 'beta_2', 'decay', 'epsilon', 'amsgrad'],
  states: [],
  // Without AMSGrad, Keras still keeps a vhat of one element for each parameter, and never changes it.
  slots: ({ amsgrad }: { readonly amsgrad: boolean }) => ({ m: 'parameter', v: 'parameter', vhat: amsgrad ? 'parameter' : [1] }),
  step: ({ scalar, fixed, lr, t }) => {
    const rate = mul(lr, div(sqrt(correction(scalar.beta_2, t)), correction(scalar.beta_1, t)))
    return {
      update: ({ parameter, gradient, slot }) => {
        const m = blend(scalar.beta_1, slot.m, gradient)
        const v = blend(scalar.beta_2, slot.v, square(gradient))
        const vhat = fixed.amsgrad ? maximum(slot.vhat, v) : null
        const step = div(mul(rate, m), add(sqrt(vhat ?? v), fixed.epsilon))
        return { parameter: sub(parameter, step), slots: { m, v, ...(vhat ? { vhat } : {}) } }
      },
    }
  },
})

export const adamax = defineOptimizer({
  className: 'Adamax',
  doc: 'm = beta_1 m + (1 - beta_1) g; u = max(beta_2 u, |g|); p = p - lr / (1 - beta_1^t) m / (u + epsilon)',
  source,
  scalars: { lr: 0.002, beta_1: 0.9, beta_2: 0.999, decay: 0 },
  fixed: { epsilon: EPSILON as number },
  config: ['lr', 'beta_1', 'beta_2', 'decay', 'epsilon'],
  states: [],
  slots: () => ({ m: 'parameter', u: 'parameter' }),
  step: ({ scalar, fixed, lr, t }) => {
    const rate = div(lr, correction(scalar.beta_1, t))
    return {
      update: ({ parameter, gradient, slot }) => {
        const m = blend(scalar.beta_1, slot.m, gradient)
        const u = maximum(mul(scalar.beta_2, slot.u), abs(gradient))
        return { parameter: sub(parameter, div(mul(rate, m), add(u, fixed.epsilon))), slots: { m, u } }
      },
    }
  },
})

export const nadam = defineOptimizer({
  className: 'Nadam',
  doc: 'Adam with Nesterov momentum whose factor follows beta_1 (1 - 0.96^(t schedule_decay) / 2)',
  source,
  scalars: { lr: 0.002, beta_1: 0.9, beta_2: 0.999 },
  fixed: { epsilon: EPSILON as number, schedule_decay: 0.004 as number },
  config: ['lr', 'beta_1', 'beta_2', 'epsilon', 'schedule_decay'],
  states: ['m_schedule'],
  slots: () => ({ m: 'parameter', v: 'parameter' }),
  step: ({ scalar, fixed, lr, t, state }) => {
    const momentumAt = (step: Node): Node => mul(scalar.beta_1, sub(1, mul(0.5, pow(0.96, mul(step, fixed.schedule_decay)))))
    const [now, next] = [momentumAt(t), momentumAt(add(t, 1))]
    // Variables start at 0, Keras' schedule at 1.
    const schedule = mul(select(equal(t, 1), 1, state('m_schedule')), now)
    const upcoming = mul(schedule, next)
    return {
      state: { m_schedule: schedule },
      update: ({ parameter, gradient, slot }) => {
        const m = blend(scalar.beta_1, slot.m, gradient)
        const v = blend(scalar.beta_2, slot.v, square(gradient))
        const fresh = mul(sub(1, now), div(gradient, sub(1, schedule)))
        const ahead = add(fresh, mul(next, div(m, sub(1, upcoming))))
        const size = add(sqrt(div(v, correction(scalar.beta_2, t))), fixed.epsilon)
        return { parameter: sub(parameter, div(mul(lr, ahead), size)), slots: { m, v } }
      },
    }
  },
})
