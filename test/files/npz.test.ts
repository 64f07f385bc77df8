import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { zipSync } from 'fflate'
import { describe, expect, it } from 'vitest'
import type { FileArray } from '../../compiler/files/file-array.js'
import { readNpy, writeNpy } from '../../compiler/files/npy.js'
import { crc32, loadNpz, readNpz, saveNpz, writeNpz } from '../../compiler/files/npz.js'
import { FileFormatError } from '../../runtime/contract/errors.js'
import { filesBelow, golden, hasGolden, inTemporaryFolder } from './shared.js'

const samples: Record<string, FileArray> = {
  matrix: { dtype: 'float32', shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, -6.5) },
  doubles: { dtype: 'float64', shape: [2], data: Float64Array.of(Math.PI, 1e300) },
  labels: { dtype: 'int32', shape: [3], data: Int32Array.of(-1, 0, 2 ** 31 - 1) },
  bytes: { dtype: 'uint8', shape: [1, 1, 4], data: Uint8Array.of(0, 1, 254, 255) },
  mask: { dtype: 'bool', shape: [2], data: Uint8Array.of(1, 0) },
  scalar: { dtype: 'float32', shape: [], data: Float32Array.of(7) },
  empty: { dtype: 'float32', shape: [0, 5], data: new Float32Array(0) },
}

/** A version-1 file with the given header and data. */
function npy(header: string, data: Uint8Array): Uint8Array {
  return Uint8Array.from([0x93, ...Buffer.from('NUMPY'), 1, 0, header.length & 255, header.length >> 8, ...Buffer.from(header), ...data])
}

describe('npy', () => {
  it.each(Object.entries(samples))('reads what it writes: %s', (_, array) => {
    expect(readNpy(writeNpy(array))).toEqual(array)
  })

  it('starts the data at a multiple of 64 bytes', () => {
    for (const array of Object.values(samples)) expect((writeNpy(array).byteLength - array.data.byteLength) % 64).toBe(0)
  })

  it('turns Fortran order into C order', () => {
    const file = npy("{'descr': '<i4', 'fortran_order': True, 'shape': (2, 3), }\n", new Uint8Array(Int32Array.of(1, 4, 2, 5, 3, 6).buffer))
    expect([...readNpy(file).data]).toEqual([1, 2, 3, 4, 5, 6])
  })

  it('narrows int64 exactly or refuses', () => {
    const header = "{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }\n"
    expect(readNpy(npy(header, new Uint8Array(BigInt64Array.of(5n, -7n).buffer)))).toEqual({ dtype: 'int32', shape: [2], data: Int32Array.of(5, -7) })
    expect(() => readNpy(npy(header, new Uint8Array(BigInt64Array.of(5n, 2n ** 40n).buffer)), 'y_0')).toThrow('y_0: the integer 1099511627776 at position 1 does not fit into int32')
  })

  it.each([
    ["{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }\n", /big-endian data \('>f4'\) is not supported/],
    ["{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n", /element type '\|O' is not supported/],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (1000,), }\n", /needs 4000 bytes of data, found 4/],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999, 99999999999), }\n", /cut off/],
    ["{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }\n", /not a plain array/],
  ])('refuses %s', (header, message) => {
    expect(() => readNpy(npy(header, new Uint8Array(4)))).toThrow(message)
    expect(() => readNpy(npy(header, new Uint8Array(4)))).toThrow(FileFormatError)
  })
})

describe('npz', () => {
  it('reads what it writes', () => expect(readNpz(writeNpz(samples))).toEqual(samples))

  it('reads compressed archives', () => {
    expect(readNpz(zipSync({ 'x.npy': writeNpy(samples['matrix']!) }, { level: 9 }))).toEqual({ x: samples['matrix'] })
  })

  it('knows the checksum of zip', () => expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926))

  it('reports every cut and every flipped byte of the data', () => {
    const whole = writeNpz({ x: samples['matrix']! })
    for (let length = 0; length < whole.length; length += 7) expect(() => readNpz(whole.subarray(0, length))).toThrow(FileFormatError)
    // Bytes that nothing depends on (time stamps, permissions) may change; then the arrays must still be right.
    for (let at = 0; at < whole.length; at++) {
      const damaged = Uint8Array.from(whole)
      damaged[at]! ^= 0x10
      try {
        for (const array of Object.values(readNpz(damaged))) expect(array).toEqual(samples['matrix'])
      } catch (error) {
        expect(error).toBeInstanceOf(FileFormatError)
      }
    }
  })

  it.skipIf(!hasGolden)('reads every .npz of the golden vectors', async () => {
    for (const file of filesBelow(golden, '.npz')) for (const a of Object.values(await loadNpz(file))) expect(a.data.length).toBe(a.shape.reduce((p, n) => p * n, 1))
  })

  it('leaves no temporary file, and keeps the old file when writing fails', async () => {
    await inTemporaryFolder(async (folder) => {
      const path = join(folder, 'a.npz')
      saveNpz(path, samples)
      expect(readdirSync(folder)).toEqual(['a.npz'])
      expect(await loadNpz(path)).toEqual(samples)
      writeFileSync(join(folder, 'plain'), '')
      expect(() => saveNpz(join(folder, 'plain', 'b.npz'), samples)).toThrow()
      expect(readdirSync(folder).sort()).toEqual(['a.npz', 'plain'])
    })
  })
})
