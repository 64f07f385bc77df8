/** Sources for CPUs and for GPUs in one file. */
import type { ModuleManifest } from '../../runtime/contract/manifest.js'
import type { Emitted } from './sources.js'

/** The same functions for both, described by the manifests of the first, with what those of the second need. */
export const withDevice = (host: Emitted, { device, manifests }: Emitted): Emitted =>
  ({ ...host, device, manifests: host.manifests.map((manifest, i) => withGpuBytes(manifest, manifests[i]!)) })

const withGpuBytes = (manifest: ModuleManifest, gpu: ModuleManifest): ModuleManifest =>
  ({ ...manifest, functions: manifest.functions.map((fn, i) => ({ ...fn, gpuArenaBytes: gpu.functions[i]!.arenaBytes })) })
