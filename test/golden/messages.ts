/** Keras' texts for mistakes. After a mistake in using a model, the model still predicts. */
import * as kcc from '../../compiler/index.js'
import { NDArray } from '../../runtime/index.js'
import { Unsupported, type GoldenCase, type Prepared } from './case.js'
import type { Checks } from './checks.js'
import { hasExport } from './console-runs.js'
import { serve, type NativeBatch } from './native-batch.js'
import { modelStatements, statements, type ModelStatement } from './statements.js'
import { jsonVector } from './vectors.js'

type Message = { readonly what: string; readonly setup: string; readonly python: string; readonly raises: string; readonly message: string; readonly note?: string }

export const messageCases = (): GoldenCase[] =>
  jsonVector<{ messages: Message[] }>('text', 'messages.json').messages.map((m) => ({
    name: `message: ${m.what}`,
    required: () => missingName(m) === null,
    prepare: (batch) => prepare(m, batch),
  }))

/** The first class or function of Keras that the statement uses and the public API lacks. */
function missingName({ setup, python }: Message): string | null {
  for (const [, path] of `${setup}\n${python}`.matchAll(/(?<![\w.])((?:keras\.|K\.)[\w.]+|[A-Z]\w+)\(/g)) {
    if (path!.startsWith('K.') ? !('backend' in kcc) : !hasExport(path!)) return path!
  }
  return null
}

function prepare(m: Message, batch: NativeBatch): Prepared {
  const missing = missingName(m)
  if (missing !== null) throw new Unsupported(missing)
  const ofModel = modelStatements[m.what]
  if (ofModel) return prepareModel(m, ofModel, batch)
  const statement = statements[m.what]
  if (!statement) throw new Error(`there is no statement in TypeScript for: ${m.python}`)
  return async (check) => compare(check, m, await attempt(statement))
}

function prepareModel(m: Message, { build, act }: ModelStatement, batch: NativeBatch): Prepared {
  const model = build()
  serve(model, batch.addModel(model))
  return async (check) => {
    compare(check, m, await attempt(() => act(model)))
    const zeros = model.inputs.map((t) => NDArray.zeros([2, ...t.shape.slice(1).map(Number)], t.dtype))
    check.that('the model predicts afterwards', await model.predict(zeros).then(() => true))
  }
}

async function attempt(statement: () => unknown): Promise<unknown> {
  try {
    await statement()
    return null
  } catch (error) {
    return error
  }
}

/** Where the error comes from below Keras, only that there is one counts. */
function compare(check: Checks, { raises, message, note }: Message, error: unknown): void {
  if (!(error instanceof Error)) return check.that(`expected ${raises}, nothing was thrown`, false)
  if (note !== undefined) return check.that('an error is raised', true)
  check.text('kind', error.name, raises)
  check.text('message', error.message, message)
}
