/** Watches the passes: verifies, dumps numbered texts, times. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Module } from './ir/graph.js'
import { enabled, setting } from './support/env.js'

export class Observer {
  private count = 0
  private last = ''

  constructor(private readonly name: string, private readonly verify: (module: Module) => void, private readonly print: (module: Module) => string) {}

  start(module: Module, stage: string): Module {
    this.check(module)
    this.dump(stage, module)
    return module
  }

  step(pass: string, module: Module, run: (module: Module) => Module): Module {
    const result = timed(this.name, pass, () => run(module))
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

/** Runs a stage or pass of a module; `KCC_TIME=1` prints what it took. */
export function timed<T>(module: string, stage: string, run: () => T): T {
  const begun = performance.now()
  const result = run()
  if (enabled('KCC_TIME')) process.stderr.write(`kcc: ${module}: ${stage.padEnd(18)}${(performance.now() - begun).toFixed(1).padStart(9)} ms\n`)
  return result
}
