/** A model as sources, manifest and weights; and each stage of the road as text. */
import type { ModuleManifest } from '../../runtime/contract/manifest.js'
import { encodeSafetensors, NDArray } from '../../runtime/index.js'
import type { Emitted, SourceFile } from '../emit/sources.js'
import { printModule } from '../ir/graph-text.js'
import type { ModuleSource } from '../nn/module-source.js'
import { moduleSource } from '../nn/module-source.js'
import type { PipelineOptions } from '../pipeline.js'
import { assemble, compileForBoth, compileSources, cpu, cuda, emit, planModule } from '../pipeline.js'
import type { CompileOptions } from './compile-options.js'
import { UsageError } from './exit-codes.js'
import { kernelsText, planText } from './inspect-text.js'
import type { LoadedModel } from './load-models.js'

const sourcesOf = ({ files, device }: Emitted): readonly SourceFile[] => [...files, ...device]

export type EmittedModel = { readonly emitted: Emitted; readonly manifest: ModuleManifest; readonly weights: Uint8Array }

export const pipelineOptions = (options: Pick<CompileOptions, 'fuse' | 'winograd' | 'specialize' | 'precision'>): PipelineOptions =>
  ({ fuse: options.fuse, winograd: options.winograd, precision: options.precision, specialize: options.specialize.map((size) => ({ B: size })) })

/** The module of a package is named like the package. */
export const sourceOf = (name: string, model: LoadedModel): ModuleSource => ({ ...moduleSource(model), name })

export function emitModel(name: string, model: LoadedModel, options: CompileOptions): EmittedModel {
  const compile = options.device === null ? compileSources : compileForBoth
  const emitted = compile([sourceOf(name, model)], pipelineOptions(options))
  const manifest = emitted.manifests[0]!
  return { emitted, manifest, weights: weightsFile(model, name) }
}

/** The model's weights, initial or trained, as a safetensors file. */
function weightsFile(model: LoadedModel, name: string): Uint8Array {
  const tensors = new Map(model.weights.map((w) => [w.name, new NDArray(w.value, w.shape, w.dtype)]))
  return Buffer.concat(encodeSafetensors(tensors, { format: 'kcc', model: name }))
}

/** Stages of `--stop-after`, in order. */
export const stages = ['trace', 'graph', 'kernels', 'plan', 'emit'] as const
export type Stage = (typeof stages)[number]

/** What a stage makes of a model. @throws UsageError for a name that is no stage. */
export function stageText(name: string, model: LoadedModel, options: CompileOptions, stage: string): string {
  const known = stages.find((s) => s === stage)
  if (known === undefined) throw new UsageError(`Unknown stage "${stage}". Expected one of: ${stages.join(', ')}`)
  return textOf(known, sourceOf(name, model), { ...pipelineOptions(options), target: options.device === null ? cpu : cuda })
}

function textOf(stage: Stage, source: ModuleSource, options: PipelineOptions): string {
  if (stage === 'trace') return printModule(assemble(source))
  const planned = planModule(assemble(source), source.model, options)
  switch (stage) {
    case 'graph': return printModule(planned.module)
    case 'kernels': return kernelsText(planned)
    case 'plan': return planText(planned)
    case 'emit': return sourcesOf(emit([planned], options)).map((file) => `// ${file.name}\n${file.text}\n`).join('\n')
  }
}
