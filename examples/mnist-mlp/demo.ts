/**
 * The whole road once, as `npm run demo` walks it: compile the model ahead of time, train it, evaluate, save, reload
 * in a second process as a service would, predict, and compare fused with unfused code.
 * `node build/examples/mnist-mlp/demo.js [--epochs 3]`
 */
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { NDArray, encodeSafetensors, writeFileAtomic } from 'kcc/runtime'
import { loadDigits } from './data.js'
import type { Digits } from './data.js'
import { importPackage } from './package-types.js'

const { values } = parseArgs({ options: { epochs: { type: 'string', default: '3' } } })
const epochs = Number(values.epochs)
if (!Number.isInteger(epochs) || epochs < 1) throw new Error(`--epochs takes a whole number of at least 1, found "${values.epochs}"`)

const root = dirname(createRequire(import.meta.url).resolve('kcc/package.json'))
const kcc = join(root, 'build', 'compiler', 'cli', 'main.js')
const modelFile = join('examples', 'mnist-mlp', 'model.ts')
const packageFolder = join(root, 'dist', 'mnist-mlp')

let step = 0
const title = (text: string): void => console.log(`\n${++step}. ${text}\n`)

/** Runs Node on a file; its output is ours unless it is wanted. @throws Error when it fails */
function node(args: readonly string[], capture = false): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', capture ? 'pipe' : 'inherit', 'inherit'] })
    let output = ''
    child.stdout?.setEncoding('utf8').on('data', (text: string) => { output += text })
    child.on('error', reject)
    child.on('close', (code) => (code === 0 ? resolve(output) : reject(new Error(`node ${args.join(' ')} ended with code ${code}`))))
  })
}

async function trainAndSave(digits: Digits, weights: string): Promise<void> {
  const { model } = await importPackage(packageFolder)
  await model.fit(digits.xTrain, digits.yTrain, { batchSize: 128, epochs, verbose: 1 })
  const score = await model.evaluate(digits.xTest, digits.yTest, { batchSize: 128, verbose: 0 })
  const [loss, accuracy] = Array.isArray(score) ? score : [score]
  console.log(`\nTest loss ${loss!.toFixed(4)}, test accuracy ${(100 * accuracy!).toFixed(2)} %`)
  await model.saveWeights(weights)
  await model.close()
}

/** The test digits in a file that needs nothing but the runtime to be read. */
async function writeDigits({ xTest, yTest }: Digits, file: string): Promise<void> {
  await writeFileAtomic(file, encodeSafetensors(new Map([
    ['x', new NDArray(xTest.data, xTest.shape)],
    ['y', new NDArray(yTest.data, yTest.shape)],
  ])))
}

type BenchRow = { readonly variant: string; readonly what: string; readonly kernels: number; readonly time: { readonly median: number } }

/** Median times, each with its distance from the fused one. */
function compare(json: string): string {
  const { rows } = JSON.parse(json) as { rows: readonly BenchRow[] }
  const wanted = rows.filter((row) => row.variant === 'fused' || row.variant === 'unfused')
  return wanted.map((row) => {
    const fused = wanted.find((r) => r.variant === 'fused' && r.what === row.what)!
    const times = row === fused ? '' : `  (${(row.time.median / fused.time.median).toFixed(2)} × the fused time)`
    return `${row.what.padEnd(14)} ${row.variant.padEnd(8)} ${(row.time.median * 1e3).toFixed(3).padStart(9)} ms ${String(row.kernels).padStart(4)} kernels${times}`
  }).join('\n')
}

const work = await mkdtemp(join(tmpdir(), 'kcc-demo-'))
try {
  title(`kcc build ${modelFile}`)
  await node([kcc, 'build', modelFile, '--out', packageFolder])

  title(`Training for ${epochs} epochs`)
  const digits = await loadDigits()
  console.log(`Data: ${digits.source}\n`)
  const weights = join(work, 'trained.safetensors'), file = join(work, 'digits.safetensors')
  await trainAndSave(digits, weights)

  title('A second process loads the package and the saved weights, and predicts')
  await writeDigits(digits, file)
  await node([join(root, 'build', 'examples', 'mnist-mlp', 'predict.js'), packageFolder, weights, file])

  title(`kcc bench ${modelFile}: fused against one kernel for each op`)
  console.log(compare(await node([kcc, 'bench', modelFile, '--json', '--seconds', '1'], true)))
} finally {
  await rm(work, { recursive: true, force: true })
}
