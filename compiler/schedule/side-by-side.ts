/**
 * Kernels that do not wait for each other as one, whose statements a GPU starts at once: starting a kernel takes as long as a
 * small one runs. Blocks of the one launch are shared out to the statements, each of which stays what it was.
 *
 *     kernel "loss_sum" (in0: f32[B] read, out0: f32[] write) launch teams of 32 { … }
 *     kernel "accuracy_sum" (in0: f32[B] read, out0: f32[] write) launch teams of 32 { … }
 *   →
 *     kernel "loss_sum" (in0: f32[B] read, out0: f32[] write, s1_in0: …, s1_out0: …) launch teams of 32 beside teams of 32 { … }
 */
import type { Expr, KernelProgram, Stmt } from '../ir/loop.js'
import { mapExpressions } from './walk.js'

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
      body: [...kernel.body, ...renamed(other.body, name)], launches: [...kernel.launches, ...other.launches],
    },
  }
}

/** The statements with other names for buffers and locals. */
const renamed = (body: readonly Stmt[], name: (known: string) => string): Stmt[] =>
  mapExpressions(body, (expr) => renamedExpr(expr, name)).map((s) => renamedTarget(s, name))

function renamedExpr(expr: Expr, name: (known: string) => string): Expr {
  if (expr.kind === 'load' || expr.kind === 'lookup') return { ...expr, buffer: name(expr.buffer) }
  return expr.kind === 'local' ? { ...expr, name: name(expr.name) } : expr
}

function renamedTarget(s: Stmt, name: (known: string) => string): Stmt {
  const body = (inside: readonly Stmt[]): Stmt[] => inside.map((inner) => renamedTarget(inner, name))
  switch (s.kind) {
    case 'for': return { ...s, body: body(s.body) }
    case 'let': return { ...s, name: name(s.name) }
    case 'store': return { ...s, buffer: name(s.buffer) }
    case 'reduce': return { ...s, body: body(s.body), results: s.results.map((r) => ({ ...r, name: name(r.name) })) }
    case 'argmax': return { ...s, name: name(s.name), body: body(s.body) }
    case 'follow': case 'contract': throw new Error(`a ${s.kind} has a launch of its own`)
  }
}
