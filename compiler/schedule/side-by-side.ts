/**
 * Kernels that do not wait for each other as one, whose statements a GPU starts at once: starting a kernel takes as long as a
 * small one runs. Blocks of the one launch are shared out to the statements, each of which stays what it was.
 *
 *     kernel "loss_sum" (in0: f32[B] read, out0: f32[] write) launch teams of 32 { … }
 *     kernel "accuracy_sum" (in0: f32[B] read, out0: f32[] write) launch teams of 32 { … }
 *   →
 *     kernel "loss_sum" (in0: f32[B] read, out0: f32[] write, s1_in0: …, s1_out0: …) launch teams of 32 beside teams of 32 { … }
 */
import type { KernelProgram } from '../ir/loop.js'
import { renamed } from './rename.js'

/** Statements of one launch: their arguments are passed with it, and a GPU takes 4 KB of them. */
export const mostBeside = 16

/** Can it be started with others? Lists and scratch memory are made before loops run, and products have launches of their own. */
export const isSimple = ({ launches, chains, scratch }: KernelProgram): boolean =>
  launches.length > 0 && chains.length === 0 && scratch.length === 0 && launches.every((launch) => launch.kind === 'teams')

/** The names of the kernel's buffers and locals get this before them. */
export type Joined = { readonly program: KernelProgram; readonly prefix: string }

/** `other` beside the statements of `kernel`. */
export function sideBySide(kernel: KernelProgram, other: KernelProgram): Joined {
  const prefix = `s${kernel.body.length}_`, name = (known: string): string => prefix + known
  return {
    prefix,
    program: {
      ...kernel, isAtOnce: true,
      buffers: [...kernel.buffers, ...other.buffers.map((b) => ({ ...b, name: name(b.name) }))],
      reads: [...kernel.reads, ...other.reads.map(name)], writes: [...kernel.writes, ...other.writes.map(name)],
      body: [...kernel.body, ...renamed(other.body, { buffer: name, local: name })], launches: [...kernel.launches, ...other.launches],
    },
  }
}
