/** The buffers of one kernel: which stored values it reads and writes, under the names its loops use. */
import type { Node } from '../ir/graph.js'
import type { Home, KernelGraph } from '../ir/kernel-graph.js'
import type { Buffer } from '../ir/loop.js'

/** What the plan must put behind a buffer name of a kernel. */
export type Binding = { readonly buffer: Buffer; readonly node: Node; readonly home: Home; readonly read: boolean; readonly written: boolean }

const homeKey = (home: Home): string => {
  switch (home.kind) {
    case 'input': case 'output': return `${home.kind}${home.index}`
    case 'variable': return `variable ${home.name}`
    case 'arena': return 'arena'
  }
}

/** Hands out names `in0, in1, …` and `out0, out1, …`; a variable read and written in place is one buffer. */
export class Bindings {
  private readonly byPlace = new Map<string, Binding>()
  private readonly arenaIds = new Map<Node, number>()

  constructor(private readonly graph: KernelGraph) {}

  read(root: Node): Buffer {
    const home = this.graph.homes.get(root)?.[0]
    if (!home) throw new Error(`kernel reads a value of op ${root.op} that is not stored`)
    return this.bind(root, home, false)
  }

  write(root: Node, home: Home): Buffer {
    return this.bind(root, home, true)
  }

  list(): Binding[] {
    return [...this.byPlace.values()]
  }

  private bind(node: Node, home: Home, written: boolean): Buffer {
    const key = home.kind === 'arena' ? `arena ${this.arenaId(node)}` : homeKey(home)
    const known = this.byPlace.get(key)
    if (known) {
      this.byPlace.set(key, { ...known, read: known.read || !written, written: known.written || written })
      return known.buffer
    }
    const count = [...this.byPlace.values()].filter((b) => b.buffer.name.startsWith(written ? 'out' : 'in')).length
    const buffer: Buffer = { name: `${written ? 'out' : 'in'}${count}`, dtype: node.type.dtype, shape: node.type.shape }
    this.byPlace.set(key, { buffer, node, home, read: !written, written })
    return buffer
  }

  private arenaId(node: Node): number {
    const id = this.arenaIds.get(node) ?? this.arenaIds.size
    this.arenaIds.set(node, id)
    return id
  }
}
