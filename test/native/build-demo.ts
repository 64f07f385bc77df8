/** Compiles the addon with the hand-written module of demo-module.cc, as `kcc build` does with a generated one. */
import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { NativeAddon } from '../../runtime/contract/native.js'

const run = promisify(execFile)
const sources = [...readdirSync('native/addon').filter((name) => name.endsWith('.cc')).map((name) => `native/addon/${name}`), 'native/pool/pool.cc', 'test/native/demo-module.cc']
const flags = [
  '-std=c++17', '-O1', '-Wall', '-Wextra', '-Werror', '-fPIC', '-fvisibility=hidden', '-fno-exceptions', '-fno-rtti', '-march=x86-64-v2',
  '-DNAPI_DISABLE_CPP_EXCEPTIONS', '-DNODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS', '-DNAPI_VERSION=8',
  '-Inative/include', '-Inode_modules/node-addon-api', '-Inode_modules/node-api-headers/include',
]

async function compile(source: string, folder: string, extra: readonly string[]): Promise<string> {
  const object = join(folder, `${source.replaceAll('/', '_')}.o`)
  await run('g++', [...flags, ...extra, '-c', source, '-o', object])
  return object
}

/** Two compilers at a time; returns the path of the addon. */
export async function buildDemo(folder: string, extra: readonly string[] = []): Promise<string> {
  const waiting = [...sources]
  const objects: string[] = []
  const worker = async (): Promise<void> => {
    for (let source = waiting.shift(); source !== undefined; source = waiting.shift()) objects.push(await compile(source, folder, extra))
  }
  await Promise.all([worker(), worker()])
  const addon = join(folder, 'demo.node')
  await run('g++', ['-shared', ...extra, ...objects, '-o', addon, '-lpthread'])
  return addon
}

export const load = (path: string): NativeAddon => createRequire(import.meta.url)(path) as NativeAddon
