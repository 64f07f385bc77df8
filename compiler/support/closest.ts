/** The name that was probably meant, for messages. */

/** Insertions, deletions, replacements and swaps of neighbours that make `b` of `a`. */
function distance(a: string, b: string): number {
  const rows = Array.from({ length: a.length + 1 }, (_, i) => Array.from({ length: b.length + 1 }, (__, j) => (i === 0 ? j : j === 0 ? i : 0)))
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const replaced = rows[i - 1]![j - 1]! + Number(a[i - 1] !== b[j - 1])
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? rows[i - 2]![j - 2]! + 1 : Infinity
      rows[i]![j] = Math.min(replaced, swapped, rows[i - 1]![j]! + 1, rows[i]![j - 1]! + 1)
    }
  }
  return rows[a.length]![b.length]!
}

const plain = (name: string): string => name.toLowerCase().replaceAll('_', '')

/** The one of `names` that `found` differs least from, when less than a third of it differs; capitals and underscores do not count. */
export function closestName(found: string, names: readonly string[]): string | null {
  const ranked = names.map((name) => ({ name, away: distance(plain(found), plain(name)) })).sort((a, b) => a.away - b.away)
  const best = ranked[0]
  return best && best.away <= Math.max(1, Math.floor(plain(found).length / 3)) ? best.name : null
}

/** A hint for messages: the name that was meant, or all there are. */
export function namesHint(found: string, names: readonly string[]): string {
  const meant = closestName(found, names)
  return meant === null ? `expected one of: ${names.join(', ')}` : `did you mean ${meant}?`
}
