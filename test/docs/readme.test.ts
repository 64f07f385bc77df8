/** What the README says is so: its examples compile and run, its commands, options and files are there. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { execa } from 'execa'
import ts from 'typescript'
import { afterAll, describe, expect, test } from 'vitest'
import { makeProgram } from '../../compiler/cli/program.js'
import * as layers from '../../compiler/nn/layers/index.js'
import * as metrics from '../../compiler/nn/metrics/index.js'
import { environmentVariables } from '../../compiler/support/env.js'
import { parse, read, repositoryFiles, root } from '../architecture/files.js'
import { kcc } from '../cli/kcc.js'
import { examples, quoted, readme, table } from './readme.js'

const folder = mkdtempSync(join(tmpdir(), 'kcc-readme-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('examples', () => {
  const codes = examples('ts')

  test('there are some', () => { expect(codes.length).toBeGreaterThan(2) })

  test('compile', async () => {
    const paths: Record<string, string[]> = { kcc: [join(root, 'compiler/index.ts')], 'kcc/runtime': [join(root, 'runtime/index.ts')] }
    for (const { packageOf } of codes) if (packageOf !== null) paths['mnist-mlp'] = [join(await builtPackage(packageOf), 'index.d.mts')]
    const files = codes.map(({ line, text }) => write(`line-${line}.ts`, text))
    const program = ts.createProgram(files, {
      target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler,
      strict: true, skipLibCheck: true, noEmit: true, types: ['node'], typeRoots: [join(root, 'node_modules/@types')], paths,
    })
    const errors = files.flatMap((file) => [...program.getSemanticDiagnostics(program.getSourceFile(file)), ...program.getSyntacticDiagnostics(program.getSourceFile(file))])
    expect(errors.map((e) => `${e.file!.fileName.replace(`${folder}/`, '')}: ${ts.flattenDiagnosticMessageText(e.messageText, '\n')}`)).toEqual([])
  })

  test('the first has about twenty lines, trains and saves', async () => {
    const { text } = codes[0]!
    expect(text.split('\n').length).toBeLessThanOrEqual(24)
    const { code, stdout, stderr } = await kcc(['run', write('rings.ts', text)], { cwd: folder })
    expect(stderr).toBe('')
    expect(code).toBe(0)
    expect(Number(/val_accuracy: ([\d.]+)\narray\(\[\[/.exec(stdout)?.[1])).toBeGreaterThan(0.9)
    expect(existsSync(join(folder, 'rings.h5'))).toBe(true)
  })

  test('the one of a service runs', async () => {
    const { packageOf, text } = codes.find((code) => code.packageOf !== null)!
    const cwd = await builtPackage(packageOf!)
    const file = write('service.mjs', ts.transpileModule(text, { compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext } }).outputText)
    const { stdout } = await execa(process.execPath, [file], { cwd })
    expect(stdout).toMatch(/^Float32Array\(10\) [\s\S]*\[ 32, 10 \]$/)
  })

  function write(name: string, text: string): string {
    const file = join(folder, name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
    return file
  }

  /** Built where the example's `import` finds it. */
  async function builtPackage(modelFile: string): Promise<string> {
    const out = join(folder, 'node_modules', basename(dirname(modelFile)))
    if (!existsSync(out)) expect(await kcc(['build', join(root, modelFile), '--out', out])).toMatchObject({ code: 0 })
    return out
  }
})

