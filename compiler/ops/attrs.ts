/** Typed reading of attributes. A missing or ill-typed attribute is a fault of kcc or of a hand-written IR file. */
import type { DType } from '../../runtime/contract/dtype.js'
import { ValueError } from '../../runtime/contract/errors.js'
import type { Dim, Shape } from '../ir/dim.js'
import type { ElementType } from '../ir/element-type.js'
import type { Attrs, AttrValue } from '../ir/graph.js'
import { currentProvenance } from './provenance.js'

const dtypes: readonly string[] = ['float32', 'int32', 'bool', 'uint8', 'float64'] satisfies DType[]
const elementTypes: readonly string[] = [...dtypes, 'bfloat16', 'tfloat32']

function fail(name: string, expected: string, found: AttrValue | undefined): never {
  throw new ValueError(`Expected attribute "${name}" to be ${expected}, found ${JSON.stringify(found)}.`, currentProvenance().location)
}

const isDim = (v: AttrValue | undefined): v is Dim =>
  typeof v === 'number' || (typeof v === 'object' && v !== null && 'terms' in v)
const isDimList = (v: AttrValue | undefined): v is Shape => Array.isArray(v) && v.every(isDim)
const isIntegerList = (v: AttrValue | undefined): v is readonly number[] => Array.isArray(v) && v.every(Number.isInteger)

export function numberAttr(attrs: Attrs, name: string): number {
  const v = attrs[name]
  return typeof v === 'number' ? v : fail(name, 'a number', v)
}

export function integersAttr(attrs: Attrs, name: string): readonly number[] {
  const v = attrs[name]
  return isIntegerList(v) ? v : fail(name, 'a list of integers', v)
}

export function dimAttr(attrs: Attrs, name: string): Dim {
  const v = attrs[name]
  return isDim(v) ? v : fail(name, 'a dimension', v)
}

export function shapeAttr(attrs: Attrs, name: string): Shape {
  const v = attrs[name]
  return isDimList(v) ? v : fail(name, 'a shape', v)
}

export function stringAttr(attrs: Attrs, name: string): string {
  const v = attrs[name]
  return typeof v === 'string' ? v : fail(name, 'a string', v)
}

/** A flag; left out it is false. */
export function flagAttr(attrs: Attrs, name: string): boolean {
  const v = attrs[name] ?? false
  return typeof v === 'boolean' ? v : fail(name, 'true or false', v)
}

export function dtypeAttr(attrs: Attrs, name = 'dtype'): DType {
  const v = stringAttr(attrs, name)
  return dtypes.includes(v) ? (v as DType) : fail(name, `one of ${dtypes.join(', ')}`, v)
}

/** Of a value inside of a function, which may have a format that no data have. */
export function elementTypeAttr(attrs: Attrs, name = 'dtype'): ElementType {
  const v = stringAttr(attrs, name)
  return elementTypes.includes(v) ? (v as ElementType) : fail(name, `one of ${elementTypes.join(', ')}`, v)
}

const ties = ['shared', 'first', 'every'] as const
/** Which of several equal elements has the gradient of an extreme: an equal share each, the first all of it, or each all of it. */
export type Ties = (typeof ties)[number]

/** Left out it is `shared`. */
export function tiesAttr(attrs: Attrs): Ties {
  const v = attrs['ties'] ?? 'shared'
  return ties.find((t) => t === v) ?? fail('ties', `one of ${ties.join(', ')}`, v)
}
