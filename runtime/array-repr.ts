/**
 * The text numpy's `repr` gives an array, for messages that quote the user's data: eight significant decimals, columns
 * aligned, lines of 75 characters, arrays of more than 1000 elements shortened to three at each edge.
 */
import type { DType, TypedArray } from './contract/dtype.js'

const LINE_WIDTH = 75, THRESHOLD = 1000, EDGE = 3, PRECISION = 8

type Layout = { readonly shape: readonly number[]; readonly shorten: boolean; readonly text: (i: number) => string }

export function arrayRepr(data: TypedArray, shape: readonly number[], dtype: DType): string {
  const shorten = data.length > THRESHOLD
  const shown = shorten ? edgeElements(shape) : [...data.keys()]
  const text = formatter(shown.map((i) => data[i]!), dtype)
  const body = data.length === 0 ? '[]' : layout({ shape, shorten, text: (i) => text(data[i]!) }, 0, 0, 'array('.length)
  // float64 and bool show in the elements, if there are any; int32 does not: numpy's default integer has 64 bits.
  const implied = data.length > 0 && (dtype === 'float64' || dtype === 'bool')
  const shapeText = data.length === 0 && shape.length > 1 ? [`shape=(${shape.join(', ')})`] : []
  return `array(${[body, ...shapeText, ...(implied ? [] : [`dtype=${dtype}`])].join(', ')})`
}

/** Indices shown along a dimension; -1 stands for the dots. */
const positions = (length: number, shorten: boolean): number[] => {
  if (!shorten || length <= 2 * EDGE) return [...Array(length).keys()]
  return [...Array(EDGE).keys(), -1, ...Array.from({ length: EDGE }, (_, i) => length - EDGE + i)]
}

function edgeElements(shape: readonly number[]): number[] {
  return shape.reduce<number[]>((offsets, size) => {
    const along = positions(size, true).filter((i) => i >= 0)
    return offsets.flatMap((offset) => along.map((i) => offset * size + i))
  }, [0])
}

function layout(array: Layout, axis: number, offset: number, indent: number): string {
  const { shape, text } = array
  if (axis === shape.length) return text(offset)
  const size = shape[axis]!
  const items = positions(size, array.shorten).map((i) => (i < 0 ? '...' : layout(array, axis + 1, offset * size + i, indent + 1)))
  if (axis === shape.length - 1) return `[${wrap(items, indent + 1)}]`
  return `[${items.join(',' + '\n'.repeat(shape.length - 1 - axis) + ' '.repeat(indent + 1))}]`
}

/** Joins the elements of the last dimension, breaking lines before the right margin. */
function wrap(items: readonly string[], indent: number): string {
  let result = '', line = indent
  items.forEach((item, i) => {
    const comma = i === items.length - 1 ? '' : ','
    const needed = item.length + 1 + (i === 0 ? 0 : 1)
    if (i > 0 && line + needed > LINE_WIDTH) { result += '\n' + ' '.repeat(indent); line = indent }
    else if (i > 0) { result += ' '; line += 1 }
    result += item + comma
    line += item.length + comma.length
  })
  return result
}

function formatter(shown: readonly number[], dtype: DType): (x: number) => string {
  if (dtype === 'bool') return (x) => (x !== 0 ? ' True' : 'False')
  if (dtype !== 'float32' && dtype !== 'float64') return padded(shown.map(String), String)
  return floatFormatter(shown, dtype)
}

function padded(all: readonly string[], text: (x: number) => string): (x: number) => string {
  const width = Math.max(0, ...all.map((s) => s.length))
  return (x) => text(x).padStart(width)
}

/** Shortest decimal of a number of this type. A float32 is printed by the fewest digits that give it back. */
function shortest(x: number, dtype: DType): string {
  if (dtype === 'float64') return String(x)
  for (let p = 1; p < 9; p++) if (Math.fround(Number(x.toPrecision(p))) === x) return String(Number(x.toPrecision(p)))
  return String(Number(x.toPrecision(9)))
}

function floatFormatter(shown: readonly number[], dtype: DType): (x: number) => string {
  const finite = shown.filter(Number.isFinite), magnitudes = finite.map(Math.abs).filter((x) => x > 0)
  const largest = Math.max(0, ...magnitudes), smallest = Math.min(Infinity, ...magnitudes)
  const scientific = largest >= 1e8 || smallest < 1e-4 || largest / smallest > 1000
  const decimals = scientific ? exponentDecimals(finite, dtype) : fixedDecimals(finite, dtype)
  const text = (x: number): string => nonFinite(x) ?? (scientific ? exponential(x, decimals) : fixed(x, decimals, dtype))
  return padded(shown.map(text), text)
}

const nonFinite = (x: number): string | null => (Number.isNaN(x) ? 'nan' : Number.isFinite(x) ? null : x > 0 ? 'inf' : '-inf')

const fixedDecimals = (xs: readonly number[], dtype: DType): number =>
  Math.min(PRECISION, Math.max(0, ...xs.map((x) => Number(shortest(x, dtype)).toFixed(PRECISION).replace(/0+$/, '').split('.')[1]?.length ?? 0)))

const exponentDecimals = (xs: readonly number[], dtype: DType): number =>
  Math.min(PRECISION, Math.max(0, ...xs.map((x) => Number(shortest(x, dtype)).toExponential().split('e')[0]!.split('.')[1]?.length ?? 0)))

/** `0.5 ` and `0.25`: fewer decimals are filled with spaces, as numpy does. */
function fixed(x: number, decimals: number, dtype: DType): string {
  const digits = Number(shortest(x, dtype)).toFixed(decimals)
  const trimmed = decimals === 0 ? digits + '.' : digits.replace(/0+$/, '')
  return trimmed.padEnd(digits.length + (decimals === 0 ? 1 : 0))
}

function exponential(x: number, decimals: number): string {
  const [mantissa, exponent] = x.toExponential(decimals).split('e') as [string, string]
  return `${mantissa}${decimals === 0 ? '.' : ''}e${exponent[0]}${exponent.slice(1).padStart(2, '0')}`
}
