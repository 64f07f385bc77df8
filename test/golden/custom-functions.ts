/** Losses and metrics that the cases' programs define themselves, as the vectors' README gives them. */
import type { LossFunction } from '../../compiler/nn/losses/loss.js'
import { maximum, mean, mul, sub } from '../../compiler/ops/build.js'
import type { Node } from '../../compiler/ir/graph.js'

const square = (x: Node): Node => mul(x, x)

export const customFunctions: Readonly<Record<string, LossFunction>> = {
  contrastive_loss: (t, p) => mean(sub(mul(t.node, square(p.node)), mul(sub(t.node, 1), square(maximum(sub(1, p.node), 0))))),
  mean_pred: (_, p) => mean(p.node),
  identity_loss: (_, p) => p.node,
  lambda_loss: (t, p) => mean(square(square(sub(t.node, p.node))), [-1]),
}
