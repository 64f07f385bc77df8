/** A contraction as the libraries of a GPU's vendor are asked for it: the matrices and windows that its loads and stores are. */
import { addDims, multiplyDims, type Dim } from '../ir/dim.js'
import type { ElementType } from '../ir/element-type.js'
import { addIndex, axisIndex, castExpr, constIndex, linearIndex, loadExpr, scaleIndex } from '../ir/expr.js'
import { nowhere } from '../ir/graph.js'
import { extentOf, type Axis, type Buffer, type Contract, type Expr, type KernelProgram, type LibraryCall, type LibraryOperand, type OperandName, type Stmt } from '../ir/loop.js'
import { matrixOf, roundedFrom, siteOf, type Matrix, type Site } from '../schedule/as-matrix.js'
import { filterOf, windowsAsRows, windowsAsTerms, type Filter, type Sliding, type Windows } from '../schedule/as-windows.js'
import { takesNeighbours } from '../schedule/by-neighbours.js'
import { cDim } from './c-dim.js'
import { storedType } from './c-expr.js'
import { bufferIn } from './contract-kernel.js'
import { teamsView } from './device-teams.js'
import type { CopyView, ProductView } from './views.js'

/** Of operands as they are multiplied, and of results. */
const formats: Partial<Readonly<Record<ElementType, string>>> = { float32: 'kFloat32', tfloat32: 'kTFloat32', bfloat16: 'kBFloat16' }

/** @param result the type of the sums that the kernel's own end takes at once */
export function productView(program: KernelProgram, contract: Contract, call: LibraryCall, name: string, result: string): ProductView {
  const { m, n, lhs } = contract, { over, into, end } = call, place = into === null ? null : resultOf(program, contract, into), stride = cDim(place?.rowStride ?? extentOf(n))
  const windows = over === 'matrices' ? null : over === 'windows as rows' ? windowsAsRows(contract)! : windowsAsTerms(contract)!, rows = cDim(extentOf(m))
  return {
    ...factorsOf(contract, call, windows), over: names[over], windows: windows === null ? '' : slidingText(windows),
    operands: formats[lhs.dtype]!, format: formats[place === null ? 'float32' : bufferIn(program)(into!).dtype]!,
    into: place === null ? 'nullptr' : pointer(place.load.buffer, place.load.index.offset), stride,
    ended: end !== null, bias: end?.bias ? `args.${end.bias}` : 'nullptr', relu: end?.relu ?? false,
    sum: over === 'windows as terms' ? `kcc::load_apart<${result}>(given.sums + row + column * (${rows}), ${rows})` : `kcc::load_as<${result}>(given.sums + row * (${stride}) + column)`,
    copies: copiesOf(program, contract, call, windows, name),
  }
}

function factorsOf(contract: Contract, { over, rounded }: LibraryCall, windows: Windows | null): Pick<ProductView, 'left' | 'right'> {
  const { lhs, rhs, m, n, k } = contract
  return {
    left: windows === null ? matrixText(siteOf(lhs, m, k), 'lhs', rounded.includes('lhs')) : arrayText(windows, windows.isRounded),
    right: over === 'windows as rows' ? arrayText(filterOf(contract)!, true) : matrixText(siteOf(rhs, k, n), 'rhs', rounded.includes('rhs')),
  }
}

/** Of operands that are rounded, and of filters. */
function copiesOf(program: KernelProgram, contract: Contract, { over, rounded }: LibraryCall, windows: Windows | null, name: string): CopyView[] {
  const { lhs, rhs, m, n, k } = contract, isFilter = over === 'windows as rows'
  const left = !rounded.includes('lhs') ? [] : [windows === null ? matrixCopy(program, siteOf(lhs, m, k), 'lhs', name) : windowsCopy(program, windows, lhs.dtype, name)]
  // A filter as libraries have it: columns, and in each its terms.
  const right = isFilter ? [copyView(program, [...n, ...k], rhs, 'rhs', name)] : rounded.includes('rhs') ? [matrixCopy(program, siteOf(rhs, k, n), 'rhs', name)] : []
  return [...left, ...right]
}

const names: Readonly<Record<LibraryOperand, string>> = { 'matrices': 'kMatrices', 'windows as rows': 'kWindowsAsRows', 'windows as terms': 'kWindowsAsTerms' }

