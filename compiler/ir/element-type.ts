/**
 * Element types of values inside of compiled functions: those of data, and two formats of float32 with fewer digits, which
 * operands of products have and what is stored between products. No input, output or variable has them; nothing is computed in
 * them but that a `cast` rounds to them: in registers they are float32.
 */
import { itemSize, type DType } from '../../runtime/contract/dtype.js'

/** `bfloat16`: the upper half of a float32, 8 digits. `tfloat32`: 11 digits, stored as the float32 it is (NVIDIA's TF32). */
export type ShortFloat = 'bfloat16' | 'tfloat32'
export type ElementType = DType | ShortFloat

/** Bytes of one element in memory. */
export const elementSize: Readonly<Record<ElementType, number>> = { ...itemSize, bfloat16: 2, tfloat32: 4 }

/** What an element is while it is computed with. */
export const computedAs = (dtype: ElementType): DType => (isShortFloat(dtype) ? 'float32' : dtype)

export const isShortFloat = (dtype: ElementType): dtype is ShortFloat => dtype === 'bfloat16' || dtype === 'tfloat32'

/** The type of what data hold. @throws RangeError for a format that is only found inside of functions. */
export function dataType(dtype: ElementType): DType {
  if (isShortFloat(dtype)) throw new RangeError(`${dtype} is a format of what is inside of functions, which no data have`)
  return dtype
}

const scratch = new Float32Array(1), word = new Uint32Array(scratch.buffer)

/** `x` rounded to the format: bfloat16 to the nearest, of two the even one; TF32 to the nearest, of two the larger magnitude. NaN stays NaN. */
export function roundedTo(format: ShortFloat, x: number): number {
  scratch[0] = x
  if (Number.isNaN(x)) return x
  const bits = word[0]!
  word[0] = format === 'bfloat16' ? (bits + 0x7fff + ((bits >>> 16) & 1)) & 0xffff0000 : (bits + 0x1000) & 0xffffe000
  return scratch[0]
}
