/** Numbers that the compiler and the hand-written headers must agree on. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { LONGEST_ZEROS } from '../../compiler/emit/contract-runs.js'
import { BLOCK_COLUMNS } from '../../compiler/ir/loop.js'

const header = (name: string): string => readFileSync(join(import.meta.dirname, '..', '..', 'native', 'include', 'kcc', name), 'utf8')
const number = (text: string, pattern: RegExp): number => Number(pattern.exec(text)?.[1])

test('are the same on both sides', () => {
  expect(number(header('abi.h'), /#define KCC_BLOCK_COLUMNS (\d+)/)).toBe(BLOCK_COLUMNS)
  expect(number(header('gemm.h'), /longest_zeros = (\d+)/)).toBe(LONGEST_ZEROS)
})
