/** Where `kcc run`, `predict`, `evaluate`, `fit` and `tune` run models. */
import type { DeviceChoice } from '../../runtime/device.js'
import type { RunTarget } from '../engine.js'
import { deviceBuildOf, precisionOf, type DeviceFlags } from './compile-options.js'
import { UsageError } from './exit-codes.js'

export type RunFlags = DeviceFlags & { readonly device?: string }

/** `auto`, `cpu` or a GPU by its number. @throws UsageError for anything else */
export function deviceChoiceOf({ device = 'auto' }: RunFlags): DeviceChoice {
  if (device === 'auto' || device === 'cpu' || /^cuda:\d+$/.test(device)) return device as DeviceChoice
  throw new UsageError(`Unknown device "${device}". Expected auto, cpu, or a GPU such as cuda:0`)
}

/** Of models that are compiled now: a GPU by its number asks for code for it; null when no code for GPUs is wanted. */
export function runTargetOf(flags: RunFlags): RunTarget | null {
  const device = deviceChoiceOf(flags), wantsGpu = device.startsWith('cuda:')
  if (wantsGpu && flags.target === 'cpu') throw new UsageError(`--device ${device} needs --target cuda`)
  const meant = wantsGpu ? { ...flags, target: 'cuda' } : flags
  const build = deviceBuildOf(meant), precision = precisionOf(meant)
  return build === null ? null : { build, device, precision }
}
