/**
 * A batch of CIFAR-10 as Python pickled it: a dict whose `data` is a numpy array of bytes (n, 3072) and whose `labels` is
 * a list of numbers. Only what pickles of such dicts hold is understood, and nothing of a pickle is ever called.
 * Source: https://docs.python.org/3/library/pickletools.html
 */
import { FileFormatError } from '../../../runtime/contract/errors.js'
import type { CifarBatch } from './cifar10.js'

/** What is known of a value: bytes, numbers, lists, dicts; all the rest is some object with its parts. */
type Value = number | string | Uint8Array | null | Value[] | Map<string, Value> | { readonly parts: Value[] }

const MARK = Symbol('mark')

/** @throws FileFormatError for another pickle */
export function readCifarPickle(bytes: Uint8Array, path: string): CifarBatch {
  const value = new Unpickler(bytes, path).run()
  const data = value instanceof Map ? value.get('data') : undefined, labels = value instanceof Map ? value.get('labels') : undefined
  const planes = data === undefined ? null : largestBytes(data)
  if (!planes || !Array.isArray(labels) || planes.length !== labels.length * 3072) {
    throw new FileFormatError(`${path}: not a batch of CIFAR-10: expected a dict with data of shape (n, 3072) and n labels`)
  }
  return { planes, labels: Uint8Array.from(labels, Number) }
}

/** The buffer of a pickled array: the longest string among its parts. */
function largestBytes(value: Value): Uint8Array | null {
  if (value instanceof Uint8Array) return value
  const parts = Array.isArray(value) ? value : typeof value === 'object' && value !== null && 'parts' in value ? value.parts : []
  return parts.map(largestBytes).reduce<Uint8Array | null>((best, b) => (b && (!best || b.length > best.length) ? b : best), null)
}

class Unpickler {
  private at = 0
  private readonly stack: (Value | typeof MARK)[] = []
  private readonly memo = new Map<number, Value>()
  private readonly view: DataView

  constructor(private readonly bytes: Uint8Array, private readonly path: string) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  run(): Value {
    while (this.at < this.bytes.length) {
      const code = String.fromCharCode(this.bytes[this.at++]!)
      if (code === '.') return this.pop()
      this.step(code)
    }
    return this.fail('it ends early')
  }

  /** One instruction: those of protocols 0 to 3 that dicts, lists, numbers, strings and arrays need. */
  private step(code: string): void {
    const { stack } = this
    switch (code) {
      case '\x80': this.at += 1; return
      case '(': stack.push(MARK); return
      case '}': stack.push(new Map()); return
      case ']': stack.push([]); return
      case ')': stack.push([]); return
      case 'N': case '\x88': case '\x89': stack.push(null); return
      case 'K': stack.push(this.unsigned(1)); return
      case 'M': stack.push(this.unsigned(2)); return
      case 'J': stack.push(this.view.getInt32(this.take(4), true)); return
      case '\x8a': stack.push(this.long(this.unsigned(1))); return
      case 'U': case 'C': stack.push(this.string(this.unsigned(1))); return
      case 'T': case 'B': case 'X': stack.push(this.string(this.unsigned(4))); return
      case 'c': stack.push({ parts: [this.line(), this.line()] }); return
      case 'q': this.memo.set(this.unsigned(1), this.peek()); return
      case 'r': this.memo.set(this.unsigned(4), this.peek()); return
      case 'h': stack.push(this.memo.get(this.unsigned(1)) ?? null); return
      case 'j': stack.push(this.memo.get(this.unsigned(4)) ?? null); return
      case 't': stack.push(this.toMark()); return
      case '\x85': stack.push(this.last(1)); return
      case '\x86': stack.push(this.last(2)); return
      case '\x87': stack.push(this.last(3)); return
      case 'a': this.append(this.last(1)); return
      case 'e': this.append(this.toMark()); return
      case 's': this.setItems(this.last(2)); return
      case 'u': this.setItems(this.toMark()); return
      case 'R': case '\x81': stack.push({ parts: this.last(2) }); return
      case 'b': this.build(this.pop()); return
      default: this.fail(`instruction ${JSON.stringify(code)} is not expected in it`)
    }
  }

  /** What an object is built from becomes one of its parts; the object stays the same, for the memo knows it. */
  private build(state: Value): void {
    const object = this.peek()
    if (typeof object === 'object' && object !== null && 'parts' in object) object.parts.push(state)
  }

  private append(items: Value[]): void {
    const list = this.peek()
    if (!Array.isArray(list)) return this.fail('a list is missing')
    for (const item of items) list.push(item)
  }

  private setItems(items: Value[]): void {
    const dict = this.peek()
    if (!(dict instanceof Map)) return this.fail('a dict is missing')
    for (let i = 0; i + 1 < items.length; i += 2) dict.set(textOf(items[i]!), items[i + 1]!)
  }

  private take(count: number): number {
    const at = this.at
    this.at += count
    return this.at <= this.bytes.length ? at : this.fail('it ends early')
  }
  private unsigned(count: 1 | 2 | 4): number {
    const at = this.take(count)
    return count === 1 ? this.view.getUint8(at) : count === 2 ? this.view.getUint16(at, true) : this.view.getUint32(at, true)
  }
  private long(count: number): number {
    const at = this.take(count)
    return this.bytes.subarray(at, at + count).reduceRight((value, byte) => value * 256 + byte, 0)
  }
  private string(length: number): Uint8Array {
    const at = this.take(length)
    return this.bytes.subarray(at, at + length)
  }
  private line(): string {
    const end = this.bytes.indexOf(10, this.at)
    const text = textOf(this.bytes.subarray(this.at, end < 0 ? this.fail('it ends early') : end))
    this.at = end + 1
    return text
  }

  private pop(): Value {
    const value = this.stack.pop()
    return value === undefined || value === MARK ? this.fail('a value is missing') : (value as Value)
  }
  private peek(): Value {
    const value = this.pop()
    this.stack.push(value)
    return value
  }
  private last(count: number): Value[] { return Array.from({ length: count }, () => this.pop()).reverse() }
  private toMark(): Value[] {
    const mark = this.stack.lastIndexOf(MARK)
    if (mark < 0) return this.fail('a mark is missing')
    return this.stack.splice(mark).slice(1) as Value[]
  }

  private fail(why: string): never { throw new FileFormatError(`${this.path}: not a pickle of CIFAR-10: ${why}`) }
}

const textOf = (value: Value): string => (value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : String(value))
