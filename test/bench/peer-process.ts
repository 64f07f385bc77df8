/** A peer in a process of its own. Between requests it waits on its input, so that rounds of peers can alternate. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Answer, Request } from './protocol.js'

export type PeerSpec = {
  /** Name in the table; the same for both thread settings. */
  readonly name: string
  readonly threads: number
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** What it can be measured on. */
  readonly trains: boolean
  readonly predicts: boolean
  /** Whether it writes models beside the data that others read. */
  readonly writesModels: boolean
  /** Whether it is kcc with one kernel for each op, which only some workloads have. */
  readonly unfused: boolean
}

/** A peer that does not answer, or answered with an error. The text says why. */
export class PeerError extends Error {}

type Waiting = { readonly resolve: (answer: Answer) => void; readonly reject: (error: Error) => void }

export class PeerProcess {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, Waiting>()
  #next = 0
  #stderr = ''
  #ended: string | null = null

  constructor(readonly spec: PeerSpec) {
    this.#child = spawn(spec.command, spec.args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...spec.env } })
    this.#child.on('error', (error) => this.#end(error.message))
    this.#child.on('close', (code, signal) => this.#end(`it ended with ${signal ?? `code ${code}`}${this.#lastWords()}`))
    this.#child.stdin!.on('error', () => undefined)
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => { this.#stderr = (this.#stderr + text).slice(-4000) })
    createInterface({ input: this.#child.stdout! }).on('line', (line) => this.#receive(line))
  }

  get ended(): boolean { return this.#ended !== null }

  #lastWords(): string {
    const last = this.#stderr.trim().split('\n').at(-1) ?? ''
    return last === '' ? '' : `: ${last.slice(0, 200)}`
  }

  #end(reason: string): void {
    this.#ended ??= reason
    for (const { reject } of this.#waiting.values()) reject(new PeerError(this.#ended))
    this.#waiting.clear()
  }

  #receive(line: string): void {
    if (!line.startsWith('{')) return
    const answer = JSON.parse(line) as Answer
    this.#waiting.get(answer.id)?.resolve(answer)
    this.#waiting.delete(answer.id)
  }

  /** @throws PeerError when it fails, ends, or takes longer than `timeoutSeconds`; in the last case it is ended. */
  async ask<Result>(request: Request, timeoutSeconds: number): Promise<Result> {
    if (this.#ended !== null) throw new PeerError(this.#ended)
    const id = this.#next++
    const timer = setTimeout(() => this.close(`no answer to ${request.command} in ${timeoutSeconds.toFixed(0)} s`), timeoutSeconds * 1000)
    try {
      const answer = await new Promise<Answer>((resolve, reject) => {
        this.#waiting.set(id, { resolve, reject })
        this.#child.stdin!.write(`${JSON.stringify({ id, ...request })}\n`)
      })
      if (answer.error !== undefined) throw new PeerError(answer.error)
      return answer.result as Result
    } finally {
      clearTimeout(timer)
    }
  }

  close(reason = 'closed'): void {
    this.#end(reason)
    this.#child.kill('SIGKILL')
  }
}
