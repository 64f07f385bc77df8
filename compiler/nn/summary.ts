/** `model.summary()`: the exact table of Keras 2.3. */
import { AttributeError, KccError } from '../../runtime/contract/errors.js'
import type { InboundNode } from './inbound-node.js'
import type { Network } from './functional.js'
import type { Layer } from './layer.js'
import { shapesText, tupleText } from './python-text.js'
import type { KShape } from './shape.js'

export type SummaryOptions = {
  /** Characters in a line. */
  readonly lineLength?: number | null
  /** Where columns end: fractions of the line, or characters. */
  readonly positions?: readonly number[] | null
  /** Called with each line; default prints it. */
  readonly printFn?: ((line: string) => void) | null
}

export type Summarized = {
  readonly name: string
  readonly isSequential: boolean
  readonly network: Network | null
  readonly layers: readonly Layer[]
  /** Numbers in trainable and other weights. */
  readonly trainable: number
  readonly others: number
}

/** Whether each layer has one call, and each call one input: then no connections are shown. */
function isChain({ isSequential, network, layers }: Summarized): boolean {
  if (isSequential || !network) return true
  if (network.nodesByDepth.some((level) => level.length > 1 || sources(level[0]!) > 1)) return false
  return layers.every((layer) => layer.inboundNodes.filter((n) => network.nodes.has(n)).length <= 1)
}

const sources = (node: InboundNode): number => (node.isSource ? 0 : node.inputs.length)

function shapeText(layer: Layer): string {
  try {
    const shape = layer.outputShape
    return Array.isArray(shape[0]) ? shapesText(shape as KShape[]) : tupleText(shape as KShape)
  } catch (error) {
    if (error instanceof AttributeError) return 'multiple'
    throw error
  }
}

/** `dense_1[0][0]` for each tensor the layer reads in this network. */
const connectionsOf = (layer: Layer, network: Network): string[] =>
  layer.inboundNodes.filter((n) => network.nodes.has(n) && !n.isSource)
    .flatMap((n) => n.inputs.map(({ history }) => (history ? `${history.layer.name}[${history.nodeIndex}][${history.tensorIndex}]` : '')))

/** Fields side by side, each cut where its column ends and one space before the next. */
function row(fields: readonly string[], ends: readonly number[]): string {
  return fields.reduce((line, field, i) => `${i > 0 ? `${line.slice(0, -1)} ` : ''}${field}`.slice(0, ends[i]).padEnd(ends[i]!), '')
}

function layerRows(layer: Layer, network: Network | null, ends: readonly number[]): string[] {
  const fields = [`${layer.name} (${layer.className})`, shapeText(layer), String(layer.countParams())]
  if (!network) return [row(fields, ends)]
  const [first = '', ...others] = connectionsOf(layer, network)
  return [row([...fields, first], ends), ...others.map((c) => row(['', '', '', c], ends))]
}

const grouped = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, ',')

export function summaryLines(model: Summarized, options: SummaryOptions = {}): string[] {
  const chain = isChain(model)
  const width = options.lineLength || (chain ? 65 : 98)
  const given = options.positions ?? (chain ? [0.45, 0.85, 1] : [0.33, 0.55, 0.67, 1])
  const ends = given.at(-1)! <= 1 ? given.map((p) => Math.trunc(width * p)) : [...given]
  const header = ['Layer (type)', 'Output Shape', 'Param #', ...(chain ? [] : ['Connected to'])]
  const rule = '_'.repeat(width)
  if (ends.length < header.length) throw new KccError(`positions: expected ${header.length} columns, found ${ends.length}.`)
  const rows = model.layers.flatMap((layer, i) =>
    [...layerRows(layer, chain ? null : model.network, ends), i === model.layers.length - 1 ? '='.repeat(width) : rule])
  return [
    `Model: "${model.name}"`, rule, row(header, ends), '='.repeat(width), ...rows,
    `Total params: ${grouped(model.trainable + model.others)}`,
    `Trainable params: ${grouped(model.trainable)}`,
    `Non-trainable params: ${grouped(model.others)}`,
    rule,
  ]
}

export function printSummary(model: Summarized, options: SummaryOptions = {}): void {
  const print = options.printFn ?? ((line: string) => process.stdout.write(`${line}\n`))
  for (const line of summaryLines(model, options)) print(line)
}
