/** Lines of JSON between the benchmark and its peers: what `peers/peer.py` speaks, for peers in Node. */
import { createInterface } from 'node:readline'
import type { Task, Workload } from './workloads.js'

export type Request =
  | { readonly command: 'hello' }
  | { readonly command: 'check'; readonly workload: Workload; readonly steps: number; readonly samples: number }
  | { readonly command: 'prepare' } & Task
  | { readonly command: 'choose'; readonly seconds: number } & Task
  | { readonly command: 'run'; readonly seconds: number } & Task
  | { readonly command: 'memory' } & Task
  | { readonly command: 'release' }
  | { readonly command: 'limits' }
  | { readonly command: 'gaps' } & Task

export type Hello = { readonly version: string }
export type Prepared = { readonly ways: readonly string[]; readonly failures: readonly string[] }
/** Losses of steps without dropout, null of a peer that does not train; predictions of the first samples in Keras' order. */
export type CheckAnswer = { readonly losses: readonly number[] | null; readonly outputs: readonly number[] }
/** Seconds of one step or call, and how many of them the time was measured over. */
export type Timing = { readonly seconds: number; readonly count: number }
/** What a process takes more at its peak, while it trains, than before the network was made. */
export type MemoryAnswer = { readonly bytes: number }
/** Nanoseconds of each step on a GPU, and from the end of the one before to its beginning. */
export type GapsAnswer = { readonly steps: readonly number[]; readonly between: readonly number[] }
/** The machine's measured limits with the threads of the peer: operations per second, in the precision that products are measured in, and bytes. */
export type Limits = { readonly flops: number; readonly bandwidth: number; readonly tensorFlops?: number }

export type Answer = { readonly id: number; readonly result?: unknown; readonly error?: string }

/** Runs `body`, which does `count` things, for about `seconds`. Counts are doubled until the clock tells them apart. */
export async function timeOf(seconds: number, body: (count: number) => void | Promise<void>): Promise<Timing> {
  await body(1)
  let count = 1, passed = 0
  for (;;) {
    passed = await secondsOf(body, count)
    if (passed > Math.min(0.02, seconds / 4)) break
    count *= 2
  }
  if (passed >= seconds / 2) return { seconds: passed / count, count }
  const wanted = Math.max(1, Math.floor((seconds * count) / passed))
  return { seconds: (await secondsOf(body, wanted)) / wanted, count: wanted }
}

async function secondsOf(body: (count: number) => void | Promise<void>, count: number): Promise<number> {
  const started = performance.now()
  await body(count)
  return (performance.now() - started) / 1000
}

/** Answers requests on standard input until it ends. */
export async function servePeer(answer: (request: Request) => unknown): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line) as Request & { readonly id: number }
    const reply = await Promise.resolve().then(() => answer(request)).then(
      (result): Answer => ({ id: request.id, result }),
      (error: unknown): Answer => ({ id: request.id, error: error instanceof Error ? error.message : String(error) }))
    process.stdout.write(`${JSON.stringify(reply)}\n`)
  }
}
