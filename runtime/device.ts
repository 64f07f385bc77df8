/** Where a model runs: its file may hold code for GPUs beside that for CPUs, and the machine may have one. */
import { RuntimeError } from './contract/errors.js'
import type { NativeAddon, NativeModule } from './contract/native.js'

/**
 * `auto`: the first GPU where the package has code for it and the machine one that runs it, else the CPU. `cpu`, or a GPU by its
 * number such as `cuda:0`, take that or fail.
 */
export type DeviceChoice = 'auto' | 'cpu' | `cuda:${number}`

/** `cpu` or `cuda:0`, and why it was taken. `libraries`, on a GPU: whether its vendor's libraries are to compute products, and why (`tuned.ts`). */
export type Device = { readonly name: string; readonly reason: string; readonly libraries?: string }

export type Opened = { readonly native: NativeModule; readonly device: Device }

/** @throws RuntimeError when the device asked for is not there or cannot run the file. */
export function openOn(addon: NativeAddon, module: string, choice: DeviceChoice = 'auto'): Opened {
  checkChoice(choice)
  if (choice !== 'auto') return { native: openAsked(addon, module, choice), device: { name: choice, reason: 'it was asked for' } }
  const { count, why } = addon.gpus()
  return count > 0 ? openGpu(addon, module) : openCpu(addon, module, why ?? 'there is no GPU')
}

function checkChoice(choice: string): void {
  if (choice === 'auto' || choice === 'cpu' || /^cuda:\d+$/.test(choice)) return
  throw new RuntimeError(`There is no device '${choice}'. Expected 'auto', 'cpu' or a GPU such as 'cuda:0'.`)
}

function openAsked(addon: NativeAddon, module: string, name: string): NativeModule {
  try {
    return addon.open(module, name)
  } catch (error) {
    throw new RuntimeError(`The model cannot run on ${name}: ${(error as Error).message}`)
  }
}

/** A GPU that cannot run the file is no reason to fail where a CPU can. */
function openGpu(addon: NativeAddon, module: string): Opened {
  try {
    return { native: addon.open(module, 'cuda:0'), device: { name: 'cuda:0', reason: 'it is the first GPU of this machine' } }
  } catch (error) {
    return openCpu(addon, module, (error as Error).message)
  }
}

const openCpu = (addon: NativeAddon, module: string, reason: string): Opened => ({ native: addon.open(module, 'cpu'), device: { name: 'cpu', reason } })