describe('the command line', () => {
  const commands = makeProgram().commands
  const optionsOf = (name: string): string[] => commands.find((c) => c.name() === name)!.options.map((option) => option.long!)

  test('every command is described, and no other', () => {
    const described = table('command', 'what it does').map(([command]) => quoted(command!)[0]!.split(' ')[1])
    expect(described.sort()).toEqual(commands.map((command) => command.name()).sort())
  })

  test('every option is described at its commands, and no other', () => {
    const described = table('option', 'of', 'meaning').flatMap(([flags, of]) => {
      const which = /^all but (.*)/.exec(of!)
      const names = which ? commands.map((c) => c.name()).filter((name) => name !== which[1]) : of!.split(', ').filter((name) => name !== 'kcc')
      return names.flatMap((name) => quoted(flags!).map((flag) => flag.split(' ')[0]!).filter((flag) => flag.startsWith('--')).map((flag) => `${name} ${flag}`))
    })
    const real = commands.flatMap((command) => optionsOf(command.name()).map((flag) => `${command.name()} ${flag}`))
    expect([...new Set(described)].sort()).toEqual([...new Set(real)].sort())
  })

  test('every option in a line of the shell exists', () => {
    const lines = examples('sh').flatMap(({ text }) => text.split('\n')).filter((line) => line.startsWith('npx kcc '))
    expect(lines.length).toBeGreaterThan(2)
    for (const line of lines) {
      const [, , name, ...rest] = line.split(/\s+/)
      expect(rest.filter((word) => word.startsWith('--') && !optionsOf(name!).includes(word)), line).toEqual([])
    }
  })

  test('every environment variable is described, and no other', () => {
    expect(table('variable', 'value', 'meaning').map(([name]) => quoted(name!)[0])).toEqual(environmentVariables.map(({ name }) => name))
  })
})

describe('what it names is there', () => {
  const files = repositoryFiles()

  test('files and folders', () => {
    const named = [...readme.matchAll(/`((?:compiler|runtime|templates|native|examples|test|\.ci)\/[\w./-]*|\w[\w-]*(?:\/[\w-]+)*\.(?:ts|cc|h|hbs))`/g)].map(([, name]) => name!)
    const missing = named.filter((name) => !existsSync(join(root, name)) && !files.some((file) => file.endsWith(`/${name}`)))
    // What `kcc build` writes, and files of a reader's own.
    const others = ['index.d.ts', 'model.ts', 'rings.ts']
    expect([...new Set(missing)].filter((name) => !others.includes(name))).toEqual([])
  })

  // `UPDATE=1` writes the list anew.
  test('all layers, and no other', () => {
    const section = /(<!-- layers:begin -->\n)([\s\S]*?)(\n<!-- layers:end -->)/
    const classes = Object.keys(layers).filter((name) => /^[A-Z]/.test(name) && name !== 'InputLayer').sort()
    if (process.env['UPDATE'] === '1') writeFileSync(join(root, 'README.md'), readme.replace(section, `$1${lineOf(classes)}$3`))
    else expect(quoted(section.exec(readme)![2]!)).toEqual(classes)
  })

  test('all metrics, and no other', () => {
    const section = /(<!-- metrics:begin -->\n)([\s\S]*?)(<!-- metrics:end -->)/
    const classes = Object.keys(metrics).filter((name) => /^[A-Z]/.test(name) && !['Metric', 'ReducedValues'].includes(name)).sort()
    if (process.env['UPDATE'] === '1') writeFileSync(join(root, 'README.md'), read('README.md').replace(section, `$1${lineOf(classes)}\n$3`))
    else expect(quoted(section.exec(readme)![2]!)).toEqual(classes)
  })

  const lineOf = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(', ')

  test('scripts of npm', () => {
    const scripts = Object.keys((JSON.parse(read('package.json')) as { scripts: Record<string, string> }).scripts)
    const named = [...readme.matchAll(/npm (?:run )?(demo|test|golden|bench|compile|setup)\b/g)].map(([, name]) => name!)
    expect(named.length).toBeGreaterThan(4)
    expect(named.filter((name) => !scripts.includes(name))).toEqual([])
  })

  test('stages of the pipeline', () => {
    const source = parse('compiler/cli/emit-model.ts').getText()
    expect(quoted(table('option', 'of', 'meaning').find(([flags]) => flags!.includes('--stop-after'))![2]!))
      .toEqual(/stages = \[(.*?)\]/.exec(source)![1]!.split(', ').map((stage) => stage.slice(1, -1)))
  })

  test('markers between which the benchmark writes its table', () => {
    expect(readme).toMatch(/<!-- bench:begin -->[\s\S]*<!-- bench:end -->/)
  })
})
