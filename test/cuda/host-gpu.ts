/** What is asked of the GPU that the host plays (native/cuda/host-api.cc), as lines in their order. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** @returns the lines that were added while `body` ran */
export async function traced(body: () => Promise<unknown>): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'kcc-trace-')), file = join(folder, 'trace')
  process.env['KCC_HOST_GPU_TRACE'] = file
  try {
    await body()
    return readFileSync(file, 'utf8').trimEnd().split('\n')
  } finally {
    delete process.env['KCC_HOST_GPU_TRACE']
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Streams are numbered as they are made: kernels, inputs, results of one model after another. Here they have those names. */
export function named(lines: readonly string[]): string[] {
  return lines.map((line) => line.replace(/(?<= (?:on|stream)) (\d+)$/, (_, n: string) => ` ${['kernels', 'inputs', 'results'][(Number(n) - 1) % 3]!}`))
}

/** Lines from the first graph to the last, both of which belong to it. */
export const steps = (lines: readonly string[]): string[] =>
  lines.slice(lines.findIndex((line) => line.startsWith('graph')), lines.findLastIndex((line) => line.startsWith('graph')) + 1)

export const count = (lines: readonly string[], pattern: RegExp): number => lines.filter((line) => pattern.test(line)).length

/** Bytes that were taken in these lines, less those that were given back. */
export const taken = (lines: readonly string[]): number =>
  lines.reduce((sum, line) => sum + Number(/^allocate (\d+)/.exec(line)?.[1] ?? 0) - Number(/^release (\d+)/.exec(line)?.[1] ?? 0), 0)
