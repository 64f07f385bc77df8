/** An optimizer, as the compiler sees it: a function from parameters and their gradients to new values of variables. */
import type { Node, Update } from '../ir/graph.js'

/** A variable's node and the gradient of the loss to it, of the same type. */
export type Parameter = { readonly variable: Node; readonly gradient: Node }

/** The new values: of the parameters themselves, of slots, of counters. Each variable is updated at most once. */
export type OptimizerUpdate = (parameters: readonly Parameter[]) => readonly Update[]
