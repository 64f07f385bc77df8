/** Skips the running test, and prints why: reporters show the number of skipped tests alone. */
export function skipBecause(skip: (note: string) => never, reason: string): never {
  process.stdout.write(`skipped, because ${reason}\n`)
  return skip(reason)
}
