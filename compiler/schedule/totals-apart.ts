/**
 * The totals of a contraction as a statement of its own, after it: tiles of a GPU's blocks see a column of the right operand in
 * pieces, and other blocks see the same pieces.
 *
 *     contract d0 < 512; d1 < 10; k0 < B as sums {           contract d0 < 512; d1 < 10; k0 < B as sums { … }
 *       …                                                    for d1 < 10 {
 *       totals as total { store out1[d1] = total }      →      reduce total: f32 = sum over k0 < B { value in1[10*k0 + d1] }
 *     }                                                        store out1[d1] = total
 */
import type { Contract, KernelProgram, Stmt, Totals } from '../ir/loop.js'

export const totalsApart = (kernel: KernelProgram): KernelProgram => ({
  ...kernel, body: kernel.body.flatMap((s) => (s.kind === 'contract' && s.totals ? [{ ...s, totals: null }, ofColumns(s, s.totals)] : [s])),
})

function ofColumns({ n, k, rhs, from }: Contract, { accumulator, epilogue }: Totals): Stmt {
  const sum: Stmt = { kind: 'reduce', results: [{ name: accumulator, op: 'sum', dtype: 'float32', value: rhs }], axes: k, modes: k.map(() => 'serial'), body: [], from }
  return n.reduceRight<readonly Stmt[]>((inner, axis) => [{ kind: 'for', axis, mode: 'serial', body: inner }], [sum, ...epilogue])[0]!
}
