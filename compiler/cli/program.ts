/** Commands and options. Each action imports its module when it is called, so that `kcc --help` and no-op builds are fast. */
import { Command, InvalidArgumentError, Option } from 'commander'
import { describeEnvironment, setting } from '../support/env.js'
import { kccVersion } from '../support/paths.js'
import { exitCodes } from './exit-codes.js'

const exitHelp = `
Exit codes: ${exitCodes.ok} done, ${exitCodes.failed} error in the model or its data, ${exitCodes.usage} wrong arguments, ` +
  `${exitCodes.toolchain} a tool is missing (see \`kcc doctor\`), ${exitCodes.interrupted} interrupted.`

export function makeProgram(): Command {
  const program = new Command('kcc')
    .description('Keras for TypeScript whose models are compiled ahead of time to native code')
    .version(kccVersion, '-v, --version')
    .exitOverride()
    .enablePositionalOptions()
    .showHelpAfterError('(kcc --help shows how)')
    .addHelpText('after', `\nEnvironment:\n${describeEnvironment()}\n${exitHelp}`)
  for (const add of [addBuild, addRun, addPredict, addEvaluate, addFit, addTune, addInspect, addBench, addDoctor]) add(program)
  return program
}

/** A whole number of at least `least`. */
const whole = (least: number) => (text: string): number => {
  const value = Number(text)
  if (!Number.isInteger(value) || value < least) throw new InvalidArgumentError(`Expected a whole number of at least ${least}.`)
  return value
}

const fraction = (text: string): number => {
  const value = Number(text)
  if (!(value >= 0 && value < 1)) throw new InvalidArgumentError('Expected a number in [0, 1).')
  return value
}

const deviceOptions = (): Option[] => [
  new Option('--target <target>', 'cpu (default), or cuda for kernels for GPUs beside those for CPUs'),
  new Option('--sm <capabilities>', 'with --target cuda: compute capabilities of GPUs, as in 80,90 (default: those of this machine, else 80,90); host: executed by the CPU, for tests'),
  new Option('--precision <precision>', 'with --target cuda: float32 (default), tf32 or mixed_bfloat16'),
]
/** Of commands that run models. */
const runOptions = (): Option[] => [
  ...deviceOptions(),
  new Option('--device <name>', 'where models run: auto (a GPU if there is code for it and one to run it), cpu, or a GPU such as cuda:0').default('auto'),
]
const compileOptions = (): Option[] => [
  new Option('--cpu <levels>', 'CPU levels to build: native, or a list of x86-64-v2, x86-64-v3, x86-64-v4').default(setting('KCC_CPU') ?? 'native'),
  ...deviceOptions(),
  new Option('--specialize <sizes>', 'add kernels for fixed sizes, as in batch=1,32'),
  new Option('--no-fuse', 'one kernel for each op, to compare with'),
  new Option('--no-winograd', 'sum every window of a convolution term by term'),
]
const jsonOption = (): Option => new Option('--json', 'print one JSON document on stdout').default(false)
const checkOption = (): Option => new Option('--no-check', 'skip the type check, and with it operators on tensors')

function addAll(command: Command, options: readonly Option[]): Command {
  for (const option of options) command.addOption(option)
  return command
}

function addBuild(program: Command): void {
  addAll(program.command('build'), [
    new Option('-o, --out <folder>', 'where to write the package (default: dist/<name>)'),
    ...compileOptions(), checkOption(), jsonOption(),
    new Option('-f, --force', 'build again even when nothing has changed').default(false),
    new Option('--stop-after <stage>', 'stop after this stage and print its result'),
  ])
    .description('compile the models that a file exports into self-contained packages')
    .argument('<model>', 'a TypeScript file that exports models, or a .h5 file')
    .action(async (file: string, options: import('./commands/build.js').BuildOptions) => {
      const { build } = await import('./commands/build.js')
      process.exitCode = await build(file, options)
    })
}

function addRun(program: Command): void {
  addAll(program.command('run'), [...runOptions(), checkOption()])
    .description('run a TypeScript file that builds, trains or uses models')
    .argument('<script>', 'the file')
    .argument('[arguments...]', "the script's own arguments")
    .passThroughOptions()
    .action(async (file: string, args: string[], options: import('./commands/run.js').RunOptions) => {
      const { runScript } = await import('./commands/run.js')
      await runScript(file, args, options)
    })
}

