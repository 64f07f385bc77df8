/** A contraction as the libraries of a GPU's vendor are asked for it: the matrices that its loads and stores are. */
import type { ElementType } from '../ir/element-type.js'
import { loadExpr } from '../ir/expr.js'
import { extentOf, type Buffer, type Contract, type LibraryCall } from '../ir/loop.js'
import type { Dim } from '../ir/dim.js'
import { matrixOf, siteOf, type Matrix, type Site } from '../schedule/as-matrix.js'
import { cDim } from './c-dim.js'
import type { ProductView } from './views.js'

/** Of operands as they are multiplied, and of results. */
const formats: Partial<Readonly<Record<ElementType, string>>> = { float32: 'kFloat32', tfloat32: 'kTFloat32', bfloat16: 'kBFloat16' }

export function productView({ m, n, k, lhs, rhs, epilogue }: Contract, { into, end }: LibraryCall, bufferOf: (name: string) => Buffer): ProductView {
  const left = matrix(siteOf(lhs, m, k)), right = matrix(siteOf(rhs, k, n)), place = into === null ? null : resultOf(into)
  return {
    left: operandText(left, left.rowStride, left.columnStride), right: operandText(right, right.columnStride, right.rowStride),
    operands: formats[lhs.dtype]!, format: formats[place === null ? 'float32' : bufferOf(into!).dtype]!,
    into: place === null ? 'nullptr' : pointer(place), stride: cDim(place?.rowStride ?? extentOf(n)),
    ended: end !== null, bias: end?.bias ? `args.${end.bias}` : 'nullptr', relu: end?.relu ?? false,
  }

  function resultOf(name: string): Matrix {
    const store = epilogue.find((s) => s.kind === 'store' && s.buffer === name)
    if (store?.kind !== 'store') throw new Error(`nothing is stored to ${name}`)
    return matrix(siteOf(loadExpr(bufferOf(name).dtype, name, store.index), m, n))
  }
}

const pointer = ({ load }: Matrix): string => `args.${load.buffer} + ${cDim(load.index.offset)}`
const operandText = (found: Matrix, line: Dim, term: Dim): string => `${pointer(found)}, ${cDim(line)}, ${cDim(term)}`

/** A schedule has seen that it is one. */
function matrix(site: Site): Matrix {
  const found = matrixOf(site)
  if (found === null) throw new Error('a library was offered what is no matrix')
  return found
}
