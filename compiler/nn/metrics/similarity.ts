/** Metrics of values and of segmentations that are no loss of the same name. Source: keras/metrics.py of 2.3.1; tf.keras for MeanIoU. */
import { ArgumentTypeError, ValueError } from '../../../runtime/contract/errors.js'
import type { Node } from '../../ir/graph.js'
import { add, cast, equal, iota, matmul, mul, notEqual, reshape, select, sqrt, sub, sum } from '../../ops/build.js'
import { square } from '../../ops/compositions.js'
import { cosineBetween } from '../losses/regression.js'
import { integer, type Option } from '../option.js'
import { spread } from './confusion.js'
import { always, countedFromSecond, defineMetric } from './define-metric.js'
import { quotient, runningMean } from './running-mean.js'

/** `RootMeanSquaredError({ name })`: the square root of the mean over everything seen. */
export const RootMeanSquaredError = defineMetric({
  className: 'RootMeanSquaredError',
  doc: 'sqrt(mean((p - t)²)) over everything seen',
  functions: [],
  instanceName: always('root_mean_squared_error'),
  options: {},
  positional: [],
  sparse: false,
  rule: () => {
    const squares = runningMean(({ target, prediction }) => square(sub(prediction.node, target)))
    return { ...squares, result: (state) => sqrt(squares.result(state)) }
  },
})

/** `CosineSimilarity({ axis, name })`: 1 where target and prediction point the same way. The loss of this name is its negative. */
export const CosineSimilarity = defineMetric({
  className: 'CosineSimilarity',
  doc: 'sum(t / |t| · p / |p|) along an axis',
  functions: ['cosine_proximity', 'cosine', 'cosine_similarity'],
  instanceName: always('cosine_similarity'),
  options: { axis: integer('axis along which the vectors lie', -1) },
  positional: [],
  sparse: false,
  rule: ({ axis }) => ({ values: ({ target, prediction }) => cosineBetween(target, prediction.node, axis) }),
})

const classCount: Option<number, number> = {
  doc: 'how many classes there are', serialize: (v) => v,
  parse: (v, name) => {
    const count = integer('').parse(v, name)
    if (count < 1) throw new ValueError(`\`${name}\` must be at least 1. Found: ${count}`)
    return count
  },
}

/** [N, C] with a 1 at the class of each element; none for a number that is no class. */
function oneHotRows(labels: Node, classes: number): Node {
  const column = reshape(cast(labels, 'int32'), [-1, 1])
  const shape = [column.type.shape[0]!, classes]
  return cast(equal(column, iota(shape, 1, 'int32')), 'float32')
}

/** How often class i is taken for class j: [C, C]. */
function confusionOf(target: Node, predicted: Node, weights: Node | null, classes: number): Node {
  const rows = oneHotRows(target, classes)
  const each = spread(weights, target)
  return matmul(each === null ? rows : mul(rows, reshape(each, [-1, 1])), oneHotRows(predicted, classes), { transposeA: true })
}

/** `MeanIoU(3, { name })`: intersection over union of labelled and predicted class numbers, averaged over the classes that occur. */
export const MeanIoU = defineMetric({
  className: 'MeanIoU',
  doc: 'mean over classes of TP / (TP + FP + FN), targets and predictions being class numbers',
  functions: [],
  instanceName: countedFromSecond('MeanIoU'),
  options: { numClasses: classCount },
  positional: ['numClasses'],
  sparse: false,
  rule: ({ numClasses }) => ({
    state: [{ name: 'total_confusion_matrix', shape: [numClasses, numClasses] }],
    update: ([before], { target, prediction, weights }) => {
      if (target.type.shape.length !== prediction.node.type.shape.length) throw new ArgumentTypeError('MeanIoU compares class numbers: expected targets and predictions of the same shape')
      return [add(before!, confusionOf(target, prediction.node, weights, numClasses))]
    },
    result: ([matrix]) => {
      const onDiagonal = equal(iota([numClasses, numClasses], 0, 'int32'), iota([numClasses, numClasses], 1, 'int32'))
      const hits = sum(select(onDiagonal, matrix!, 0), [1])
      const union = sub(add(sum(matrix!, [0]), sum(matrix!, [1])), hits)
      return quotient(sum(quotient(hits, union)), sum(cast(notEqual(union, 0), 'float32')))
    },
  }),
})
