/** Colours of messages. Plain when the stream is no terminal or `NO_COLOR` is set. */
import { setting } from './env.js'

export type Style = 'red' | 'yellow' | 'green' | 'cyan' | 'dim' | 'bold'
export type Paint = (style: Style, text: string) => string

const codes: Readonly<Record<Style, readonly [on: number, off: number]>> = {
  red: [31, 39], yellow: [33, 39], green: [32, 39], cyan: [36, 39], dim: [2, 22], bold: [1, 22],
}

export const plain: Paint = (_style, text) => text
export const ansi: Paint = (style, text) => `\x1b[${codes[style][0]}m${text}\x1b[${codes[style][1]}m`

/** The painter for a stream. */
export function paintFor(stream: { readonly isTTY?: boolean }): Paint {
  return stream.isTTY === true && setting('NO_COLOR') === undefined ? ansi : plain
}
