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

/** Libraries that can be asked, by the names they have in files, and what people call them. */
export const libraryTitles = { cublaslt: 'cuBLASLt', cudnn: 'cuDNN' } as const
export type LibraryName = keyof typeof libraryTitles
/** In the order in which native code tells their versions. */
export const libraryNames = ['cublaslt', 'cudnn'] as const satisfies readonly LibraryName[]

export type ProductChoice = {
  /** Name of the kernel, which ends in a digest of its code: of another version of kcc it is another. */
  readonly kernel: string
  readonly rows: number
  readonly columns: number
  readonly terms: number
  readonly by: Computer
  /** That could compute it. */
  readonly library: LibraryName
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

/** Of one kind of GPU with one version of each library (0 where there was none). */
export type TunedGpu = { readonly gpu: string; readonly cublaslt: number; readonly cudnn: number; readonly products: readonly ProductChoice[] }
export type Tuned = { readonly format: typeof TUNED_FORMAT; readonly gpus: readonly TunedGpu[] }

export const TUNED_FORMAT = 'kcc-tuned-2'

/** Where nothing was measured. */
export const nothingTuned: Tuned = { format: TUNED_FORMAT, gpus: [] }

/**
 * What a file tells; nothing where there is none.
 * @param remedy what the message ends with
 * @throws FileFormatError for a damaged one, or one of another version.
 */
export function readTuned(file: string, remedy = 'Measure again with `kcc tune`, or remove it.'): Tuned {
  if (!existsSync(file)) return nothingTuned
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

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

const isTunedGpu = (value: unknown): boolean => isObject(value) && hasProducts(value)
const isChoice = (value: unknown): boolean => isObject(value) && choosesOne(value)

const hasProducts = ({ gpu, products, ...versions }: Partial<TunedGpu>): boolean =>
  typeof gpu === 'string' && libraryNames.every((name) => Number.isSafeInteger(versions[name])) && Array.isArray(products) && products.every(isChoice)

const choosesOne = (choice: Partial<ProductChoice>): boolean =>
  [choice.kernel, choice.algorithm, choice.why].every((text) => typeof text === 'string' && !/[\t\n]/.test(text)) &&
  computers.some((by) => by === choice.by) && libraryNames.some((name) => name === choice.library) &&
  [choice.rows, choice.columns, choice.terms, choice.workspace, choice.ownNanoseconds, choice.libraryNanoseconds].every(Number.isSafeInteger)

/** As native code reads and gives it. */
const textOf = (tuned: TunedGpu): string => [...libraryNames.map((name) => `${name} ${tuned[name]}`), ...tuned.products.map(lineOf), ''].join('\n')
const lineOf = (c: ProductChoice): string =>
  [c.kernel, c.rows, c.columns, c.terms, c.by, c.library, c.algorithm, c.workspace, c.ownNanoseconds, c.libraryNanoseconds, c.why].join('\t')

function choiceOf(line: string): ProductChoice {
  const [kernel, rows, columns, terms, by, library, algorithm, workspace, own, taken, why] = line.split('\t') as [string, string, string, string, Computer, LibraryName, string, string, string, string, string]
  return { kernel, rows: Number(rows), columns: Number(columns), terms: Number(terms), by, library, algorithm, workspace: Number(workspace), ownNanoseconds: Number(own), libraryNanoseconds: Number(taken), why }
}

/** What computes the products of a module now; null on the CPU. @param measure see `NativeModule.choices` */
export function choicesOf(native: NativeModule, measure = false): TunedGpu | null {
  const gpu = native.describe()
  if (gpu === null) return null
  const lines = native.choices(measure).split('\n').filter((line) => line !== ''), [cublaslt, cudnn] = lines.slice(0, libraryNames.length).map((line) => Number(line.split(' ')[1]))
  return { gpu, cublaslt: cublaslt!, cudnn: cudnn!, products: lines.slice(libraryNames.length).map(choiceOf) }
}

/** The same file with what was measured on one GPU in place of what it had of it. */
export const withGpu = ({ format, gpus }: Tuned, measured: TunedGpu): Tuned =>
  ({ format, gpus: [...gpus.filter(({ gpu }) => gpu !== measured.gpu), measured].sort((a, b) => (a.gpu < b.gpu ? -1 : 1)) })

/** `130101` → `13.1.1` */
export const versionText = (version: number): string => [Math.floor(version / 10000), Math.floor(version / 100) % 100, version % 100].join('.')

const OWN = 'kernels of kcc compute all products'

/** What there was of the libraries that could compute a product, in words: `cuBLASLt 13.1.1, no cuDNN`. */
export function librariesText(tuned: TunedGpu): string {
  const asked = libraryNames.filter((name) => tuned.products.some(({ library }) => library === name))
  if (asked.length === 0) return 'nothing that a library could compute'
  return asked.map((name) => (tuned[name] === 0 ? `no ${libraryTitles[name]}` : titleText(tuned, name))).join(', ')
}

const titleText = (tuned: TunedGpu, name: LibraryName): string => `${libraryTitles[name]} ${versionText(tuned[name])}`

/**
 * Gives a module what was measured on its GPU, and says in words who is to compute its products; null on the CPU. A file that
 * cannot be read, or a GPU that does not answer, changes nothing but these words.
 */
export function applyTuned(native: NativeModule, file: string): string | null {
  try {
    const gpu = native.describe()
    if (gpu === null) return null
    const known = readTuned(file).gpus.find((each) => each.gpu === gpu)
    if (known === undefined) return `${OWN}: \`kcc tune\` has measured nothing on ${gpu}`
    native.readChoices(textOf(known))
    return wordsOf(known)
  } catch (error) {
    return `${OWN}: ${(error as Error).message}`
  }
}

/** What was chosen, and why. Whether a library is there and does it turns out as the products run: `choicesOf`. */
function wordsOf(tuned: TunedGpu): string {
  const { gpu, products } = tuned, shares = sharesText(tuned)
  if (shares !== null) return `${shares} of ${products.length} products that were measured on ${gpu}`
  if (products.length === 0) return `${OWN}: there were none to measure on ${gpu}`
  const [untimed, ...others] = products.filter(({ libraryNanoseconds }) => libraryNanoseconds === 0)
  if (untimed === undefined) return `${OWN}: they were the fastest on ${gpu}`
  const timed = products.length - others.length - 1, nothing = 'nothing else could be measured', why = untimed.why === '' ? '' : ` (${untimed.why})`
  return timed === 0 ? `${OWN}: ${nothing} on ${gpu}${why}` : `${OWN}: they were the fastest for ${timed} of ${products.length} on ${gpu}, and ${nothing} for the others${why}`
}

/** `cuBLASLt 13.1.1 and cuDNN 9.24.0, where they are installed, are to compute 3 and 2`; null where none is to compute any. */
function sharesText(tuned: TunedGpu): string | null {
  const countOf = (name: LibraryName): number => tuned.products.filter(({ by, library }) => by !== 'own' && library === name).length
  const chosen = libraryNames.filter((name) => countOf(name) > 0)
  if (chosen.length === 0) return null
  const titles = chosen.map((name) => titleText(tuned, name)).join(' and '), counts = chosen.map(countOf).join(' and ')
  return `${titles}, where ${chosen.length === 1 ? 'it is installed, is' : 'they are installed, are'} to compute ${counts}`
}
