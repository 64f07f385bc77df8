/** `kcc inspect model.ts`: the graph, the fused kernels, the memory plan and the generated code; what fusion did, measured. */
import type { CompileFlags } from '../compile-options.js'
import { compileOptionsOf } from '../compile-options.js'
import { emitModel, stageText } from '../emit-model.js'
import { fusionReport, fusionText } from '../fusion-report.js'
import type { LoadedModel } from '../load-models.js'
import { loadModels } from '../load-models.js'
import { printResult } from '../report.js'

export type Part = 'all' | 'summary' | 'graph' | 'kernels' | 'plan' | 'code'
export type InspectOptions = CompileFlags & { readonly check: boolean; readonly json: boolean; readonly show: Part; readonly fusion: boolean; readonly batchSize: number }

const parts: readonly Exclude<Part, 'all'>[] = ['summary', 'graph', 'kernels', 'plan', 'code']

export async function inspect(file: string, options: InspectOptions): Promise<void> {
  const { models } = await loadModels(file, { check: options.check })
  for (const { name, model } of models) {
    if (options.fusion) {
      const report = await fusionReport(name, model, compileOptionsOf(options), options.batchSize)
      printResult({ text: fusionText(report), json: report }, options.json)
      continue
    }
    process.stdout.write(options.json ? jsonText(name, model, options) : partsText(name, model, options))
  }
}

function partsText(name: string, model: LoadedModel, options: InspectOptions): string {
  const shown = parts.filter((part) => options.show === 'all' || options.show === part)
  const title = (part: string): string => (shown.length > 1 ? `── ${name}: ${part} ${'─'.repeat(Math.max(3, 70 - name.length - part.length))}\n` : '')
  return shown.map((part) => `${title(part)}${partText(part, name, model, options)}`).join('\n')
}

function partText(part: Exclude<Part, 'all'>, name: string, model: LoadedModel, options: InspectOptions): string {
  const stage = (which: string): string => stageText(name, model, compileOptionsOf(options), which)
  switch (part) {
    case 'summary': return summaryText(model)
    case 'graph': return stage('graph')
    case 'kernels': return stage('kernels')
    case 'plan': return stage('plan')
    case 'code': return stage('emit')
  }
}

function summaryText(model: LoadedModel): string {
  const lines: string[] = []
  model.summary({ printFn: (line) => { lines.push(line) } })
  return `${lines.join('\n')}\n`
}

/** The manifest, and the parts as texts. */
function jsonText(name: string, model: LoadedModel, options: InspectOptions): string {
  const texts = Object.fromEntries(parts.map((part) => [part, partText(part, name, model, options)]))
  const { manifest } = emitModel(name, model, compileOptionsOf(options))
  return `${JSON.stringify({ name, manifest, ...texts }, null, 2)}\n`
}
