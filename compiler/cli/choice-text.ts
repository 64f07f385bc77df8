/** What was measured of a product, in words. */
import { libraryTitles, type ProductChoice } from '../../runtime/index.js'

/** Who computes a product, and why. */
export function choiceText({ by, library, ownNanoseconds, libraryNanoseconds, why }: ProductChoice): string {
  const [own, taken] = [ownNanoseconds, libraryNanoseconds].map((time) => `${(time / 1e3).toFixed(1)} µs`), title = libraryTitles[library]
  if (by !== 'own') return `${title}${by === 'library' ? '' : ', then a kernel of kcc'}: ${taken}, kcc ${own}`
  return libraryNanoseconds === 0 ? `kcc: ${why}` : `kcc: ${own}, ${title} ${taken}`
}
