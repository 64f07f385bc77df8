/** Reading HDF5: groups, attributes and numeric arrays, with every size checked against the file before memory is taken. */
import type { Metadata } from 'h5wasm'
import { FileFormatError } from '../../runtime/contract/errors.js'
import { elementCount, isStoredType, storedValues, toModelType } from './file-array.js'
import type { FileArray, StoredType, StoredValues } from './file-array.js'
import { withHdf5 } from './h5-library.js'
import type { H5Wasm } from './h5-library.js'

/** Compressed data may unpack to this many times the file; DEFLATE cannot do more. */
const LARGEST_RATIO = 1100
const LARGEST_ARRAY = 2 ** 32
const IN_MEMORY = '/model.h5'

/** `children` remembers the names in each group: asking HDF5 takes time proportional to their number. */
type Opened = { readonly library: H5Wasm; readonly id: bigint; readonly bytes: number; readonly file: string; readonly children: Map<string, ReadonlySet<string>> }

/** Reads the HDF5 file `bytes`; `path` appears in messages. `read` must not keep the group. @throws FileFormatError */
export function readH5<T>(bytes: Uint8Array, path: string, read: (root: H5Group) => T): Promise<T> {
  return withHdf5(path, bytes.byteLength, (library) => {
    const fs = library.FS!
    fs.writeFile(IN_MEMORY, bytes)
    let file: InstanceType<H5Wasm['File']> | null = null
    try {
      file = new library.File(IN_MEMORY, 'r')
      return read(new H5Group({ library, id: file.file_id, bytes: bytes.byteLength, file: path, children: new Map() }, '/'))
    } finally {
      file?.close()
      fs.unlink(IN_MEMORY)
    }
  })
}

const join = (path: string, name: string): string => (path === '/' ? `/${name}` : `${path}/${name}`)

/** A group of an open file. */
export class H5Group {
  constructor(private readonly opened: Opened, readonly path: string) {}

  has(name: string): boolean {
    const { children } = this.opened
    let names = children.get(this.path)
    if (names === undefined) children.set(this.path, (names = new Set(this.raw().keys())))
    return names.has(name)
  }

  hasAttribute(name: string): boolean {
    return this.opened.library.Module.get_attribute_names(this.opened.id, this.path).includes(name)
  }

  /** The group `name` in this one. @throws FileFormatError when it is missing, a link or a data set. */
  group(name: string): H5Group {
    const path = this.follow(name)
    if (this.typeOf(path) !== this.opened.library.Module.H5G_GROUP) throw this.damaged(`${path} is not a group`)
    return new H5Group(this.opened, path)
  }

  /** A text attribute, or null when there is none. Both variable-length and fixed-length strings are read. */
  text(name: string): string | null {
    if (!this.hasAttribute(name)) return null
    const value = this.attribute(name)
    if (typeof value !== 'string') throw this.damaged(`the attribute ${name} of ${this.path} is not a text`)
    return value
  }

  /**
   * A list of texts, or null when there is none. Long lists are stored in parts `<name>0`, `<name>1`, …;
   * Python writes an empty list as an empty array of numbers.
   */
  texts(name: string): string[] | null {
    if (this.hasAttribute(name)) return this.textList(name)
    if (!this.hasAttribute(`${name}0`)) return null
    const parts: string[] = []
    for (let part = 0; this.hasAttribute(`${name}${part}`); part++) parts.push(...this.textList(`${name}${part}`))
    return parts
  }

  private textList(name: string): string[] {
    const value = this.attribute(name)
    if (isEmptyList(value)) return []
    if (!Array.isArray(value) || !value.every((v): v is string => typeof v === 'string')) {
      throw this.damaged(`the attribute ${name} of ${this.path} is not a list of texts`)
    }
    return value
  }

