/** The execution of kernels by the host: barriers and exchanges do what a GPU does, and every mistake it promises to find is found. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findToolchain } from '../../compiler/build/toolchain.js'
import { inPackage } from '../../compiler/support/paths.js'

const folder = mkdtempSync(join(tmpdir(), 'kcc-host-execution-'))
let lines: ReadonlyMap<string, string>

beforeAll(() => {
  const program = join(folder, 'program'), source = new URL('host-execution.cu', import.meta.url).pathname
  execFileSync(findToolchain().cxx, ['-std=c++17', '-O2', '-Wall', '-DKCC_LEVEL=cuda', '-I', inPackage('native', 'include'), '-Wno-unused-function', '-x', 'c++', source, '-o', program])
  lines = new Map(execFileSync(program, { encoding: 'utf8' }).trim().split('\n').map((line) => line.split(': ', 1).concat(line.slice(line.indexOf(': ') + 2).trim()) as [string, string]))
})
afterAll(() => rmSync(folder, { recursive: true }))

test.each([
  ['exchange', '63 62 61 60 59 58 57 56'],
  ['exchange in warps', '31 30 29 28 27 26 25 24'],
  ['warp sums', '4950 14950 24950 34950 44950 -1 -1 -1'],
  ['block sums', '499500 1499500 2499500 3499500 4499500 -1 -1 -1'],
  ['sums in turn', '499500 1499500 2499500 3499500 4499500 -1 -1 -1'],
  ['column sums', '4950 14950 24950 34950 44950 -1 -1 -1'],
  ['columns in turn', '4950 14950 24950 34950 44950 -1 -1 -1'],
  ["warp's largest", '0 30 60 90 99 -1 -1 -1'],
  ["block's largest", '0 30 60 90 99 -1 -1 -1'],
  ['chains', '0 0 0'],
])('%s', (name, values) => expect(lines.get(name)).toBe(values))

test.each([
  ['no barrier', /thread 1: shared memory is read that thread 0 writes, with no barrier between/],
  ["a warp's barrier", /thread \d+: shared memory is read that thread \d+ writes, with no barrier between/],
  ['no barrier before a write', /shared memory is (read|written) that thread \d+ (writes|reads), with no barrier between/],
  ['barrier of some', /threads wait at a barrier that others of the block do not reach/],
  ['lanes missing', /threads wait at a barrier that others of the block do not reach/],
  ['never written', /block 0, thread 0: shared memory is read that the block has not written/],
  ['outside', /thread 63: element 64 of 64 in shared memory/],
])('finds: %s', (name, failure) => expect(lines.get(name)).toMatch(failure))
