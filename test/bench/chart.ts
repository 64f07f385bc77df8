/** The chart of the README: for each task a dot per peer, how many times longer than kcc it takes. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import Handlebars from 'handlebars'
import { duration, keyOf, tasksIn, titleOf } from './report.js'
import { bestRows, isOurs } from './results.js'
import type { Results } from './results.js'
import { ratioText } from './readme.js'
import type { Task } from './workloads.js'

const TITLE = 'Times of other frameworks as multiples of kcc’s; to the right of 1 × kcc is quicker'
const LEFT = 365, RIGHT = 905, ROW = 22, LEGEND_COLUMNS = 4, LEGEND_WIDTH = 215
const TICKS = [0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]
/** Told apart by eyes of all kinds, on white and on black: Okabe and Ito, https://jfly.uni-koeln.de/color/ */
const COLOURS = ['#d55e00', '#e69f00', '#0072b2', '#56b4e9', '#009e73', '#cc79a7', '#999999', '#b0a000']

type Dot = { readonly peer: string; readonly ratio: number; readonly seconds: number }

function dotsOf(results: Results, task: Task): Dot[] {
  const rows = bestRows(results, keyOf(task)), own = rows.find(({ peer }) => peer === 'kcc')
  return own === undefined ? [] : rows.filter(({ peer }) => !isOurs(peer)).map(({ peer, time }) => ({ peer, ratio: time.median / own.time.median, seconds: time.median }))
}

/** Places with one digit behind the point: the same text on every machine. */
const place = (value: number): string => value.toFixed(1)

export function chart(results: Results): string {
  const tasks = tasksIn(results).map((task) => ({ title: titleOf(task), dots: dotsOf(results, task) })).filter(({ dots }) => dots.length > 0)
  const peers = [...new Set(results.rows.map(({ peer }) => peer))].filter((peer) => !isOurs(peer))
  const ratios = tasks.flatMap(({ dots }) => dots.map(({ ratio }) => ratio))
  const low = TICKS.findLast((tick) => tick <= Math.min(1, ...ratios)) ?? TICKS[0]!, high = TICKS.find((tick) => tick >= Math.max(2, ...ratios)) ?? TICKS.at(-1)!
  const x = (ratio: number): string => place(LEFT + ((RIGHT - LEFT) * Math.log(Math.min(high, Math.max(low, ratio)) / low)) / Math.log(high / low))
  const colourOf = (peer: string): string => COLOURS[peers.indexOf(peer) % COLOURS.length]!
  const legendRows = Math.ceil(peers.length / LEGEND_COLUMNS), top = 50 + 20 * legendRows, bottom = top + ROW * tasks.length
  return template({
    title: TITLE, width: RIGHT + 30, height: bottom + 12, top, bottom, labelY: top - 8,
    legend: peers.map((name, i) => {
      const [column, row] = [i % LEGEND_COLUMNS, Math.floor(i / LEGEND_COLUMNS)]
      return { name, colour: colourOf(name), x: 14 + LEGEND_WIDTH * column, y: 38 + 20 * row, textX: 25 + LEGEND_WIDTH * column, textY: 42 + 20 * row }
    }),
    ticks: TICKS.filter((tick) => tick >= low && tick <= high).map((tick) => ({ x: x(tick), own: tick === 1, label: `${tick} ×` })),
    rows: tasks.map(({ title, dots }, i) => ({
      title, x: LEFT - 10, y: top + ROW * i + 11, textY: top + ROW * i + 15, left: LEFT, right: RIGHT,
      dots: dots.map(({ peer, ratio, seconds }) => ({ x: x(ratio), colour: colourOf(peer), text: `${peer}: ${ratioText(ratio)}, ${duration(seconds)}` })),
    })),
  })
}

const file = join(dirname(createRequire(import.meta.url).resolve('kcc/package.json')), 'test', 'bench', 'chart.svg.hbs')
const template = Handlebars.compile(readFileSync(file, 'utf8'), { strict: true })
