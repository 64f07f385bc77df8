/**
 * Reverse-mode differentiation on the DAG. Gradients are ordinary nodes, so gradients of gradients work, and shared
 * values are differentiated once. What an op contributes is its record's `gradient`.
 *
 * Every node made for the gradient of a node carries that node's line and the path `grad(<its path>)`.
 */
import { ValueError } from '../../runtime/contract/errors.js'
import { equalShapes, shapeText } from '../ir/dim.js'
import { topological, type Node } from '../ir/graph.js'
import { add, onesLike } from './build.js'
import { opOf } from './registry.js'
import { within } from './provenance.js'

/**
 * Gradients of `target` (0-d, or any shape with a `seed` of its type: the gradient flowing into it) to each of `wrt`;
 * null where it does not depend on one.
 * @throws ValueError for a target that is not a float, or not 0-d when no seed is given.
 */
export function gradients(target: Node, seed: Node | null, wrt: readonly Node[]): (Node | null)[] {
  const start = seed ?? defaultSeed(target)
  if (!equalShapes(start.type.shape, target.type.shape)) {
    throw new ValueError(`gradients: expected a seed of shape ${shapeText(target.type.shape)}, found ${shapeText(start.type.shape)}.`, target.from.location)
  }
  const order = topological([target])
  const relevant = dependents(order, wrt)
  const found = new Map<Node, Node>([[target, start]])
  for (const node of order.reverse()) {
    const grad = found.get(node)
    if (grad && relevant.has(node)) propagate(node, grad, relevant, found)
  }
  return wrt.map((x) => (relevant.has(x) ? found.get(x) ?? null : null))
}

function defaultSeed(target: Node): Node {
  if (target.type.shape.length > 0 || !target.type.dtype.startsWith('float')) {
    throw new ValueError(`gradients: expected a float of shape [], found ${target.type.dtype}${shapeText(target.type.shape)}.`, target.from.location)
  }
  return within({ location: target.from.location, path: `grad(${target.from.path})` }, () => onesLike(target))
}

/** Nodes of `order` that are or use one of `wrt`: only these need a gradient. */
function dependents(order: readonly Node[], wrt: readonly Node[]): Set<Node> {
  const found = new Set<Node>(wrt)
  for (const node of order) if (node.inputs.some((x) => found.has(x))) found.add(node)
  return found
}

/** Adds what flows from `node` into its inputs. */
function propagate(node: Node, grad: Node, relevant: ReadonlySet<Node>, found: Map<Node, Node>): void {
  const { gradient } = opOf(node)
  if (typeof gradient !== 'function') return
  within({ location: node.from.location, path: `grad(${node.from.path})` }, () => {
    gradient(node, grad).forEach((part, i) => {
      const x = node.inputs[i]!
      if (part === null || !relevant.has(x)) return
      const before = found.get(x)
      found.set(x, before ? add(before, part) : part)
    })
  })
}
