/** Embedding: numbers of words to vectors. */
import { ArgumentTypeError, ValueError } from '../../../runtime/contract/errors.js'
import { isStatic } from '../../ir/dim.js'
import { cast, gather } from '../../ops/build.js'
import { defineLayer } from '../define-layer.js'
import { constraint, initializer, integer, regularizer, type Option } from '../option.js'
import { reprText, tupleText } from '../python-text.js'
import { toList, type KShape } from '../shape.js'

type Lengths = number | readonly (number | null)[] | null

const isLength = (n: unknown): boolean => Number.isInteger(n) && Number(n) > 0
const isLengths = (v: unknown): v is Lengths => v === null || isLength(v) || (Array.isArray(v) && v.every((n) => n === null || isLength(n)))

/** How many words a sample has: a number, or one for each axis after the batch, where null stands for any. */
const lengths = (): Option<Lengths, Lengths> => ({
  doc: 'words of one sample; a list for several axes', fallback: null, serialize: (v) => v,
  parse: (v, name) => {
    if (isLengths(v)) return v
    throw new ArgumentTypeError(`\`${name}\` must be a positive integer, or a list of such and nulls. Found: ${reprText(v)}`)
  },
})

/** Masks do not travel through a model yet: a mask that nobody obeys would train on the padding. */
const noMask = (): Option<boolean, boolean> => ({
  doc: 'whether index 0 is padding; only false, because masks are not there yet', fallback: false, serialize: (v) => v,
  parse: (v, name) => {
    if (v === false) return v
    throw new ValueError(`\`${name}\` must be false: layers do not pass on masks yet, and padding would count as a word. Found: ${reprText(v)}`)
  },
})

/** @throws ValueError, in Keras' words, for another number of words. */
function outputShape(inputLength: Lengths, outputDim: number, shape: KShape): KShape {
  if (inputLength === null) return [...shape, outputDim]
  const given = shape.slice(1), wanted = toList(inputLength)
  const fits = wanted.length === given.length && wanted.every((n, i) => n === null || given[i] === null || n === given[i])
  if (!fits) throw new ValueError(`"input_length" is ${reprText(inputLength)}, but received input has shape ${tupleText(shape)}`)
  return [shape[0] ?? null, ...wanted.map((n, i) => n ?? given[i] ?? null), outputDim]
}

/**
 * `Embedding(inputDim, outputDim, options)`: row i of a trained table for each index i. Indices of the model's input are
 * checked when it is called; where they are computed, one outside the table gives zeros and trains nothing.
 */
export const Embedding = defineLayer({
  className: 'Embedding',
  doc: 'The vector of each index in [0, input_dim): [B, ...] to [B, ..., output_dim]. Weights: embeddings [input_dim, output_dim].',
  positional: ['inputDim', 'outputDim'],
  options: {
    inputDim: integer('how many indices there are: the largest plus one', undefined, 1),
    outputDim: integer('size of a vector', undefined, 1),
    embeddingsInitializer: initializer('first values of the table', 'uniform'),
    embeddingsRegularizer: regularizer('penalty on the table'),
    activityRegularizer: regularizer('penalty on the result'),
    embeddingsConstraint: constraint('projection of the table after each update'),
    maskZero: noMask(),
    inputLength: lengths(),
  },
  acceptsInputDim: false,
  /** As in Keras, the first layer of a model needs no shape. */
  impliedInputShape: ({ inputLength }) => (isLengths(inputLength) && inputLength !== null ? [...toList(inputLength)] : [null]),
  inputSpec: null,
  build: (layer) => {
    layer.addWeight({
      name: 'embeddings', shape: [layer.inputDim, layer.outputDim], initializer: layer.embeddingsInitializer,
      regularizer: layer.embeddingsRegularizer, constraint: layer.embeddingsConstraint,
    })
  },
  call: (layer, [x]) => {
    outputShape(layer.inputLength, layer.outputDim, x!.type.shape.map((d) => (isStatic(d) ? d : null)))
    return gather(layer.weightNamed('embeddings')!.node, cast(x!, 'int32'))
  },
  outputShape: (layer, [shape]) => outputShape(layer.inputLength, layer.outputDim, shape!),
})
