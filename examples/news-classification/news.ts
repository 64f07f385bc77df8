/**
 * Short news of four groups, written by a seeded generator in the place of the 20 newsgroups: a fifth of the words of a
 * text belong to its group, the rest are common ones, and some words no vector is known for.
 */
const groups: Readonly<Record<string, string>> = {
  space: 'orbit rocket moon launch shuttle astronaut planet satellite mission telescope mars engine lunar station comet',
  hockey: 'goal team player ice season coach puck league playoff score goalie skate stick arena referee',
  medicine: 'doctor patient disease treatment drug symptom hospital dose vaccine surgery infection therapy nurse clinic blood',
  computers: 'disk software driver memory window file program keyboard processor monitor network printer compiler cable user',
}
const common = 'the a of and to in is was for with on that it this from they have more said new posting newsgroup'

export type News = { readonly texts: readonly string[]; readonly labels: readonly number[]; readonly labelNames: readonly string[] }

/** Numbers in [0, 1), the same for the same seed. */
function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

/** `count` texts of 20 to 59 words, the groups in turn. */
export function readNews(count: number, seed = 7): News {
  const next = numbers(seed), labelNames = Object.keys(groups)
  const pick = (words: string): string => { const list = words.split(' '); return list[Math.floor(next() * list.length)]! }
  const labels = Array.from({ length: count }, (_, i) => i % labelNames.length)
  const texts = labels.map((label) => {
    const own = groups[labelNames[label]!]!
    return Array.from({ length: 20 + Math.floor(next() * 40) }, () => pick(next() < 0.2 ? own : common)).join(' ')
  })
  return { texts, labels, labelNames }
}
