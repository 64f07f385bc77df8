/** The outcome as text: counts for each folder, failures with reasons, and what is not yet supported, by reason. */
import type { FolderResult, Result, Status } from './run.js'

const count = (results: readonly Result[], status: Status): number => results.filter((r) => r.status === status).length
/** Reasons shown for one case. */
const shown = 4

const cases = (n: number): string => `${n} case${n === 1 ? '' : 's'}`

export const failuresOf = (folders: readonly FolderResult[]): string[] =>
  folders.flatMap((f) => f.results.filter((r) => r.status === 'failed').map((r) => `${f.name}/${r.name}: ${reasons(r)}`))

function reasons({ reasons: all }: Result): string {
  const more = all.length > shown ? [`… ${all.length - shown} more`] : []
  return [...all.slice(0, shown), ...more].join('\n    ')
}

export function reportFolder(folder: FolderResult): string {
  const { results, seconds } = folder
  const required = results.filter((r) => r.required)
  const lines = [
    `${folder.name}: ${count(results, 'passed')} passed, ${count(results, 'failed')} failed, ${count(results, 'unsupported')} not yet supported` +
      ` (of ${required.length} that must pass, ${count(required, 'passed')} do; ${folder.compiled} modules;` +
      ` prepared in ${seconds.prepare.toFixed(1)} s, built in ${seconds.build.toFixed(1)} s, run in ${seconds.run.toFixed(1)} s)`,
    ...failuresOf([folder]).map((text) => `  FAILED ${text}`),
    ...groups(results).map(([reason, n]) => `  not yet: ${reason}: ${cases(n)}`),
  ]
  return lines.join('\n')
}

/** Reasons with the number of cases, the most frequent first. */
function groups(results: readonly Result[]): [string, number][] {
  const found = new Map<string, number>()
  for (const { status, reasons: [reason] } of results) if (status === 'unsupported') found.set(reason!, (found.get(reason!) ?? 0) + 1)
  return [...found].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
}

export function reportTotal(folders: readonly FolderResult[]): string {
  const results = folders.flatMap((f) => f.results)
  return `golden: ${count(results, 'passed')} passed, ${count(results, 'failed')} failed, ${count(results, 'unsupported')} not yet supported`
}
