/**
 * The safetensors format: eight bytes of header length, a JSON header, then the elements back to back. Reading checks
 * everything before any array is made, so that a damaged file is an error and never a wrong weight.
 */
import { allocate, itemSize } from './contract/dtype.js'
import type { DType, TypedArray } from './contract/dtype.js'
import { FileFormatError } from './contract/errors.js'
import { NDArray, sizeOf } from './ndarray.js'

const typeNames: { readonly [K in DType]: string } = { float32: 'F32', float64: 'F64', int32: 'I32', uint8: 'U8', bool: 'BOOL' }
const typesByName = new Map<string, DType>((Object.entries(typeNames) as [DType, string][]).map(([dtype, name]) => [name, dtype]))

/** Data begins on a multiple of this, so that arrays can be viewed in place. */
const ALIGNMENT = 64
/** The limit of the reference implementation. */
const MAX_HEADER = 100_000_000

export type Safetensors = { readonly tensors: ReadonlyMap<string, NDArray>; readonly metadata: Readonly<Record<string, string>> }

/** The bytes of a file, in pieces to be written one after another. Wide elements come first, so that all are aligned. */
export function encodeSafetensors(tensors: ReadonlyMap<string, NDArray>, metadata: Readonly<Record<string, string>> = {}): Uint8Array[] {
  const ordered = [...tensors].sort(([, a], [, b]) => itemSize[b.dtype] - itemSize[a.dtype])
  const header: Record<string, unknown> = Object.keys(metadata).length === 0 ? {} : { __metadata__: metadata }
  let offset = 0
  for (const [name, { data, shape, dtype }] of ordered) {
    header[name] = { dtype: typeNames[dtype], shape, data_offsets: [offset, offset + data.byteLength] }
    offset += data.byteLength
  }
  return [encodeHeader(JSON.stringify(header)), ...ordered.map(([, { data }]) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength))]
}

/** Padded with spaces, which the format allows at the end of the header. */
function encodeHeader(json: string): Uint8Array {
  const text = new TextEncoder().encode(json)
  const length = Math.ceil((8 + text.length) / ALIGNMENT) * ALIGNMENT - 8
  const bytes = new Uint8Array(8 + length).fill(0x20)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true)
  bytes.set(text, 8)
  return bytes
}

/**
 * The arrays of a file, as views of `bytes` where the alignment allows.
 * @param file name for messages.
 * @throws FileFormatError for anything but a complete and consistent file.
 */
export function decodeSafetensors(bytes: Uint8Array, file: string): Safetensors {
  const fail = (what: string): never => { throw new FileFormatError(`${file} is not a valid safetensors file: ${what}`) }
  const { header, begin } = decodeHeader(bytes, fail)
  const { __metadata__: metadata = {}, ...entries } = header
  if (!isObject(metadata) || Object.values(metadata).some((v) => typeof v !== 'string')) fail('its metadata are not strings by name')
  const tensors = Object.entries(entries).map(([name, entry]) => ({ name, ...checkEntry(name, entry, fail) })).sort((a, b) => a.from - b.from || a.to - b.to)
  checkCoverage(tensors, bytes.length - begin, fail)
  const arrays = tensors.map(({ name, dtype, shape, from, to }) => [name, new NDArray(elements(bytes, begin + from, begin + to, dtype), shape, dtype)] as const)
  return { tensors: new Map(arrays), metadata: metadata as Record<string, string> }
}

type Fail = (what: string) => never
type Entry = { readonly dtype: DType; readonly shape: readonly number[]; readonly from: number; readonly to: number }

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)
const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

function decodeHeader(bytes: Uint8Array, fail: Fail): { header: Record<string, unknown>; begin: number } {
  if (bytes.length < 8) return fail(`it has ${bytes.length} bytes, fewer than the 8 of its header length`)
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true))
  if (length > MAX_HEADER || length > bytes.length - 8) return fail(`its header of ${length} bytes does not fit a file of ${bytes.length}`)
  return { header: parseHeader(bytes.subarray(8, 8 + length), fail), begin: 8 + length }
}

function parseHeader(bytes: Uint8Array, fail: Fail): Record<string, unknown> {
  let header: unknown
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    return fail(`its header is not JSON (${(error as Error).message})`)
  }
  return isObject(header) ? header : fail('its header is not an object')
}

function checkEntry(name: string, entry: unknown, fail: Fail): Entry {
  if (!isObject(entry)) return fail(`the entry of ${name} is not an object`)
  const { dtype: typeName, shape, data_offsets: offsets } = entry
  const dtype = typeof typeName === 'string' ? typesByName.get(typeName) : undefined
  if (dtype === undefined) return fail(`${name} has the element type ${String(typeName)}; readable are ${[...typesByName.keys()].join(', ')}`)
  if (!Array.isArray(shape) || !shape.every(isSize)) return fail(`${name} has the shape ${JSON.stringify(shape)}`)
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize)) return fail(`${name} has the offsets ${JSON.stringify(offsets)}`)
  const [from, to] = offsets as [number, number], needed = sizeOf(shape as number[]) * itemSize[dtype]
  if (to - from !== needed) return fail(`${name} needs ${needed} bytes and has ${to - from}`)
  return { dtype, shape: shape as number[], from, to }
}

/** The arrays must fill the data exactly: no holes, no overlaps, nothing missing at the end. */
function checkCoverage(tensors: readonly (Entry & { readonly name: string })[], size: number, fail: Fail): void {
  let end = 0
  for (const { name, from, to } of tensors) {
    if (from !== end) fail(`${name} begins at byte ${from} of the data where ${end} was expected`)
    end = to
  }
  if (end !== size) fail(`its arrays end at byte ${end} of the data, but there are ${size}`)
}

function elements(bytes: Uint8Array, from: number, to: number, dtype: DType): TypedArray {
  const array = allocate(dtype, 0), width = itemSize[dtype]
  const aligned = (bytes.byteOffset + from) % width === 0 ? bytes.subarray(from, to) : bytes.slice(from, to)
  const make = array.constructor as new (buffer: ArrayBufferLike, offset: number, length: number) => TypedArray
  return new make(aligned.buffer, aligned.byteOffset, (to - from) / width)
}
