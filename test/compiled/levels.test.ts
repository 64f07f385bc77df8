/**
 * The op cases on the other CPU levels: a sample of them, because each level compiles everything again. The sample is
 * every fifth case and all contractions, whose kernels differ most between levels.
 */
import { afterAll, describe, expect, test } from 'vitest'
import { parseLevels } from '../../compiler/build/levels.js'
import { skipBecause } from '../skip-because.js'
import { whereItRuns } from '../where-it-runs.js'
import { checkCase } from './op-check.js'
import { compileTasks, type NativeFunctions } from './native-functions.js'
import { compiledCases, emitCases } from './op-cases.js'

const levels = ['x86-64-v2', 'x86-64-v3', 'x86-64-v4'] as const
const cases = compiledCases().filter((c, i) => i % 5 === 0 || c.op.lowering.kind === 'contract')
const planned = emitCases('ops_sample', cases)
const open: NativeFunctions[] = []
afterAll(() => open.forEach((native) => native.close()))

async function compiledFor(level: string): Promise<NativeFunctions> {
  const native = await compileTasks(planned, { levels: parseLevels(level) })
  open.push(native)
  return native
}

describe.each(levels)('%s', (level) => {
  test(`${cases.length} cases, fused and unfused`, async ({ skip }) => {
    const native = await whereItRuns(() => compiledFor(level))
    if (native === null) return skipBecause(skip, `this CPU lacks ${level}`)
    expect(native.addon.level).toBe(level)
    process.stdout.write(`${level}: ${cases.length} of the op cases: ${cases.map((c) => c.name).join(' ')}\n`)
    for (const fuse of [true, false]) for (const c of cases) checkCase(native, c, fuse)
  })
})
