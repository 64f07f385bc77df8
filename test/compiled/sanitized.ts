/** Calls of functions built with AddressSanitizer and UndefinedBehaviorSanitizer, in a process that has them preloaded. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deserialize, serialize } from 'node:v8'
import type { TypedArray } from '../../runtime/contract/dtype.js'
import type { DeviceBuild } from '../../compiler/build/cuda.js'
import { buildNative } from '../../compiler/build/native.js'
import { findToolchain } from '../../compiler/build/toolchain.js'
import type { Callable, CallRequest, CallValues, PlannedTasks } from './native-functions.js'
import { requestOf } from './native-functions.js'

/** The sanitizers' runtime library, or null when the compiler has none. */
export function sanitizerLibrary(): string | null {
  const path = execFileSync(findToolchain().cxx, ['-print-file-name=libasan.so'], { encoding: 'utf8' }).trim()
  return path.startsWith('/') ? path : null
}

/** Builds with sanitizers; loading the file needs their library. */
export async function buildSanitized(planned: PlannedTasks, flags: readonly string[] = [], device: DeviceBuild | null = null): Promise<string> {
  process.env['KCC_SANITIZE'] = '1'
  try {
    return (await buildNative(planned.emitted, { flags: ['-O1', ...flags], device })).file
  } finally {
    delete process.env['KCC_SANITIZE']
  }
}

export type SanitizedRun = { readonly status: number | null; readonly report: string; readonly results: Callable }

/** Runs all calls in one process. `report` is what the sanitizers printed. */
export function runSanitized(file: string, library: string, planned: PlannedTasks, calls: readonly { readonly task: string; readonly values: CallValues }[]): SanitizedRun {
  const folder = mkdtempSync(join(tmpdir(), 'kcc-sanitized-'))
  try {
    const requests: CallRequest[] = calls.map(({ task, values }) => requestOf(planned.emitted.manifests, task, values))
    writeFileSync(join(folder, 'requests'), serialize(requests))
    const script = new URL('run-requests.mjs', import.meta.url).pathname
    const child = spawnSync(process.execPath, [script, file, join(folder, 'requests'), join(folder, 'results')], {
      encoding: 'utf8', maxBuffer: 1 << 26,
      env: { ...process.env, LD_PRELOAD: library, KCC_POISON: '1', KCC_THREADS: '2', ASAN_OPTIONS: 'detect_leaks=0', UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=0' },
    })
    const arrays = child.status === 0 ? (deserialize(readFileSync(join(folder, 'results'))) as TypedArray[][]) : []
    return { status: child.status, report: child.stderr, results: { call: answers(requests, calls, arrays) } }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const keyOf = (task: string, { seed, dims }: CallValues): string => JSON.stringify([task, seed, dims ?? {}])

function answers(requests: readonly CallRequest[], calls: readonly { readonly task: string; readonly values: CallValues }[], arrays: readonly (readonly TypedArray[])[]): Callable['call'] {
  const found = new Map(calls.map(({ task, values }, i) => [keyOf(task, values), { names: requests[i]!.names, arrays: arrays[i] ?? [] }]))
  return (task, values) => {
    const { names, arrays: own } = found.get(keyOf(task, values))!
    return Object.fromEntries(names.map((name, i) => [name, own[i]!]))
  }
}
