/** The arguments of a kernel: what its expressions name, as fields of one struct. */
import { symbolsOf, type Dim } from '../ir/dim.js'
import type { Expr, Index, KernelProgram, Stmt } from '../ir/loop.js'
import { identifier, storedType } from './c-expr.js'
import type { FieldView } from './views.js'

export type KernelNeeds = { readonly symbols: readonly string[]; readonly scalars: readonly string[]; readonly streams: readonly number[] }

/** Symbols, run-time scalars and random streams a kernel uses, each once, sorted. */
export function needsOf(program: KernelProgram): KernelNeeds {
  const needs = { symbols: new Set<string>(), scalars: new Set<string>(), streams: new Set<number>() }
  const dim = (d: Dim): void => { for (const name of symbolsOf(d)) needs.symbols.add(name) }
  const index = ({ offset, terms, quotients }: Index): void => { [offset, ...[...terms, ...quotients].map((t) => t.stride)].forEach(dim); quotients.forEach((q) => index(q.dividend)) }
  const expr = (e: Expr): void => {
    switch (e.kind) {
      case 'load': case 'index': return index(e.index)
      case 'guard': e.bounds.forEach((bound) => { index(bound.index); dim(bound.extent) }); return expr(e.value)
      case 'lookup': index(e.index); [e.stride, e.extent].forEach(dim); return expr(e.at)
      case 'random': needs.streams.add(e.stream); return index(e.index)
      case 'scalar': needs.scalars.add(e.name); return
      case 'dim': return dim(e.dim)
      case 'call': return e.args.forEach(expr)
      case 'cast': return expr(e.arg)
      case 'const': case 'local': return
    }
  }
  const statement = (s: Stmt): void => {
    switch (s.kind) {
      case 'for': dim(s.axis.extent); return s.body.forEach(statement)
      case 'let': return expr(s.value)
      case 'store': index(s.index); return expr(s.value)
      case 'reduce': s.axes.forEach((a) => dim(a.extent)); s.body.forEach(statement); return s.results.forEach((r) => expr(r.value))
      case 'argmax': dim(s.axis.extent); s.body.forEach(statement); return expr(s.value)
      case 'follow': index(s.row); s.body.forEach(statement); return expr(s.value)
      case 'contract': [...s.m, ...s.n, ...s.k].forEach((a) => dim(a.extent)); [s.lhs, s.rhs].forEach(expr); return [...s.epilogue, ...(s.totals?.epilogue ?? [])].forEach(statement)
    }
  }
  for (const chain of program.chains) { [chain.axis.extent, chain.extent].forEach(dim); expr(chain.at) }
  program.body.forEach(statement)
  for (const buffer of [...program.buffers, ...program.scratch]) buffer.shape.forEach(dim)
  for (const split of program.splits) if (split) dim(split.workPerItem)
  return { symbols: [...needs.symbols].sort(), scalars: [...needs.scalars].sort(), streams: [...needs.streams].sort((a, b) => a - b) }
}

/** Pool and scratch first, then sizes, random key, scalars and buffers: the order in which a launch lists them. */
export function fieldsOf(program: KernelProgram, needs: KernelNeeds): FieldView[] {
  return [
    { type: 'kcc_pool*', name: 'pool' },
    { type: 'char*', name: 'workspace' },
    ...needs.symbols.map((name) => ({ type: 'int64_t', name })),
    ...(needs.streams.length > 0 ? [{ type: 'uint64_t', name: 'seed' }, { type: 'uint64_t', name: 'step' }] : []),
    ...needs.scalars.map((name) => ({ type: 'float', name: `scalar_${identifier(name)}` })),
    ...program.buffers.map(({ name, dtype }) => ({ type: `${program.writes.includes(name) ? '' : 'const '}${storedType(dtype)}*`, name })),
  ]
}

/** The same for a GPU: what changes from call to call lies in its memory, so that a launch can be repeated as it was. */
export function deviceFieldsOf(program: KernelProgram, needs: KernelNeeds): FieldView[] {
  return fieldsOf(program, needs).flatMap((field) => {
    if (field.name === 'pool' || field.name === 'step') return []
    if (field.name === 'seed') return [{ type: 'const uint64_t*', name: 'random' }]
    return [field.name.startsWith('scalar_') ? { ...field, type: 'const float*' } : field]
  })
}

/** Brings the fields of a GPU's kernel into its scope. */
export function devicePreludeOf(fields: readonly FieldView[], needs: KernelNeeds): string[] {
  const values = fields.filter((f) => f.name !== 'workspace').map(({ type, name }) => {
    if (name === 'random') return '[[maybe_unused]] const uint64_t seed = args.random[0], step = args.random[1];'
    return name.startsWith('scalar_') ? `[[maybe_unused]] const float ${name} = *args.${name};` : `[[maybe_unused]] ${type} const ${name} = args.${name};`
  })
  return [...values, ...streamsOf(needs)]
}

/** The sizes among the fields, which a launch needs before its kernel runs. */
export const sizesOf = (needs: KernelNeeds): string[] => needs.symbols.map((name) => `[[maybe_unused]] const int64_t ${name} = args.${name};`)

const streamsOf = ({ streams }: KernelNeeds): string[] => streams.map((stream) => `[[maybe_unused]] kcc::RandomStream random_${stream}(seed, ${stream}u, step);`)

/** Brings the fields into scope under their own names. */
export const preludeOf = (fields: readonly FieldView[], needs: KernelNeeds): string[] => [
  ...fields.filter((f) => f.name !== 'pool' && f.name !== 'workspace').map((f) => `[[maybe_unused]] ${f.type} const ${f.name} = args.${f.name};`),
  ...streamsOf(needs),
]
