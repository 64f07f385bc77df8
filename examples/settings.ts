/** Settings of an example on its command line, so that it can be tried at another size: `--epochs 3 --samples 200`. */
import { parseArgs } from 'node:util'

/** The numbers in `defaults`, replaced by those that were given. @throws Error for one that is not a whole number of at least 1 */
export function settings<T extends Readonly<Record<string, number>>>(defaults: T): T {
  const options = Object.fromEntries(Object.keys(defaults).map((name) => [name, { type: 'string' as const }]))
  const { values } = parseArgs({ options, strict: false })
  const wanted = (name: string): number => {
    const number = Number(values[name] ?? defaults[name])
    if (!Number.isInteger(number) || number < 1) throw new Error(`--${name} takes a whole number of at least 1, found "${String(values[name])}"`)
    return number
  }
  return Object.fromEntries(Object.keys(defaults).map((name) => [name, wanted(name)])) as T
}
