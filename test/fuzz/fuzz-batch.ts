/** Many random functions in one native file, each checked in all its forms. */
import type { Precision } from '../../runtime/contract/manifest.js'
import type { DeviceBuild } from '../../compiler/build/cuda.js'
import { printGraph } from '../../compiler/ir/graph-text.js'
import type { Target } from '../../compiler/schedule/target.js'
import { compileTasks, emitTasks, type NativeFunctions } from '../compiled/native-functions.js'
import { checkFunction, type Tally } from './check-function.js'
import { checkPlan } from './check-plan.js'
import { fuzzCases, tasksOf, type FuzzCase } from './fuzz-cases.js'
import type { RandomFunction } from './random-function.js'

export type Ready = { readonly cases: readonly FuzzCase[]; readonly native: NativeFunctions; readonly batches?: readonly number[] }
/** Seeds `first`, `first + 1`, …: `size` of them. `prefix` begins the names of the modules; `batches` are sizes to call with. */
export type Batch = { readonly prefix: string; readonly first: number; readonly size: number; readonly random: (seed: number) => RandomFunction; readonly batches?: readonly number[]; readonly device?: Device; readonly precision?: Precision }
/** Another target than the CPU, and how its code is built. */
export type Device = { readonly target: Target; readonly build: DeviceBuild }

/** Plans and checks memory now, compiles in other processes. */
export async function prepare({ prefix, first, size, random, batches, device, precision }: Batch): Promise<Ready> {
  const cases = fuzzCases(first, size, random, precision)
  const planned = emitTasks(`${prefix}_${first}_${size}`, cases.flatMap(tasksOf), { kernelsPerUnit: 150, target: device?.target })
  for (const [name, plan] of planned.plans) checkPlan(name, plan)
  return { cases, ...(batches && { batches }), native: await compileTasks(planned, { flags: ['-O1'], device: device?.build }) }
}

export const emptyTally = (): Tally => ({ elements: 0, unknown: 0, worst: 0, worstFusion: 0 })

/** What is wrong, a line for each function that fails. With `print` their graphs are printed. */
export function failures({ cases, native, batches }: Ready, total: Tally, variable: string, print = false): string {
  return cases.flatMap((c) => {
    if (print) process.stdout.write(`${printGraph(c.optimized)}\n`)
    try {
      checkFunction(c, native, total, batches)
      return []
    } catch (error) {
      return [`${variable}=${c.seed}: ${error instanceof Error ? error.message : String(error)}`]
    }
  }).join('\n')
}

export const tallyText = (total: Tally): string =>
  `${total.elements} elements compared, ${total.unknown} without a bound; largest error ${total.worst.toFixed(2)} of the bound, between fused and unfused ${total.worstFusion.toFixed(2)}\n`
