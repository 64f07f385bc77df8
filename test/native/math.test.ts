/** The vector library (native/include/kcc) against libm and against its scalar twins, at every CPU level this machine runs. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'

type Report = {
  readonly width: number
  readonly operations: number
  readonly memory: number
  readonly random: number
  readonly functions: Readonly<Record<string, { readonly ulp: number; readonly x: string; readonly y: string; readonly count: number; readonly differ: number }>>
}

/** Largest error in ulp, as stated in math.h and pow.h. */
const bounds: Readonly<Record<string, number>> = {
  exp: 1.1, expm1: 1.6, log: 0.9, log1p: 1.6, tanh: 1.6, sigmoid: 2.5, pow: 0.51, div_nr: 0.6, sqrt_nr: 0.6,
}

/** Levels and a CPU flag each needs. */
const levels: readonly { readonly march: string; readonly flag: string; readonly width: number }[] = [
  { march: 'x86-64-v2', flag: 'sse4_1', width: 4 },
  { march: 'x86-64-v3', flag: 'avx2', width: 8 },
  { march: 'x86-64-v4', flag: 'avx512bw', width: 16 },
]
const flags = readFileSync('/proc/cpuinfo', 'utf8')
/** Every n-th float32; KCC_MATH_STRIDE=1 tests all of them (about 20 minutes for each level). */
const stride = process.env['KCC_MATH_STRIDE'] ?? '4099'

const folder = mkdtempSync(join(tmpdir(), 'kcc-math-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** As generated code is compiled. */
const generated = ['-std=c++17', '-O2', '-ffp-contract=fast', '-fno-math-errno', '-fno-trapping-math', '-fno-exceptions', '-fno-rtti']

function report(march: string): Report {
  const program = join(folder, march)
  execFileSync('g++', [...generated, '-Wall', '-Wextra', '-Werror', `-march=${march}`, '-I', 'native/include', 'test/native/math-test.cc', '-o', program])
  return JSON.parse(execFileSync(program, [stride], { encoding: 'utf8' })) as Report
}

describe.each(levels)('vector library for $march', ({ march, flag, width }) => {
  const runs = flags.includes(` ${flag} `)
  if (!runs) console.log(`skipped: the vector library for ${march}, because this CPU has no ${flag}`)
  it.skipIf(!runs)('keeps its bounds, and lanes agree with scalar twins', { timeout: 3_600_000 }, () => {
    const result = report(march)
    expect(result.width).toBe(width)
    expect({ operations: result.operations, memory: result.memory, random: result.random }).toEqual({ operations: 0, memory: 0, random: 0 })
    expect(Object.keys(result.functions).sort()).toEqual(Object.keys(bounds).sort())
    for (const [name, { ulp, x, y, count, differ }] of Object.entries(result.functions)) {
      expect(count, name).toBeGreaterThan(1000)
      expect(differ, `${name}: lanes that differ from the scalar twin`).toBe(0)
      expect(ulp, `${name}(${x}, ${y})`).toBeLessThanOrEqual(bounds[name]!)
    }
  })
})
