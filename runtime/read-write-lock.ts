/**
 * Many readers or one writer, first come first served. The calls of a model take it around native work: a training
 * chunk writes the variables, a prediction reads them.
 */
type Waiter = { readonly exclusive: boolean; readonly start: () => void }

export class ReadWriteLock {
  #readers = 0
  #writing = false
  readonly #queue: Waiter[] = []

  get writing(): boolean { return this.#writing }
  get busy(): boolean { return this.#writing || this.#readers > 0 }

  /** Runs `body` inside the lock; starts it at once when nothing is in the way. */
  run<T>(exclusive: boolean, body: () => Promise<T>): Promise<T> {
    if (this.#queue.length === 0 && this.#free(exclusive)) {
      this.#enter(exclusive)
      return this.#inside(exclusive, body)
    }
    return new Promise<void>((start) => this.#queue.push({ exclusive, start })).then(() => this.#inside(exclusive, body))
  }

  #free(exclusive: boolean): boolean { return !this.#writing && !(exclusive && this.#readers > 0) }

  #enter(exclusive: boolean): void {
    if (exclusive) this.#writing = true
    else this.#readers++
  }

  async #inside<T>(exclusive: boolean, body: () => Promise<T>): Promise<T> {
    try {
      return await body()
    } finally {
      if (exclusive) this.#writing = false
      else this.#readers--
      this.#admit()
    }
  }

  #admit(): void {
    for (let next = this.#queue[0]; next !== undefined && this.#free(next.exclusive); next = this.#queue[0]) {
      this.#queue.shift()
      this.#enter(next.exclusive)
      next.start()
    }
  }
}