/** The buffer that takes the product, by rows. */
function resultOf(program: KernelProgram, { m, n, epilogue }: Contract, name: string): Matrix {
  const store = epilogue.find((s) => s.kind === 'store' && s.buffer === name)
  if (store?.kind !== 'store') throw new Error(`nothing is stored to ${name}`)
  return matrix(siteOf(loadExpr(bufferIn(program)(name).dtype, name, store.index), m, n))
}

const pointer = (buffer: string, offset: Dim): string => `args.${buffer} + ${cDim(offset)}`

/** Where a factor lies, its strides from line to line and from term to term, how many elements it reaches over, and whether it is rounded and copied. */
const factorText = (at: string, line: Dim, term: Dim, elements: Dim, isRounded: boolean, isCopied: boolean): string => [at, cDim(line), cDim(term), cDim(elements), isRounded, isCopied].join(', ')

function matrixText(site: Site, operand: OperandName, isRounded: boolean): string {
  const { load, rowStride, columnStride } = matrix(site), [line, term] = operand === 'lhs' ? [rowStride, columnStride] : [columnStride, rowStride]
  const steps = (axis: Axis, stride: Dim): Dim => multiplyDims(addDims(axis.extent, -1), stride)
  const elements = addDims(addDims(steps(site.rows[0]!, rowStride), steps(site.columns[0]!, columnStride)), 1)
  return factorText(pointer(load.buffer, load.index.offset), line, term, elements, isRounded, isRounded)
}

const arrayText = ({ load, first, elements, isRounded }: Filter, isCopied: boolean): string => factorText(pointer(load.buffer, first), 0, 0, elements, isRounded, isCopied)

/** Fields of `kcc::Windows`. */
function slidingText({ samples, sampleStride, lineStride, channels, down, across }: Windows): string {
  const along = ({ length, count, size, stride, dilation, before }: Sliding): string => `{ ${[cDim(length), cDim(count), size, stride, dilation, before].join(', ')} }`
  return `${[cDim(samples), channels, cDim(sampleStride), cDim(lineStride), across.unit].join(', ')}, ${along(down)}, ${along(across)}`
}

/** Of an operand that is rounded, what it is rounded from. A schedule has seen that it is a matrix. */
function matrix(site: Site): Matrix {
  const found = matrixOf(roundedFrom(site) ?? site)
  if (found === null) throw new Error('a library was offered what is no matrix')
  return found
}

/** The rounded operand in the order in which it lies, without gaps. */
function matrixCopy(program: KernelProgram, site: Site, operand: OperandName, name: string): CopyView {
  const [row, column] = [site.rows[0]!, site.columns[0]!], { rowStride, columnStride } = matrix(site)
  const [lines, terms] = operand === 'lhs' ? [row, column] : [column, row], isByTerms = (operand === 'lhs' ? columnStride : rowStride) === 1
  return copyView(program, isByTerms ? [lines, terms] : [terms, lines], site.value, operand, name)
}

/** What windows slide over, rounded: each element once, without gaps. */
function windowsCopy(program: KernelProgram, { load, samples, sampleStride, lineStride, channels, down, across, first }: Windows, dtype: ElementType, name: string): CopyView {
  const axes = [['sample', samples, sampleStride], ['line', down.length, lineStride], ['pixel', across.length, across.unit], ['channel', channels, 1]] as const
  const index = axes.reduce((at, [axis, , stride]) => addIndex(at, scaleIndex(axisIndex(axis), stride)), constIndex(first))
  return copyView(program, axes.map(([axis, extent]) => ({ name: axis, extent })), castExpr(dtype, { ...load, index }), 'lhs', name)
}

function copyView(program: KernelProgram, axes: readonly Axis[], value: Expr, operand: OperandName, name: string): CopyView {
  const copy: Buffer = { name: 'copy', dtype: value.dtype, shape: axes.map(({ extent }) => extent) }, inner = axes.at(-1)!
  const store: Stmt = { kind: 'store', buffer: copy.name, index: linearIndex(axes.map((axis) => axisIndex(axis.name)), copy.shape), value, from: nowhere }
  const innermost: Stmt = { kind: 'for', axis: inner, mode: takesNeighbours([store], inner) ? 'grid by 4' : 'grid', body: [store] }
  const loops = axes.slice(0, -1).reduceRight<Stmt>((body, axis) => ({ kind: 'for', axis, mode: 'grid', body: [body] }), innermost)
  const part = teamsView({ ...program, buffers: [...program.buffers, copy] }, loops, { kind: 'teams', threads: 1, by: 'row' })
  return { kernel: `${name}_${operand}`, left: operand === 'lhs', type: storedType(copy.dtype), part }
}
