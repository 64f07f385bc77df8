/** Words as numbers, and a file of word vectors in GloVe's format as the first weights of an Embedding. */
import { readFileSync } from 'node:fs'

/** Each word's number, from 1 up, the most frequent first; 0 is padding. */
export function indexWords(texts: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const word of texts.flatMap((text) => text.split(' '))) counts.set(word, (counts.get(word) ?? 0) + 1)
  const byCount = [...counts].sort(([, a], [, b]) => b - a)
  return new Map(byCount.map(([word], i) => [word, i + 1]))
}

/** The last `length` words of each text as numbers, zeros before the first. */
export function toSequences(texts: readonly string[], index: ReadonlyMap<string, number>, length: number): { data: Int32Array; shape: [number, number] } {
  const data = new Int32Array(texts.length * length)
  texts.forEach((text, row) => {
    const numbers = text.split(' ').flatMap((word) => index.get(word) ?? []).slice(-length)
    data.set(numbers, (row + 1) * length - numbers.length)
  })
  return { data, shape: [texts.length, length] }
}

/** A line for each word: the word, then its coordinates, between spaces. */
export function readVectors(path: string): Map<string, number[]> {
  const lines = readFileSync(path, 'utf8').split('\n').filter((line) => line !== '')
  return new Map(lines.map((line) => {
    const [word, ...coordinates] = line.split(' ')
    return [word!, coordinates.map(Number)]
  }))
}

/** Row i is the vector of word i; zeros for padding and for words without a vector. */
export function embeddingMatrix(index: ReadonlyMap<string, number>, vectors: ReadonlyMap<string, readonly number[]>, size: number): number[][] {
  const matrix = Array.from({ length: index.size + 1 }, () => new Array<number>(size).fill(0))
  for (const [word, i] of index) {
    const vector = vectors.get(word)
    if (vector) matrix[i] = [...vector]
  }
  return matrix
}
