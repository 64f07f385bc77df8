/** What `run` gives, or null where this CPU lacks the level that it was compiled for. */
export async function whereItRuns<T>(run: () => Promise<T>): Promise<T | null> {
  try {
    return await run()
  } catch (error) {
    if (!/this CPU runs none of them/.test(String(error))) throw error
    return null
  }
}
