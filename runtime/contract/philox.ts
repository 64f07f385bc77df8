/**
 * Philox4x32-10, the counter-based generator behind every random number of kcc (Salmon et al., "Parallel random
 * numbers: as easy as 1, 2, 3", SC 2011). The same numbers come from `native/include/kcc/philox.h` and on a GPU.
 *
 * Element `e` of a tensor takes word `(e >> 4) & 3` of the block with counter `(e >> 6) * 16 + (e & 15)`, so that
 * sixteen lanes computing sixteen blocks fill 64 consecutive elements.
 * Counter words: [block, block's high bits, step, step's high bits]; key words: [seed, stream].
 */
const M0 = 0xd2511f53, M1 = 0xcd9e8d57, W0 = 0x9e3779b9, W1 = 0xbb67ae85

function mulHigh(a: number, b: number): number {
  const al = a & 0xffff, ah = a >>> 16, bl = b & 0xffff, bh = b >>> 16
  const mid = ah * bl + ((al * bl) >>> 16)
  const low = (mid & 0xffff) + al * bh
  return (ah * bh + Math.floor(mid / 0x10000) + Math.floor(low / 0x10000)) >>> 0
}

/** The four 32-bit words of one block. */
export function philox4x32(counter: readonly [number, number, number, number], key: readonly [number, number]): [number, number, number, number] {
  let [c0, c1, c2, c3] = counter
  let [k0, k1] = key
  for (let round = 0; round < 10; round++) {
    const h0 = mulHigh(M0, c0), l0 = Math.imul(M0, c0) >>> 0
    const h1 = mulHigh(M1, c2), l1 = Math.imul(M1, c2) >>> 0
    c0 = (h1 ^ c1 ^ k0) >>> 0; c1 = l1; c2 = (h0 ^ c3 ^ k1) >>> 0; c3 = l0
    k0 = (k0 + W0) >>> 0; k1 = (k1 + W1) >>> 0
  }
  return [c0 >>> 0, c1 >>> 0, c2 >>> 0, c3 >>> 0]
}

/** The random bits of element `element` of stream `stream` at step `step`. */
export function randomBits(seed: number, stream: number, step: number, element: number): number {
  const block = Math.floor(element / 64) * 16 + (element % 16)
  const word = Math.floor(element / 16) % 4
  const high = (x: number): number => Math.floor(x / 0x100000000) >>> 0
  return philox4x32([block >>> 0, high(block), step >>> 0, high(step)], [seed >>> 0, stream >>> 0])[word] as number
}

/** Uniform in [0, 1) with 24 bits, exact in float32. */
export function randomUniform(seed: number, stream: number, step: number, element: number): number {
  return (randomBits(seed, stream, step, element) >>> 8) * 2 ** -24
}
