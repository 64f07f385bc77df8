/**
 * What a library may do in place of a contraction's tiles: where both operands lie in memory as matrices, or the left one as windows
 * over an array (`as-windows.ts`), of the type that is multiplied. Whether it does is measured on the GPU (`native/cuda/libraries.h`).
 *
 *     contract d0 < B; d1 < 512; k0 < 784 as sum {
 *       lhs in0[784*d0 + k0]                                     tiles of 64 x 64 x 16 in 7 parts
 *       rhs in1[512*k0 + d1]                                →      or library into out0 plus in2 above 0
 *       store out0[512*d0 + d1] = max(sum + in2[d1], 0)
 *     }
 *
 * An operand that is rounded as it is read, as `--precision` has it, is rounded by a kernel before: a library that is given all digits
 * would drop them its own way.
 *
 * Any other end is a kernel of our own over the product, which lies where that kernel stores a result of its shape, element for
 * element: each is read before it is replaced.
 */
import { elementSize } from '../ir/element-type.js'
import { equalIndex, loadExpr } from '../ir/expr.js'
import { libraryOperands, type Buffer, type Contract, type Expr, type KernelProgram, type LibraryCall, type LibraryEnd, type LibraryOperand, type Stmt, type Store } from '../ir/loop.js'
import { matrixOf, roundedFrom, siteOf, type Site } from './as-matrix.js'
import { filterOf, readOf, windowsAsRows, windowsAsTerms } from './as-windows.js'
import { loadsIn } from './walk.js'

export function libraryCall(program: KernelProgram, contract: Contract): LibraryCall | null {
  const over = contract.together.length > 0 ? undefined : libraryOperands.find((each) => areOperands[each](contract))
  if (over === undefined) return null
  const rounded = (['lhs', 'rhs'] as const).filter((name) => readOf(contract[name])!.isRounded)
  if (over === 'windows as terms') return { over, rounded, into: null, end: null }
  const stores = storesIn(contract), [only] = stores
  const end = stores.length === 1 && isPlaceOf(program, contract, only!) ? endOf(program, contract, only!) : null
  if (end !== null) return { over, rounded, into: only!.buffer, end }
  const into = stores.find((store) => isPlaceOf(program, contract, store) && bufferOf(program, store).dtype === 'float32')
  return { over, rounded, into: into?.buffer ?? null, end: null }
}

const leftOf = ({ lhs, m, k }: Contract): Site => siteOf(lhs, m, k)
const rightOf = ({ rhs, k, n }: Contract): Site => siteOf(rhs, k, n)
const isMatrix = (site: Site): boolean => matrixOf(roundedFrom(site) ?? site) !== null

/** May a library be asked for the product of such operands? What is a matrix is no window of more than itself. */
const areOperands: Readonly<Record<LibraryOperand, (contract: Contract) => boolean>> = {
  'matrices': (contract) => isMatrix(leftOf(contract)) && isMatrix(rightOf(contract)),
  'windows as rows': (contract) => windowsAsRows(contract) !== null && filterOf(contract) !== null,
  'windows as terms': (contract) => windowsAsTerms(contract) !== null && isByTerms(rightOf(contract)),
}

/** A matrix whose columns lie side by side, as channels of results do. */
const isByTerms = (site: Site): boolean => matrixOf(roundedFrom(site) ?? site)?.columnStride === 1

const storesIn = ({ epilogue }: Contract): Store[] => epilogue.filter((s): s is Store => s.kind === 'store')
const bufferOf = ({ buffers }: KernelProgram, { buffer }: Store): Buffer => buffers.find(({ name }) => name === buffer)!

/** May the product lie there until it is ended? Rows with neighbouring columns, that nobody reads nor shares with what is read (`plan/in-place.ts`). */
function isPlaceOf(program: KernelProgram, contract: Contract, store: Store): boolean {
  const { dtype } = bufferOf(program, store), { m, n, epilogue } = contract
  const site = siteOf(loadExpr(dtype, store.buffer, store.index), m, n), matrix = matrixOf(site)
  return matrix !== null && matrix.columnStride === 1 && (matrix.rowStride !== 0 || site.rows[0]!.extent === 1) && !program.reads.includes(store.buffer) &&
    storesIn(contract).filter(({ buffer }) => buffer === store.buffer).length === 1 &&
    !loadsIn(epilogue).some((load) => equalIndex(load.index, store.index) && elementSize[load.dtype] === elementSize[dtype])
}

/** The epilogue as a library's own: the sum, a bias, 0 as the least, rounded as it is stored; null for any other. */
function endOf(program: KernelProgram, contract: Contract, store: Store): LibraryEnd | null {
  const { dtype } = bufferOf(program, store), value = resolved(store.value, contract.epilogue)
  if (dtype !== 'float32' && dtype !== 'bfloat16') return null
  const above = dtype === 'float32' ? value : value.kind === 'cast' ? value.arg : null
  const relu = above !== null && isAboveZero(above), sum = relu ? above.args[0]! : above
  if (sum !== null && isSum(sum, contract)) return { bias: null, relu }
  const bias = sum === null || dtype !== 'float32' ? null : biasOf(sum, contract)
  return bias === null ? null : { bias, relu }
}

/** The value with the names in it replaced by what they stand for. */
function resolved(value: Expr, body: readonly Stmt[]): Expr {
  if (value.kind === 'local') {
    const bound = body.find((s) => s.kind === 'let' && s.name === value.name)
    return bound?.kind === 'let' ? resolved(bound.value, body) : value
  }
  if (value.kind === 'cast') return { ...value, arg: resolved(value.arg, body) }
  return value.kind === 'call' ? { ...value, args: value.args.map((arg) => resolved(arg, body)) } : value
}

type Call = Expr & { readonly kind: 'call' }
const isAboveZero = (value: Expr): value is Call => value.kind === 'call' && value.fn === 'max' && value.args[1]!.kind === 'const' && value.args[1]!.value === 0
const isSum = (value: Expr, { accumulator }: Contract): boolean => value.kind === 'local' && value.name === accumulator

/** The buffer that is added, one float for each column. */
function biasOf(value: Expr, contract: Contract): string | null {
  if (value.kind !== 'call' || value.fn !== 'add' || !value.args.some((arg) => isSum(arg, contract))) return null
  const found = value.args.map((arg) => matrixOf(siteOf(arg, contract.m, contract.n))).find((matrix) => matrix !== null)
  return found && found.load.dtype === 'float32' && found.columnStride === 1 && found.rowStride === 0 && found.load.index.offset === 0 ? found.load.buffer : null
}
