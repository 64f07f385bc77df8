/**
 * The graph IR as text: printer. The reader is `graph-parse.ts`; reading what was printed gives an equal module, and
 * printing that gives the same text.
 *
 *     module "mlp" {
 *       variable "dense_1/kernel:0" : f32[4,8] weight trainable
 *       scalar "lr" = 0.001
 *
 *       function "predict" {
 *         %x = input() {name="x", dtype, shape} : f32[B,4]
 *         %1 = variable() {name="dense_1/kernel:0", dtype, shape} : f32[4,8]  // model.ts:3:5 dense_1
 *         %2 = matmul(%x, %1) : f32[B,8]  // model.ts:3:5 dense_1
 *         inputs %x
 *         output "y" = %2
 *         update "dense_1/kernel:0" = %1
 *       }
 *     }
 *
 * An attribute without a value (`dtype`, `shape`) is the one of the result's type. A comment is the provenance: the
 * user's line, then the path of layers; `// - path` when there is no line.
 */
import type { ElementType } from './element-type.js'
import { dimText, shapeText } from './dim.js'
import { rootsOf, topological, type Attrs, type AttrValue, type Graph, type Module, type Node, type Provenance, type Scalar, type TensorType, type Variable } from './graph.js'

export const dtypeNames: Readonly<Record<ElementType, string>> = { float32: 'f32', float64: 'f64', int32: 'i32', uint8: 'u8', bool: 'bool', bfloat16: 'bf16', tfloat32: 'tf32' }

/** "f32[B,64]". */
export const typeText = (type: TensorType): string => `${dtypeNames[type.dtype]}${shapeText(type.shape)}`

export function printModule(module: Module): string {
  const tables = [...module.variables.map(variableText), ...module.scalars.map(scalarText)]
  const parts = [...(tables.length > 0 ? [tables.join('\n')] : []), ...module.functions.map(printGraph)]
  return `module ${JSON.stringify(module.name)} {\n${indent(parts.join('\n\n'))}\n}\n`
}

export function printGraph(graph: Graph): string {
  const order = topological([...graph.inputs, ...rootsOf(graph)])
  const names = nodeNames(order)
  const at = (node: Node): string => names.get(node)!
  const lines = [
    ...order.map((node) => nodeText(node, at)),
    ...(graph.inputs.length > 0 ? [`inputs ${graph.inputs.map(at).join(', ')}`] : []),
    ...graph.outputs.map((o) => `output ${JSON.stringify(o.name)} = ${at(o.node)}`),
    ...graph.updates.map((u) => `update ${JSON.stringify(u.variable)} = ${at(u.node)}`),
  ]
  return `function ${JSON.stringify(graph.name)} {\n${indent(lines.join('\n'))}\n}`
}

/** One line for a node; `nameOf` names it and its inputs. */
export function nodeText(node: Node, nameOf: (node: Node) => string): string {
  const call = `${nameOf(node)} = ${node.op}(${node.inputs.map(nameOf).join(', ')})${attrsText(node.attrs, node.type)} : ${typeText(node.type)}`
  const from = provenanceText(node.from)
  return from === '' ? call : `${call}  // ${from}`
}

/** Names of nodes: that of the input for plain ones, else their position. */
export function nodeNames(order: readonly Node[]): Map<Node, string> {
  const taken = new Set<string>()
  return new Map(order.map((node, i) => {
    const { name } = node.attrs
    const plain = typeof name === 'string' && /^[A-Za-z_]\w*$/.test(name) && !taken.has(name) ? name : String(i)
    taken.add(plain)
    return [node, `%${plain}`]
  }))
}

const indent = (text: string): string => text.split('\n').map((line) => (line === '' ? '' : `  ${line}`)).join('\n')

const variableText = (v: Variable): string =>
  `variable ${JSON.stringify(v.name)} : ${typeText(v)} ${v.role}${v.trainable ? ' trainable' : ''}`

const scalarText = (s: Scalar): string => `scalar ${JSON.stringify(s.name)} = ${numberText(s.value)}`

export function provenanceText({ location, path }: Provenance): string {
  if (location) return [`${location.file}:${location.line}:${location.column}`, ...(path === '' ? [] : [path])].join(' ')
  return path === '' ? '' : `- ${path}`
}

function attrsText(attrs: Attrs, type: TensorType): string {
  const entries = Object.entries(attrs)
  if (entries.length === 0) return ''
  const ofType: Attrs = { dtype: type.dtype, shape: type.shape }
  const entryText = ([name, value]: [string, AttrValue]): string => {
    const text = attrText(value)
    return Object.hasOwn(ofType, name) && attrText(ofType[name]!) === text ? name : `${name}=${text}`
  }
  return ` {${entries.map(entryText).join(', ')}}`
}

/** Shortest text that reads back as the same number, -0 and NaN included. */
const numberText = (value: number): string => (Object.is(value, -0) ? '-0' : String(value))

export function attrText(value: AttrValue): string {
  if (typeof value === 'number') return numberText(value)
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'boolean' || value === null) return String(value)
  if ('terms' in value) return dimText(value)
  return `[${value.map(attrText).join(',')}]`
}
