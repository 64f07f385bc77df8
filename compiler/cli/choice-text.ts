/** What was measured of a product, in words. */
import type { ProductChoice } from '../../runtime/index.js'

/** Who computes a product, and why. */
export function choiceText({ by, ownNanoseconds, libraryNanoseconds, why }: ProductChoice): string {
  const [own, library] = [ownNanoseconds, libraryNanoseconds].map((time) => `${(time / 1e3).toFixed(1)} µs`)
  if (by !== 'own') return `cuBLASLt${by === 'library' ? '' : ', then a kernel of kcc'}: ${library}, kcc ${own}`
  return libraryNanoseconds === 0 ? `kcc: ${why}` : `kcc: ${own}, cuBLASLt ${library}`
}
