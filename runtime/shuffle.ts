/** Orders of samples drawn from Philox, the same for a seed on every machine. */
import { philox4x32 } from './contract/philox.js'

/** Key that no random op of a module has: streams of ops count up from 0. */
const SHUFFLE_STREAM = 0xffffffff

/**
 * A permutation of [0, length), Fisher-Yates from the end.
 * @param draw number of the shuffle, below 2^53: every epoch has its own.
 */
export function permutation(length: number, seed: number, draw: number): Int32Array {
  const order = Int32Array.from({ length }, (_, i) => i)
  const words = randomWords(seed, draw)
  for (let i = length - 1; i > 0; i--) {
    // The upper part of word * (i + 1) is uniform on [0, i] up to (i + 1) / 2^32.
    const j = Math.floor((words() * (i + 1)) / 0x100000000)
    const kept = order[i]!
    order[i] = order[j]!
    order[j] = kept
  }
  return order
}

/** Whole batches in a random order; the samples left over after the last full batch stay at the end. */
export function batchPermutation(length: number, batchSize: number, seed: number, draw: number): Int32Array {
  const batches = permutation(Math.floor(length / batchSize), seed, draw)
  return Int32Array.from({ length }, (_, i) => {
    const batch = batches[Math.floor(i / batchSize)]
    return batch === undefined ? i : batch * batchSize + (i % batchSize)
  })
}

function randomWords(seed: number, draw: number): () => number {
  const high = Math.floor(draw / 0x100000000) >>> 0
  let block = 0, used = 4
  let words: readonly number[] = []
  return () => {
    if (used === 4) { words = philox4x32([block++ >>> 0, 0, draw >>> 0, high], [seed >>> 0, SHUFFLE_STREAM]); used = 0 }
    return words[used++]!
  }
}
