/** On random graphs, all passes in a row keep every value, and each leaves a module that verifies and reads back. */
import { expect, test } from 'vitest'
import { parseModule } from '../../compiler/ir/graph-parse.js'
import { printModule } from '../../compiler/ir/graph-text.js'
import type { Module } from '../../compiler/ir/graph.js'
import { verifyModule } from '../../compiler/ir/verify.js'
import { interpret } from '../../compiler/ops/interpret.js'
import { inferType } from '../../compiler/ops/type-rules.js'
import { eliminateDead } from '../../compiler/passes/eliminate-dead.js'
import { graphPasses } from '../../compiler/pipeline.js'
import { randomModule } from '../ops/random-graph.js'
import { errorInUlp } from '../ops/values.js'

const count = 400

test(`${count} random modules: same values after every pass`, () => {
  for (let seed = 0; seed < count; seed++) {
    const { module, ...run } = randomModule(seed)
    verifyModule(module, inferType)
    const expected = module.functions.map((f) => interpret(f, { ...run, precision: 'f64', seed, step: 1 }).outputs)
    let after: Module = module
    for (const { run: pass } of graphPasses) {
      after = { ...after, functions: after.functions.map(pass) }
      verifyModule(after, inferType)
      after.functions.forEach((f, i) => {
        const actual = interpret(f, { ...run, precision: 'f64', seed, step: 1 }).outputs
        for (const [name, { data }] of Object.entries(expected[i]!)) expect(errorInUlp(actual[name]!.data, data), `seed ${seed}, ${f.name}.${name}`).toBeLessThan(0.5)
      })
    }
    const text = printModule(eliminateDead(after))
    expect(printModule(parseModule(text))).toBe(text)
  }
})
