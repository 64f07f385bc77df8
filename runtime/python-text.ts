/** Numbers and shapes spelled as Python spells them, for messages and progress lines that match Keras' character for character. */

/** `(None, 3)`, `(10,)`, `()`: a tuple; `null` and symbols print as None. */
export function pythonTuple(shape: readonly (number | string | null)[]): string {
  const parts = shape.map((d) => (typeof d === 'number' ? String(d) : 'None'))
  return parts.length === 1 ? `(${parts[0]},)` : `(${parts.join(', ')})`
}

/** `['a', 'b']`. */
export const pythonNames = (names: readonly string[]): string => `[${names.map((n) => `'${n}'`).join(', ')}]`

const special = (x: number): string | null => (Number.isNaN(x) ? 'nan' : x === Infinity ? 'inf' : x === -Infinity ? '-inf' : null)

/**
 * `'%.<digits>f' % x`. C rounds exact ties to the even digit, `toFixed` away from zero, so ties (0.03125 to four
 * digits, say) are decided here: a tie is a double, so its decimal expansion ends after the 5.
 */
export function formatFixed(x: number, digits: number): string {
  const word = special(x)
  if (word !== null) return word
  if (Math.abs(x) >= 1e21) return BigInt(x).toString() + (digits > 0 ? '.' + '0'.repeat(digits) : '')
  const exact = Math.abs(x).toFixed(Math.min(100, digits + 60))
  const cut = exact.length - (Math.min(100, digits + 60) - digits)
  const tie = /^50*$/.test(exact.slice(cut))
  const kept = digits === 0 ? exact.slice(0, cut - 1) : exact.slice(0, cut)
  const even = Number(kept[kept.length - 1]) % 2 === 0
  const text = tie && even ? kept : Math.abs(x).toFixed(digits)
  return (x < 0 || Object.is(x, -0) ? '-' : '') + text
}

/** `'%.<digits>e' % x`: at least two digits of exponent. */
export function formatExponent(x: number, digits: number): string {
  const word = special(x)
  if (word !== null) return word
  const [mantissa, exponent] = x.toExponential(digits).split('e') as [string, string]
  return `${mantissa}e${exponent[0]}${exponent.slice(1).padStart(2, '0')}`
}
