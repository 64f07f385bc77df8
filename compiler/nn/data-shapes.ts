/** Shapes of the data a model meets first, for models that were made without the shape of their inputs. */
import { ValueError } from '../../runtime/contract/errors.js'
import type { ArrayData, ArrayLike, NestedArray, ShapedArray } from '../../runtime/contract/fit-types.js'
import type { KShape } from './shape.js'

const isShaped = (x: ArrayData): x is ShapedArray => 'shape' in x && Array.isArray(x.shape)
const isNumbers = (x: unknown): x is NestedArray => Array.isArray(x) && !(typeof x[0] === 'object' && x[0] !== null && !Array.isArray(x[0]))

/** `[null, ...]` for one array, a list of such for several. @throws ValueError for data without a shape. */
export function sampleShapes(x: ArrayData): KShape | KShape[] {
  if (isShaped(x)) return withoutBatch(x.shape)
  if (isNumbers(x)) return withoutBatch(nestedShape(x))
  if (ArrayBuffer.isView(x)) throw new ValueError('The shape of the inputs is not known: give the first layer an inputShape, or the data a shape.')
  const shapes = Object.values(x as Readonly<Record<string, ArrayLike>>).map((part) => sampleShapes(part) as KShape)
  return shapes.length === 1 ? shapes[0]! : shapes
}

const withoutBatch = (shape: readonly number[]): KShape => [null, ...shape.slice(1)]

function nestedShape(list: NestedArray): number[] {
  const shape: number[] = []
  for (let at: unknown = list; Array.isArray(at); at = at[0]) shape.push(at.length)
  return shape
}
