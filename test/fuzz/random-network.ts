/** A random network for a seed: layers over sequences, images or volumes, then a product or two; its gradient; updates. */
import { symbol } from '../../compiler/ir/dim.js'
import type { Node } from '../../compiler/ir/graph.js'
import * as b from '../../compiler/ops/build.js'
import { logSoftmax, softmax } from '../../compiler/ops/compositions.js'
import { f32, i32 } from '../../compiler/ops/samples.js'
import { randomSource } from '../ops/values.js'
import { Draw } from './draw.js'
import { flattened, isSmallImage, networkSteps } from './network-steps.js'
import { attempt, finished, type RandomFunction } from './random-function.js'

const B = symbol('B')

/** Largest sizes along an axis of sequences, images and volumes. */
const largest = { 1: 9, 2: 6, 3: 3 } as const

function imageOf(seed: number): Node {
  const random = randomSource(seed + 1), rank = ([1, 2, 2, 2, 3] as const)[Math.floor(random() * 5)]!
  const channels = [1, 2, 3, 5, 8, 15, 17][Math.floor(random() * 7)]!
  return b.input('x', f32(B, ...Array.from({ length: rank }, () => 1 + Math.floor(random() * largest[rank])), channels))
}

export function randomNetwork(seed: number): RandomFunction {
  const image = imageOf(seed), d = new Draw(seed, [image], b.input('labels', i32(B)))
  let at = image
  for (let i = 0, count = 2 + d.whole(4); i < count; i++) {
    const made = b.within({ location: null, path: `layer_${i}` }, () => attempt(() => d.of(networkSteps)(d, at)))
    if (!made || !isSmallImage(made)) continue
    at = made
    d.pool.push(at)
  }
  const results = b.within({ location: null, path: 'head' }, () => head(d, at))
  return finished(seed, d, d.chance(0.3) ? [...results, at] : results)
}

function head(d: Draw, x: Node): Node[] {
  const flat = flattened(d, x), width = Number(flat.type.shape[1])
  const hidden = d.chance(0.5) ? b.relu(b.add(b.matmul(flat, d.variable([width, 6])), d.variable([6]))) : flat
  const logits = b.mul(b.matmul(hidden, d.variable([Number(hidden.type.shape[1]), 5])), 1 / Math.sqrt(width))
  const classes = b.iota(logits.type.shape, 1, 'int32')
  const hot = b.cast(b.equal(classes, b.broadcastTo(b.expandDims(d.labels, 1), logits.type.shape)), 'float32')
  return d.of<() => Node[]>([() => [logits], () => [softmax(logits)], () => [softmax(logits), b.neg(b.sum(b.mul(hot, logSoftmax(logits)), 1))]])()
}