  private attribute(name: string): unknown {
    const { library, id, bytes } = this.opened
    const { size, total_size: count } = library.Module.get_attribute_metadata(id, this.path, name)
    if (!(size * count <= bytes)) throw this.damaged(`the attribute ${name} of ${this.path} declares ${size * count} bytes, the file has ${bytes}`)
    return this.raw().get_attribute(name, false)
  }

  /** The numeric data set at `name`, which may contain slashes. @throws FileFormatError */
  array(name: string): FileArray {
    const path = this.follow(name)
    if (this.typeOf(path) !== this.opened.library.Module.H5G_DATASET) throw this.damaged(`${path} is not a data set`)
    const dataset = new this.opened.library.Dataset(this.opened.id, path)
    const { metadata } = dataset
    const type = this.storedType(metadata, path)
    const shape = this.checkedShape(metadata, dataset.filters.length > 0, path)
    const value = elementCount(shape) === 0 ? [] : dataset.value
    return { ...toModelType(type, asValues(value, type), `${this.opened.file}: ${path}`), shape }
  }

  private checkedShape(metadata: Metadata, packed: boolean, path: string): number[] {
    const { shape, size } = metadata
    if (shape === null) throw this.damaged(`${path} is empty`)
    if (metadata.virtual_sources !== undefined) throw this.damaged(`${path} is a virtual data set; these are refused`)
    const declared = elementCount(shape) * size
    const limit = Math.min(LARGEST_ARRAY, this.opened.bytes * (packed ? LARGEST_RATIO : 1))
    if (!(declared <= limit)) {
      throw this.damaged(`${path} declares ${declared} bytes (shape (${shape.join(', ')})), which a file of ${this.opened.bytes} bytes cannot hold`)
    }
    return shape
  }

  private storedType(metadata: Metadata, path: string): StoredType {
    const { H5T_class_t: kinds } = this.opened.library.Module
    const letter = metadata.type === kinds.H5T_FLOAT.value ? 'f' : metadata.type === kinds.H5T_INTEGER.value ? (metadata.signed ? 'i' : 'u') : '?'
    const type = metadata.type === kinds.H5T_ENUM.value && metadata.size === 1 ? 'b1' : `${letter}${metadata.size}`
    if (!isStoredType(type)) throw this.damaged(`${path} has an element type that is not supported (class ${metadata.type}, ${metadata.size} bytes)`)
    if (!metadata.littleEndian && metadata.size > 1) throw this.damaged(`${path} holds big-endian data, which is not supported`)
    return type
  }

  /** The path of `name`, after checking that no step on the way is missing or a link. */
  private follow(name: string): string {
    let path = this.path
    for (const step of name.split('/').filter((s) => s !== '')) {
      const inside = new H5Group(this.opened, path)
      if (!inside.has(step)) throw this.damaged(`${join(path, step)} is missing`)
      path = join(path, step)
      this.refuseLink(path)
    }
    return path
  }

  private refuseLink(path: string): void {
    const { Module } = this.opened.library
    const type = Module.get_type(this.opened.id, path)
    if (type === Module.H5G_LINK || type === Module.H5G_UDLINK || Module.get_symbolic_link(this.opened.id, path)) {
      throw this.damaged(`${path} is a link to another place; links are refused`)
    }
  }

  private typeOf(path: string): number {
    return this.opened.library.Module.get_type(this.opened.id, path)
  }

  private raw(): InstanceType<H5Wasm['Group']> {
    return new this.opened.library.Group(this.opened.id, this.path)
  }

  private damaged(what: string): FileFormatError {
    return new FileFormatError(`${this.opened.file}: ${what}`)
  }
}

const isEmptyList = (value: unknown): boolean =>
  (ArrayBuffer.isView(value) && value.byteLength === 0) || (Array.isArray(value) && value.length === 0)

/** A scalar data set comes as a number; everything else as an array of the stored type. */
function asValues(value: unknown, type: StoredType): StoredValues {
  if (ArrayBuffer.isView(value)) return value as StoredValues
  return storedValues(type, Array.isArray(value) ? [] : [value as number | bigint])
}
