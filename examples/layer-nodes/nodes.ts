/** Every call of a layer makes a node of it: `kcc run examples/layer-nodes/nodes.ts` */
import { AttributeError, Conv2D, Dense, Input } from 'kcc'

/** Runs what must fail, and shows the message. */
function refused(what: string, f: () => unknown): void {
  try {
    console.log(what, f())
  } catch (error) {
    if (!(error instanceof AttributeError)) throw error
    console.log(`${what}: ${error.message}`)
  }
}

const a = Input({ shape: [140, 256] })
const dense = Dense(32)
const encodedA = dense(a)
// As long as the layer is called once, there is one output.
console.log('one call: output is encodedA:', dense.output === encodedA)

const b = Input({ shape: [140, 256] })
const encodedB = dense(b)
refused('two calls: output', () => dense.output)
console.log('by node:', dense.getOutputAt(0) === encodedA, dense.getOutputAt(1) === encodedB)

const small = Input({ shape: [32, 32, 3] })
const large = Input({ shape: [64, 64, 3] })
const conv = Conv2D(16, [3, 3], { padding: 'same' })
conv(small)
console.log('one input shape:', conv.inputShape)
conv(large)
refused('two input shapes', () => conv.inputShape)
console.log('by node:', conv.getInputShapeAt(0), conv.getInputShapeAt(1), '->', conv.getOutputShapeAt(0), conv.getOutputShapeAt(1))
