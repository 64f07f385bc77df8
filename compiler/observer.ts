/** Watches the passes: verifies, dumps numbered texts, times. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Module } from './ir/graph.js'
import { enabled, setting } from './support/env.js'

export class Observer {
  private count = 0
  private last = ''
  readonly times: { readonly name: string; readonly ms: number }[] = []

  constructor(private readonly name: string, private readonly verify: (module: Module) => void, private readonly print: (module: Module) => string) {}

  start(module: Module, stage: string): Module {
    this.check(module)
    this.dump(stage, module)
    return module
  }

  step(pass: string, module: Module, run: (module: Module) => Module): Module {
    const begun = performance.now()
    const result = run(module)
    this.times.push({ name: pass, ms: performance.now() - begun })
    this.check(result)
    this.dump(pass, result)
    return result
  }

  private check(module: Module): void {
    if (enabled('KCC_VERIFY')) this.verify(module)
  }

  /** `<dir>/<module>/03-eliminate-common.kir`; a pass that changed nothing writes nothing. */
  private dump(stage: string, module: Module): void {
    const folder = setting('KCC_DUMP')
    if (folder === undefined) return
    const text = this.print(module)
    const file = `${String(this.count++).padStart(2, '0')}-${stage}.kir`
    if (text === this.last) return
    this.last = text
    mkdirSync(join(folder, this.name), { recursive: true })
    writeFileSync(join(folder, this.name, file), text)
  }
}
