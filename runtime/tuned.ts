/**
 * What was measured on GPUs: for each product of a package that a library of the vendor's could compute too, how long it takes and
 * kcc's own kernels take, and which of them computes it. `kcc tune` writes the file `tuned.json` of a package, and `load` reads it; a
 * GPU that it does not name, or another version of the library, leaves all products to kcc's own kernels. Only what was measured
 * changes who computes, so that results are the same bits from run to run.
 */
import { existsSync, readFileSync } from 'node:fs'
import { FileFormatError } from './contract/errors.js'
import type { NativeModule } from './contract/native.js'

/** `library, then end`: the library computes sums, and a kernel of kcc's what follows from them. */
export const computers = ['own', 'library', 'library, then end'] as const
export type Computer = (typeof computers)[number]

export type ProductChoice = {
  /** Name of the kernel, which ends in a digest of its code: of another version of kcc it is another. */
  readonly kernel: string
  readonly rows: number
  readonly columns: number
  readonly terms: number
  readonly by: Computer
  /** What the library calls its way of doing it; '-' for none. */
  readonly algorithm: string
  /** Bytes the library works in. */
  readonly workspace: number
  /** 0 where there was nothing to measure. */
  readonly ownNanoseconds: number
  readonly libraryNanoseconds: number
  /** Where times do not say why. */
  readonly why: string
}

/** Of one kind of GPU with one version of the library (0 where there was none). */
export type TunedGpu = { readonly gpu: string; readonly cublaslt: number; readonly products: readonly ProductChoice[] }
export type Tuned = { readonly format: typeof TUNED_FORMAT; readonly gpus: readonly TunedGpu[] }

export const TUNED_FORMAT = 'kcc-tuned-1'

/** What a file tells; nothing where there is none. @throws FileFormatError for a damaged one, or one of another version. */
export function readTuned(file: string): Tuned {
  if (!existsSync(file)) return { format: TUNED_FORMAT, gpus: [] }
  const remedy = 'Measure again with `kcc tune`, or remove it.'
  let found: unknown
  try {
    found = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new FileFormatError(`${file} is damaged: ${(error as Error).message}. ${remedy}`)
  }
  const { format, gpus } = (found ?? {}) as Partial<Tuned>
  if (format !== TUNED_FORMAT) throw new FileFormatError(`${file} has format ${JSON.stringify(format)}, but this version reads ${TUNED_FORMAT}. ${remedy}`)
  if (!Array.isArray(gpus) || !gpus.every(isTunedGpu)) throw new FileFormatError(`${file} is damaged: one of its GPUs or products is none. ${remedy}`)
  return { format, gpus }
}

const isTunedGpu = ({ gpu, cublaslt, products }: Partial<TunedGpu>): boolean =>
  typeof gpu === 'string' && typeof cublaslt === 'number' && Array.isArray(products) && products.every(isChoice)

const isChoice = (choice: Partial<ProductChoice>): boolean =>
  [choice.kernel, choice.algorithm, choice.why].every((text) => typeof text === 'string' && !/[\t\n]/.test(text)) && computers.some((by) => by === choice.by) &&
  [choice.rows, choice.columns, choice.terms, choice.workspace, choice.ownNanoseconds, choice.libraryNanoseconds].every(Number.isSafeInteger)

/** As native code reads and gives it. */
const textOf = ({ cublaslt, products }: TunedGpu): string => [`cublaslt ${cublaslt}`, ...products.map(lineOf), ''].join('\n')
const lineOf = (c: ProductChoice): string =>
  [c.kernel, c.rows, c.columns, c.terms, c.by, c.algorithm, c.workspace, c.ownNanoseconds, c.libraryNanoseconds, c.why].join('\t')

function choiceOf(line: string): ProductChoice {
  const [kernel, rows, columns, terms, by, algorithm, workspace, own, library, why] = line.split('\t') as [string, string, string, string, Computer, string, string, string, string, string]
  return { kernel, rows: Number(rows), columns: Number(columns), terms: Number(terms), by, algorithm, workspace: Number(workspace), ownNanoseconds: Number(own), libraryNanoseconds: Number(library), why }
}

/** What computes the products of a module now; null on the CPU. @param measure see `NativeModule.choices` */
export function choicesOf(native: NativeModule, measure = false): TunedGpu | null {
  const gpu = native.describe()
  if (gpu === null) return null
  const [head, ...lines] = native.choices(measure).split('\n').filter((line) => line !== '')
  return { gpu, cublaslt: Number(head!.split(' ')[1]), products: lines.map(choiceOf) }
}

/** The same file with what was measured on one GPU in place of what it had of it. */
export const withGpu = ({ format, gpus }: Tuned, measured: TunedGpu): Tuned =>
  ({ format, gpus: [...gpus.filter(({ gpu }) => gpu !== measured.gpu), measured].sort((a, b) => (a.gpu < b.gpu ? -1 : 1)) })

/** `130101` → `13.1.1` */
export const versionText = (version: number): string => [Math.floor(version / 10000), Math.floor(version / 100) % 100, version % 100].join('.')

/**
 * Gives a module what was measured on its GPU, and says in words who computes its products; null on the CPU. A file that cannot
 * be read changes nothing but these words.
 */
export function applyTuned(native: NativeModule, file: string): string | null {
  const gpu = native.describe()
  if (gpu === null) return null
  const own = 'kernels of kcc compute all products'
  try {
    const known = readTuned(file).gpus.find((each) => each.gpu === gpu)
    if (known === undefined) return `${own}: \`kcc tune\` has measured nothing on ${gpu}`
    native.readChoices(textOf(known))
    const chosen = known.products.filter(({ by }) => by !== 'own').length
    return chosen === 0 ? `${own}: they were the fastest on ${gpu}` : `cuBLASLt ${versionText(known.cublaslt)} computes ${chosen} of ${known.products.length} products that were measured on ${gpu}`
  } catch (error) {
    return `${own}: ${(error as Error).message}`
  }
}
