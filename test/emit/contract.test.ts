import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { contractWorkspace } from '../../compiler/emit/contract-workspace.js'
import { dimText, evaluateDim, symbol } from '../../compiler/ir/dim.js'
import { inPackage } from '../../compiler/support/paths.js'
import { contractProgram } from './contract-program.js'

type Size = readonly [number, number, number]

/** Every kind of edge: nothing, one, around a vector and a tile, several panels, sums in parts, packed operands. */
function sizes(): Size[] {
  const edges = [0, 1, 2, 3, 5, 13, 14, 15, 16, 17, 31, 32, 33, 64, 100, 129]
  const around = edges.flatMap((a): Size[] => [[a, 33, 17], [14, a, 31], [7, 65, a], [a, 10, 64], [a, a, a], [1, a, 40], [a, 1, 5]])
  const large: Size[] = [[128, 512, 128], [100, 300, 300], [5, 70, 3000], [200, 100, 2600], [200, 600, 520], [3, 1100, 70], [98, 130, 1537],
    [3, 128, 100], [4, 192, 17], [1, 320, 33], [20, 128, 128], [70, 100, 192], [2, 9, 128], [130, 640, 256], [13, 64, 1600], [300, 100, 2100]]
  return [...around, ...large]
}

const levels = [
  { level: 'x86-64-v2', flags: ['sse4_2'] },
  { level: 'x86-64-v3', flags: ['avx2', 'fma'] },
  { level: 'x86-64-v4', flags: ['avx512f', 'avx512bw', 'avx512dq', 'avx512vl'] },
]

const compiler = spawnSync('g++', ['--version']).status === 0
const cpu = compiler ? new Set(/^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]?.trim().split(/\s+/) ?? []) : new Set<string>()
if (!compiler) console.warn('emitted contractions are not run: there is no g++')

describe.skipIf(!compiler)('emitted contractions', () => {
  let folder = ''
  beforeAll(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'kcc-contract-'))
    writeFileSync(path.join(folder, 'program.cc'), contractProgram(sizes()))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  function runProgram(options: readonly string[], name: string, every = 1): string {
    const program = path.join(folder, name)
    const include = ['-I', inPackage('native', 'include'), '-I', inPackage('test', 'bench', 'native')]
    execFileSync('g++', ['-std=c++17', '-pthread', ...options, ...include, path.join(folder, 'program.cc'), '-o', program], { stdio: ['ignore', 'pipe', 'pipe'] })
    const run = spawnSync(program, [String(every)], { encoding: 'utf8' })
    return run.status === 0 ? run.stdout.trim() : `status ${run.status}\n${run.stdout}${run.stderr}`
  }

  for (const { level, flags } of levels) {
    const missing = flags.filter((f) => !cpu.has(f))
    if (missing.length > 0) console.warn(`${level} is not run: this CPU has no ${missing.join(', ')}`)
    it.skipIf(missing.length > 0)(`agree with a plain loop on ${level}, for any threads and any other rows`, { timeout: 300_000 }, () => {
      expect(runProgram(['-O2', `-march=${level}`], level)).toMatch(/ checked, 0 failures$/)
    })
  }

  it('stay inside their buffers', { timeout: 300_000 }, () => {
    expect(runProgram(['-O1', '-march=native', '-fsanitize=address,undefined', '-fno-sanitize-recover=undefined'], 'sanitized', 3)).toMatch(/ checked, 0 failures$/)
  })
})

describe('the workspace of a contraction', () => {
  it('is an expression over the symbols', () => {
    const bytes = contractWorkspace({ m: symbol('B'), n: 512, k: 784, totals: false, squares: null }, { lhs: false, rhs: false })
    expect(dimText(bytes)).toContain('B')
    expect(evaluateDim(bytes, { B: 128 })).toBeGreaterThanOrEqual(512 * 784 * 4)
  })
})
