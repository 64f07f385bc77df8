/** Numbers and names that the compiler and the hand-written native code must agree on. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { LONGEST_ZEROS } from '../../compiler/emit/contract-runs.js'
import { BLOCK_COLUMNS } from '../../compiler/ir/loop.js'
import { cublasltNames, cudnnName } from '../../compiler/support/env.js'
import { RUNTIME_ABI } from '../../runtime/load-package.js'

const native = (...path: string[]): string => readFileSync(join(import.meta.dirname, '..', '..', 'native', ...path), 'utf8')
const header = (name: string): string => native('include', 'kcc', name)
const number = (text: string, pattern: RegExp): number => Number(pattern.exec(text)?.[1])

test('are the same on both sides', () => {
  expect(number(header('abi.h'), /#define KCC_BLOCK_COLUMNS (\d+)/)).toBe(BLOCK_COLUMNS)
  expect(number(header('abi.h'), /#define KCC_ABI (\d+)/)).toBe(RUNTIME_ABI)
  expect(number(header('gemm.h'), /longest_zeros = (\d+)/)).toBe(LONGEST_ZEROS)
})

test('files of libraries are looked for under the same names, in the same order', () => {
  expect(native('cuda', 'cublaslt.cc').match(/libcublasLt\.so\.\d+/g)).toEqual(cublasltNames)
  expect(native('cuda', 'cudnn.cc').match(/libcudnn\.so\.\d+/g)).toEqual([cudnnName])
})
