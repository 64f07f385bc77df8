/** Callbacks of the cases, made through the public API from their Python. */
import * as kcc from '../../compiler/index.js'
import type { CallbackHooks } from '../../runtime/contract/fit-types.js'
import { Unsupported } from './case.js'
import { camelOptions, isCall, parsePython, type PythonValue } from './python-call.js'

type CallbackClass = new (options: object) => CallbackHooks

/** @param python a list such as `[keras.callbacks.EarlyStopping(patience=2)]`, or nothing. @throws Unsupported */
export function callbacksOf(python: string): CallbackHooks[] {
  for (const [, name] of python.matchAll(/callbacks\.(\w+)/g)) if (!(name! in kcc)) throw new Unsupported(`callback ${name!}`)
  if (python === '') return []
  const list = parsePython(python)
  if (!Array.isArray(list)) throw new Error(`not a list of callbacks: ${python}`)
  return list.map(callbackOf)
}

function callbackOf(value: PythonValue): CallbackHooks {
  if (!isCall(value)) throw new Error('a callback is a call')
  const made = Object.entries(kcc).find(([name]) => value.call.endsWith(`.${name}`))![1] as unknown as CallbackClass
  return new made(camelOptions(value.options))
}
