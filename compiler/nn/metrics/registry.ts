/** THE list of metrics, and how a name finds one. */
import { snakeIdentifier } from '../training-names.js'
import * as accuracies from './accuracy.js'
import { AUC } from './auc.js'
import * as counts from './counts.js'
import type { MetricDefinition } from './define-metric.js'
import * as ofLosses from './loss-metrics.js'
import * as similarities from './similarity.js'

const { share: _, ...countMetrics } = counts

/** Every metric of targets and predictions. */
export const metricDefinitions: readonly MetricDefinition[] =
  [...Object.values(accuracies), ...Object.values(countMetrics), AUC, ...Object.values(similarities), ...Object.values(ofLosses)].map((maker) => maker.record)

/** The metric that a function's name means: Keras' name, an alias, or the name in camelCase. */
export function findMetric(name: string): MetricDefinition | null {
  const spellings = [name, snakeIdentifier(name)]
  return metricDefinitions.find((d) => d.functions.some((f) => spellings.includes(f))) ?? null
}

export const findMetricClass = (className: string): MetricDefinition | null => metricDefinitions.find((d) => d.className === className) ?? null
