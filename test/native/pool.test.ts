/** The thread pool alone, plain and under the thread sanitizer. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'

const folder = mkdtempSync(join(tmpdir(), 'kcc-pool-'))
afterAll(() => rmSync(folder, { recursive: true }))

function pool(name: string, flags: readonly string[], rounds: number): { bad: number; forkJoinNs: number } {
  const program = join(folder, name)
  execFileSync('g++', ['-Wall', '-Wextra', '-Werror', ...flags, '-Inative/include', 'native/pool/pool.cc', 'test/native/pool-test.cc', '-o', program, '-lpthread'])
  return JSON.parse(execFileSync(program, [String(rounds)], { encoding: 'utf8' })) as { bad: number; forkJoinNs: number }
}

describe('pool', () => {
  it('runs every chunk once: nested, simultaneous, resized, after a fork', { timeout: 60_000 }, () => {
    const { bad, forkJoinNs } = pool('plain', ['-O2'], 1000)
    expect(bad).toBe(0)
    expect(forkJoinNs).toBeLessThan(100_000)
  })

  it('has no data race the thread sanitizer can see', { timeout: 120_000 }, () => {
    expect(pool('tsan', ['-O1', '-g', '-fsanitize=thread'], 200).bad).toBe(0)
  })
})
