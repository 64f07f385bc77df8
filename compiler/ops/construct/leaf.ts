/** Constructors of nodes without inputs: what the caller binds, and what is generated from nothing. */
import { isStatic, type Dim, type Shape } from '../../ir/dim.js'
import type { ElementType } from '../../ir/element-type.js'
import type { Node, TensorType } from '../../ir/graph.js'
import { makeNode } from './node.js'

/** An argument of the function's signature. */
export const input = (name: string, type: TensorType): Node => makeNode('input', [], { name, dtype: type.dtype, shape: type.shape })
/** The value that variable `name` of the module's table has when the function is called. */
export const variable = (name: string, type: TensorType): Node => makeNode('variable', [], { name, dtype: type.dtype, shape: type.shape })
/** A run-time scalar of the module: 0-d float32. */
export const scalar = (name: string): Node => makeNode('scalar', [], { name })

/** The tensor of `type` whose elements are all `value` (for bool: 0 or 1). */
export const constant = (value: number, type: TensorType): Node => makeNode('constant', [], { value, dtype: type.dtype, shape: type.shape })
export const zerosLike = (node: Node): Node => constant(0, node.type)
export const onesLike = (node: Node): Node => constant(1, node.type)

/** Positions along `axis`: element (i0, i1, …) is i_axis. */
export const iota = (shape: Shape, axis: number, dtype: ElementType): Node => makeNode('iota', [], { axis, dtype, shape })
/** Uniform in [0, 1), float32, of random stream `stream`; other numbers at every step. */
export const randomUniform = (shape: Shape, stream: number): Node => makeNode('randomUniform', [], { stream, shape })
/** A size as a 0-d float32. */
export const dimension = (dim: Dim): Node =>
  isStatic(dim) ? constant(dim, { dtype: 'float32', shape: [] }) : makeNode('dimension', [], { dim })
