/** What the emit room hands to the build room: sources of one native file and a manifest for each of its modules. */
import type { ModuleManifest } from '../../runtime/contract/manifest.js'

/** One translation unit. `perLevel` units are compiled once for each CPU level. */
export type SourceFile = {
  readonly name: string
  readonly text: string
  readonly perLevel: boolean
  /** Written in vectors and registers already, so that the first level of optimisation gives the same speed in half the time. */
  readonly explicit?: boolean
}

export type Emitted = {
  readonly files: readonly SourceFile[]
  /** The same functions for GPUs; empty without such a target. */
  readonly device: readonly SourceFile[]
  readonly manifests: readonly ModuleManifest[]
}
