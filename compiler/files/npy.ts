/** The `.npy` format of numpy: one array. Versions 1 to 3 are read, version 1 is written. */
import { FileFormatError } from '../../runtime/contract/errors.js'
import { allocate } from '../../runtime/contract/dtype.js'
import { bytesOf, decodeElements, elementCount, isStoredType, storedSize, storedTypeOf, toModelType } from './file-array.js'
import type { FileArray, StoredType } from './file-array.js'

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]
type Header = { readonly type: StoredType; readonly fortran: boolean; readonly shape: number[]; readonly dataAt: number }

/** Reads one array. `name` appears in messages. @throws FileFormatError */
export function readNpy(bytes: Uint8Array, name = 'array'): FileArray {
  const header = readHeader(bytes, name)
  const count = elementCount(header.shape)
  const needed = count * storedSize(header.type)
  const found = bytes.byteLength - header.dataAt
  if (!Number.isSafeInteger(needed) || found < needed) {
    throw new FileFormatError(`${name}: the file is cut off: shape (${header.shape.join(', ')}) needs ${needed} bytes of data, found ${found}`)
  }
  const values = decodeElements(header.type, bytes.subarray(header.dataAt, header.dataAt + needed))
  const array: FileArray = { ...toModelType(header.type, values, name), shape: header.shape }
  return header.fortran ? toRowMajor(array) : array
}

function readHeader(bytes: Uint8Array, name: string): Header {
  if (bytes.byteLength < 10 || MAGIC.some((byte, i) => bytes[i] !== byte)) throw new FileFormatError(`${name}: not a .npy file`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const version = bytes[6]!
  if (version < 1 || version > 3) throw new FileFormatError(`${name}: .npy version ${version} is not known`)
  const textAt = version === 1 ? 10 : 12
  if (bytes.byteLength < textAt) throw new FileFormatError(`${name}: the file is cut off within its header`)
  const dataAt = textAt + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true))
  if (dataAt > bytes.byteLength) throw new FileFormatError(`${name}: the file is cut off within its header`)
  const text = new TextDecoder(version === 3 ? 'utf-8' : 'latin1').decode(bytes.subarray(textAt, dataAt))
  return { ...parseHeader(text, name), dataAt }
}

/** The header is a Python dict literal with three keys in any order. */
function parseHeader(text: string, name: string): Omit<Header, 'dataAt'> {
  const descr = /'descr'\s*:\s*'([^']*)'/.exec(text)?.[1]
  const fortran = /'fortran_order'\s*:\s*(True|False)/.exec(text)?.[1]
  const shape = /'shape'\s*:\s*\(([\d\s,L]*)\)/.exec(text)?.[1]
  if (descr === undefined || fortran === undefined || shape === undefined) {
    throw new FileFormatError(`${name}: not a plain array (header ${JSON.stringify(text.trim().slice(0, 120))})`)
  }
  const sizes = shape.split(',').map((s) => s.replace('L', '').trim()).filter((s) => s !== '').map(Number)
  if (!sizes.every(Number.isSafeInteger)) throw new FileFormatError(`${name}: the shape (${shape}) is not valid`)
  return { type: parseDescr(descr, name), fortran: fortran === 'True', shape: sizes }
}

function parseDescr(descr: string, name: string): StoredType {
  const order = descr[0], type = descr.slice(1)
  if (!isStoredType(type)) throw new FileFormatError(`${name}: element type '${descr}' is not supported (supported: float32, float64, integers, bool)`)
  if (order === '>' && storedSize(type) > 1) {
    throw new FileFormatError(`${name}: big-endian data ('${descr}') is not supported; write it with array.astype('<${type}')`)
  }
  return type
}

/** Fortran order is the C order of the transposed array. */
function toRowMajor({ dtype, shape, data }: FileArray): FileArray {
  const result = allocate(dtype, data.length)
  const strides = shape.map((_, axis) => elementCount(shape.slice(0, axis)))
  const index = shape.map(() => 0)
  for (let to = 0; to < data.length; to++) {
    result[to] = data[index.reduce((from, i, axis) => from + i * strides[axis]!, 0)]!
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis]! === shape[axis]; axis--) index[axis] = 0
  }
  return { dtype, shape, data: result }
}

/** The array as a `.npy` file. */
export function writeNpy({ dtype, shape, data }: FileArray): Uint8Array {
  if (data.length !== elementCount(shape)) throw new RangeError(`${data.length} elements do not fill the shape (${shape.join(', ')})`)
  const header = new TextEncoder().encode(headerText(dtype, shape))
  const bytes = new Uint8Array(10 + header.byteLength + data.byteLength)
  bytes.set([...MAGIC, 1, 0, header.byteLength & 0xff, header.byteLength >> 8])
  bytes.set(header, 10)
  bytes.set(bytesOf(data), 10 + header.byteLength)
  return bytes
}

function headerText(dtype: FileArray['dtype'], shape: readonly number[]): string {
  const type = storedTypeOf(dtype)
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ')
  const text = `{'descr': '${storedSize(type) === 1 ? '|' : '<'}${type}', 'fortran_order': False, 'shape': (${sizes}), }`
  // The data starts at a multiple of 64 bytes, and the header ends in a newline, as numpy writes it.
  return text + ' '.repeat(63 - ((10 + text.length) % 64)) + '\n'
}
