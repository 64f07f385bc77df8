/**
 * The tools a build needs, found on PATH without starting any of them: a C++ compiler, CMake, and ninja or make.
 * An unchanged model must not start a compiler, so their identity is that of their files, not their `--version`.
 */
import * as fs from 'node:fs'
import * as os from 'node:os'
import * as path from 'node:path'
import { ToolchainError } from '../../runtime/contract/errors.js'
import { setting } from '../support/env.js'
import { readText } from '../support/files.js'

export type Generator = 'Ninja' | 'Unix Makefiles'

export type Toolchain = {
  /** Absolute paths. */
  readonly cxx: string
  readonly cmake: string
  readonly make: string
  readonly generator: Generator
}

export type ToolName = 'c++' | 'cmake' | 'make'

/** How to get a tool, per system. */
const installHints: Readonly<Record<ToolName, string>> = {
  'c++': 'Debian/Ubuntu: apt-get install g++ · macOS: xcode-select --install · Alpine: apk add g++ · Fedora: dnf install gcc-c++',
  cmake: 'Debian/Ubuntu: apt-get install cmake · macOS: brew install cmake · Alpine: apk add cmake · Fedora: dnf install cmake',
  make: 'Debian/Ubuntu: apt-get install make · macOS: xcode-select --install · Alpine: apk add make · Fedora: dnf install make',
}
export const installHint = (tool: ToolName): string => installHints[tool]

/** The first executable file of this name on PATH, or the name itself when it is a path; null when there is none. */
export function which(command: string): string | null {
  const folders = command.includes('/') ? [''] : (process.env['PATH'] ?? '').split(path.delimiter).filter((f) => f !== '')
  return folders.map((folder) => path.resolve(folder, command)).find(isExecutable) ?? null
}

function isExecutable(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.X_OK)
    return fs.statSync(file).isFile()
  } catch {
    return false
  }
}

const firstOf = (commands: readonly string[]): string | null =>
  commands.map(which).find((found) => found !== null) ?? null

/** Where each tool is, or null; for `kcc doctor`. */
export function locateTools(): Readonly<Record<ToolName, string | null>> {
  const cxx = setting('KCC_CXX'), cmake = setting('KCC_CMAKE')
  return {
    'c++': cxx === undefined ? firstOf(['c++', 'g++', 'clang++']) : which(cxx),
    cmake: which(cmake ?? 'cmake'),
    make: firstOf(['ninja', 'make', 'gmake']),
  }
}

/** @throws ToolchainError naming the missing tool and how to install it. */
export function findToolchain(): Toolchain {
  const tools = locateTools()
  // The compiler first: who lacks it lacks the most, and is told of it.
  const cxx = required('c++', tools['c++']), cmake = required('cmake', tools.cmake), make = required('make', tools.make)
  return {
    cxx, cmake, make,
    generator: path.basename(make) === 'ninja' ? 'Ninja' : 'Unix Makefiles',
  }
}

function required(tool: ToolName, found: string | null): string {
  if (found !== null) return found
  const asked = tool === 'c++' ? setting('KCC_CXX') : tool === 'cmake' ? setting('KCC_CMAKE') : undefined
  const what = asked === undefined
    ? `No ${tool === 'c++' ? 'C++ compiler (c++, g++ or clang++)' : tool === 'make' ? 'ninja or make' : tool} was found on PATH.`
    : `${tool === 'c++' ? 'KCC_CXX' : 'KCC_CMAKE'} is "${asked}", which is not an executable file.`
  throw new ToolchainError(`${what}\nInstall it: ${installHint(tool)}\nThen run \`kcc doctor\` to check everything a build needs.`)
}

/** Changes when the compiler is replaced: its real path, size and time. */
export function compilerIdentity(cxx: string): string {
  const file = fs.realpathSync(cxx)
  const stat = fs.statSync(file)
  return `${file} ${stat.size} ${Math.trunc(stat.mtimeMs)}`
}

/** Changes when `-march=native` would mean something else. */
export function cpuIdentity(): string {
  const flags = /^(?:flags|Features)\s*:.*$/m.exec(readText('/proc/cpuinfo') ?? '')?.[0] ?? ''
  return `${process.arch} ${os.cpus()[0]?.model ?? ''} ${flags}`
}
