/** Writing HDF5 in the dialect that h5py and Python Keras read. */
import type { FileArray } from './file-array.js'
import { withHdf5 } from './h5-library.js'
import type { H5Wasm } from './h5-library.js'

/** Attributes larger than this do not fit into an object header (Keras' HDF5_OBJECT_HEADER_LIMIT). */
const HEADER_LIMIT = 64512
const IN_MEMORY = '/written.h5'

/** Makes a file in memory. `path` appears in messages. */
export function buildH5(path: string, build: (root: H5Writer) => void): Promise<Uint8Array> {
  return withHdf5(path, 0, (library) => {
    const file = new library.File(IN_MEMORY, 'w')
    let open = true
    try {
      build(new H5Writer(file))
      file.close()
      open = false
      return library.FS!.readFile(IN_MEMORY)
    } finally {
      if (open) file.close()
      library.FS!.unlink(IN_MEMORY)
    }
  })
}

const encoder = new TextEncoder()
const byteLength = (text: string): number => encoder.encode(text).byteLength
/** HDF5 has no strings of length 0. */
const fixed = (size: number): string => `S${Math.max(1, size)}`

export class H5Writer {
  constructor(private readonly target: InstanceType<H5Wasm['Group']>) {}

  group(name: string): H5Writer {
    return new H5Writer(this.target.create_group(name))
  }

  /**
   * A text attribute of fixed length. (Variable-length strings would come back from h5py as `str`, on which the
   * loaders of Keras up to 2.3 call `.decode`.)
   */
  text(name: string, value: string): void {
    this.target.create_attribute(name, value, [], fixed(byteLength(value)))
  }

  /** A list of texts, split into `<name>0`, `<name>1`, … when it is too long for one attribute. */
  texts(name: string, values: readonly string[]): void {
    if (values.length === 0) return this.target.create_attribute(name, new Float64Array(0), [0])
    const size = Math.max(...values.map(byteLength))
    if (size > HEADER_LIMIT) throw new RangeError(`a name of ${size} bytes cannot be written to an HDF5 attribute`)
    if (size * values.length <= HEADER_LIMIT) return this.textList(name, values)
    const parts = Math.ceil(values.length / Math.floor(HEADER_LIMIT / size))
    const perPart = Math.ceil(values.length / parts)
    for (let part = 0; part < parts; part++) this.textList(`${name}${part}`, values.slice(part * perPart, (part + 1) * perPart))
  }

  private textList(name: string, values: readonly string[]): void {
    this.target.create_attribute(name, [...values], [values.length], fixed(Math.max(...values.map(byteLength))))
  }

  /** A data set; `name` may contain slashes, and groups on the way are made. Integers are written as int64, as Keras keeps them. */
  array(name: string, { data, shape }: FileArray): void {
    const steps = name.split('/').filter((s) => s !== '')
    let group = this.target
    for (const step of steps.slice(0, -1)) group = childGroup(group, step)
    const values = data instanceof Int32Array ? BigInt64Array.from(data, BigInt) : data
    group.create_dataset({ name: steps.at(-1)!, data: values, shape: [...shape] })
  }
}

/** The group `name` in `group`, made when it is not there. */
function childGroup(group: InstanceType<H5Wasm['Group']>, name: string): InstanceType<H5Wasm['Group']> {
  const found = group.keys().includes(name) ? group.get(name) : group.create_group(name)
  if (found === null || !('create_group' in found)) throw new RangeError(`${name} is both a group and a data set`)
  return found
}
