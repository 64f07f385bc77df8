/** Options of initializers, regularizers and constraints, checked for programs without types. */
import { ArgumentTypeError } from '../../runtime/contract/errors.js'
import { captureLocation } from '../support/capture.js'
import { namesHint } from '../support/closest.js'
import { camelToSnake } from './configured.js'
import { reprText } from './python-text.js'

const kinds = {
  number: { wanted: 'a number', fits: (v: unknown) => typeof v === 'number' && !Number.isNaN(v) },
  seed: { wanted: 'a number or null', fits: (v: unknown) => v === null || typeof v === 'number' },
  text: { wanted: 'a text', fits: (v: unknown) => typeof v === 'string' },
  axis: { wanted: 'an axis or a list of axes', fits: (v: unknown) => (Array.isArray(v) ? v : [v]).every(Number.isInteger) },
} as const

/** `maker({ … })`. @throws TypeError, as Python, for what is no object, an unknown option, or a value of the wrong kind. */
export function checkOptions<O extends object>(maker: string, options: O, table: Readonly<Record<keyof O, keyof typeof kinds>>): O {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new ArgumentTypeError(`${maker}() takes its options in one object, such as { ${Object.keys(table).join(', ')} }. Found: ${reprText(options)}`, captureLocation())
  }
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(table, name)) throw new ArgumentTypeError(`${maker}() got an unexpected keyword argument '${camelToSnake(name)}'`, captureLocation(), namesHint(name, Object.keys(table)))
    const { wanted, fits } = kinds[table[name as keyof O]]
    if (value !== undefined && !fits(value)) throw new ArgumentTypeError(`\`${camelToSnake(name)}\` must be ${wanted}. Found: ${reprText(value)}`, captureLocation())
  }
  return options
}