const modelFile = 'a TypeScript file that exports a model, or a .h5 file'
const modelArgument = `${modelFile}, or the folder of a package`
const dataOptions = (): Option[] => [
  new Option('--x <file>', "inputs: an .npz with arrays under the inputs' names or x_0, x_1, …, or one .npy").makeOptionMandatory(),
  new Option('--batch-size <count>', 'samples per step').default(32).argParser(whole(1)),
]
const targetOption = (): Option =>
  new Option('--y <file>', "targets: an .npz with arrays under the outputs' names or y_0, …; sample weights under sw_0, …").makeOptionMandatory()
const verboseOption = (): Option => new Option('--verbose <level>', '0 silent, 1 progress bar, 2 one line per epoch').default(1).argParser(whole(0))

function addPredict(program: Command): void {
  addAll(program.command('predict'), [
    ...dataOptions(), new Option('--out <file>', 'where to write the results, an .npz with y_0, y_1, …').makeOptionMandatory(), ...runOptions(), checkOption(),
  ])
    .description('predict from arrays in a file')
    .argument('<model>', modelArgument)
    .action(async (model: string, options: import('./commands/data.js').PredictArguments) => {
      const { predict } = await import('./commands/data.js')
      await predict(model, options)
    })
}

function addEvaluate(program: Command): void {
  addAll(program.command('evaluate'), [...dataOptions(), targetOption(), verboseOption(), ...runOptions(), checkOption(), jsonOption()])
    .description('loss and metrics on arrays in files')
    .argument('<model>', modelArgument)
    .action(async (model: string, options: import('./commands/data.js').EvaluateArguments) => {
      const { evaluate } = await import('./commands/data.js')
      await evaluate(model, options)
    })
}

function addFit(program: Command): void {
  addAll(program.command('fit'), [
    ...dataOptions(), targetOption(),
    new Option('--epochs <count>', 'passes over the data').default(1).argParser(whole(0)),
    new Option('--no-shuffle', 'keep the order of the samples'),
    new Option('--validation-split <fraction>', 'part of the data to validate on').default(0).argParser(fraction),
    new Option('--out <file>', 'where to save the trained model, a .h5 file'),
    new Option('--history <file>', 'where to write the history as JSON'),
    verboseOption(), ...runOptions(), checkOption(),
  ])
    .description('train on arrays in files')
    .argument('<model>', modelArgument)
    .action(async (model: string, options: import('./commands/data.js').FitArguments) => {
      const { fit } = await import('./commands/data.js')
      await fit(model, options)
    })
}

function addTune(program: Command): void {
  addAll(program.command('tune'), [
    new Option('--batch-size <counts>', 'samples of a call, one or more as in 32,128').default('32'),
    ...runOptions(), checkOption(), jsonOption(),
  ])
    .description("measure on this machine's GPU which products its vendor's libraries compute faster, and keep it")
    .argument('<model>', modelArgument)
    .action(async (model: string, options: import('./commands/tune.js').TuneOptions) => {
      const { tune } = await import('./commands/tune.js')
      await tune(model, options)
    })
}

function addInspect(program: Command): void {
  addAll(program.command('inspect'), [
    ...compileOptions(), checkOption(), jsonOption(),
    new Option('--show <part>', 'what to show').choices(['all', 'summary', 'graph', 'kernels', 'plan', 'code']).default('all'),
    new Option('--fusion', 'run the model on random data: what each kernel moves, computes and takes, and why it is apart').default(false),
    new Option('--batch-size <count>', 'samples of a call, with --fusion').default(32).argParser(whole(1)),
  ])
    .description('show the graph, the fused kernels, the memory plan and the generated code')
    .argument('<model>', modelFile)
    .action(async (file: string, options: import('./commands/inspect.js').InspectOptions) => {
      const { inspect } = await import('./commands/inspect.js')
      await inspect(file, options)
    })
}

function addBench(program: Command): void {
  addAll(program.command('bench'), [
    new Option('--cpu <levels>', 'CPU levels to build').default(setting('KCC_CPU') ?? 'native'), ...deviceOptions(), checkOption(), jsonOption(),
    new Option('--batch-size <count>', 'samples per training step').default(128).argParser(whole(1)),
    new Option('--seconds <count>', 'time for each measurement').default(2).argParser(whole(1)),
  ])
    .description('time training steps and inference: fused, unfused, and on one thread')
    .argument('<model>', modelFile)
    .action(async (file: string, options: import('./commands/bench.js').BenchOptions) => {
      const { bench } = await import('./commands/bench.js')
      await bench(file, options)
    })
}

function addDoctor(program: Command): void {
  addAll(program.command('doctor'), [jsonOption()])
    .description('check the tools a build needs, and say how to get what is missing')
    .action(async (options: { readonly json: boolean }) => {
      const { doctor } = await import('./commands/doctor.js')
      process.exitCode = await doctor(options)
    })
}
