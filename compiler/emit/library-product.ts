/** A contraction as the libraries of a GPU's vendor are asked for it: the matrices that its loads and stores are. */
import type { Dim } from '../ir/dim.js'
import type { ElementType } from '../ir/element-type.js'
import { axisIndex, linearIndex, loadExpr } from '../ir/expr.js'
import { nowhere } from '../ir/graph.js'
import { extentOf, type Buffer, type Contract, type KernelProgram, type LibraryCall, type OperandName, type Stmt } from '../ir/loop.js'
import { matrixOf, roundedFrom, siteOf, type Matrix, type Site } from '../schedule/as-matrix.js'
import { takesNeighbours } from '../schedule/by-neighbours.js'
import { cDim } from './c-dim.js'
import { storedType } from './c-expr.js'
import { bufferIn } from './contract-kernel.js'
import { teamsView } from './device-teams.js'
import type { CopyView, ProductView } from './views.js'

/** Of operands as they are multiplied, and of results. */
const formats: Partial<Readonly<Record<ElementType, string>>> = { float32: 'kFloat32', tfloat32: 'kTFloat32', bfloat16: 'kBFloat16' }

export function productView(program: KernelProgram, contract: Contract, { rounded, into, end }: LibraryCall, name: string): ProductView {
  const { m, n, k, lhs, rhs } = contract, place = into === null ? null : resultOf(program, contract, into)
  const sites: Readonly<Record<OperandName, Site>> = { lhs: siteOf(lhs, m, k), rhs: siteOf(rhs, k, n) }
  const left = matrix(sites.lhs), right = matrix(sites.rhs), isRounded = (operand: OperandName): boolean => rounded.includes(operand)
  return {
    left: factorText(left, left.rowStride, left.columnStride, isRounded('lhs')), right: factorText(right, right.columnStride, right.rowStride, isRounded('rhs')),
    operands: formats[lhs.dtype]!, format: formats[place === null ? 'float32' : bufferIn(program)(into!).dtype]!,
    into: place === null ? 'nullptr' : pointer(place), stride: cDim(place?.rowStride ?? extentOf(n)),
    ended: end !== null, bias: end?.bias ? `args.${end.bias}` : 'nullptr', relu: end?.relu ?? false,
    copies: rounded.map((operand) => copyView(program, sites[operand], operand, name)),
  }
}

/** The buffer that takes the product, by rows. */
function resultOf(program: KernelProgram, { m, n, epilogue }: Contract, name: string): Matrix {
  const store = epilogue.find((s) => s.kind === 'store' && s.buffer === name)
  if (store?.kind !== 'store') throw new Error(`nothing is stored to ${name}`)
  return matrix(siteOf(loadExpr(bufferIn(program)(name).dtype, name, store.index), m, n))
}

const pointer = ({ load }: Matrix): string => `args.${load.buffer} + ${cDim(load.index.offset)}`
const factorText = (found: Matrix, line: Dim, term: Dim, isRounded: boolean): string => `${pointer(found)}, ${cDim(line)}, ${cDim(term)}, ${isRounded}`

/** Of an operand that is rounded, what it is rounded from. A schedule has seen that it is a matrix. */
function matrix(site: Site): Matrix {
  const found = matrixOf(roundedFrom(site) ?? site)
  if (found === null) throw new Error('a library was offered what is no matrix')
  return found
}

/** The rounded operand in the order in which it lies, without gaps. */
function copyView(program: KernelProgram, site: Site, operand: OperandName, name: string): CopyView {
  const [row, column] = [site.rows[0]!, site.columns[0]!], { rowStride, columnStride } = matrix(site)
  const [lines, terms] = operand === 'lhs' ? [row, column] : [column, row], isByTerms = (operand === 'lhs' ? columnStride : rowStride) === 1
  const [outer, inner] = isByTerms ? [lines, terms] : [terms, lines]
  const copy: Buffer = { name: 'copy', dtype: site.value.dtype, shape: [outer.extent, inner.extent] }
  const store: Stmt = { kind: 'store', buffer: copy.name, index: linearIndex([axisIndex(outer.name), axisIndex(inner.name)], copy.shape), value: site.value, from: nowhere }
  const loop: Stmt = { kind: 'for', axis: inner, mode: takesNeighbours([store], inner) ? 'grid by 4' : 'grid', body: [store] }
  const part = teamsView({ ...program, buffers: [...program.buffers, copy] }, { kind: 'for', axis: outer, mode: 'grid', body: [loop] }, { kind: 'teams', threads: 1, by: 'row' })
  return { kernel: `${name}_${operand}`, left: operand === 'lhs', type: storedType(copy.dtype), part }
}
