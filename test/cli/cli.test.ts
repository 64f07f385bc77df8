import * as fs from 'node:fs'
import * as os from 'node:os'
import * as path from 'node:path'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { nvccFlags } from '../../compiler/build/cuda.js'
import { environmentVariables } from '../../compiler/support/env.js'
import { kccVersion } from '../../compiler/support/paths.js'
import { atLeast, cgroupQuota, cpuLevel } from '../../compiler/cli/commands/doctor.js'
import { compileOptionsOf, deviceBuildOf } from '../../compiler/cli/compile-options.js'
import { kcc } from './kcc.js'

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'kcc-cli-'))
const env = { KCC_CACHE_DIR: path.join(folder, 'cache') }
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))

describe('kcc', () => {
  test('--help names every command, variable and exit code', async () => {
    const { code, stdout } = await kcc(['--help'])
    expect(code).toBe(0)
    for (const word of ['build', 'run', 'predict', 'evaluate', 'fit', 'inspect', 'bench', 'doctor', ...environmentVariables.map((v) => v.name), '130 interrupted']) {
      expect(stdout).toContain(word)
    }
  })

  test('--version prints the version', async () => {
    expect(await kcc(['--version'])).toMatchObject({ code: 0, stdout: kccVersion })
  })

  test.each([
    [['biuld'], "unknown command 'biuld'"],
    [['build'], "missing required argument 'model'"],
    [['build', 'm.ts', '--fast'], "unknown option '--fast'"],
    [['fit', 'm.ts', '--x', 'x.npz', '--y', 'y.npz', '--epochs', '1.5'], 'Expected a whole number of at least 0'],
    [['predict', 'm.ts', '--x', 'x.npz'], "required option '--out <file>' not specified"],
    [['inspect', 'm.ts', '--show', 'everything'], 'Allowed choices are all, summary'],
  ])('%j is a usage error', async (args, message) => {
    const ran = await kcc(args)
    expect(ran.code).toBe(2)
    expect(ran.stderr).toContain(message)
    expect(ran.stdout).toBe('')
  })

  test('a file that is not there is named', async () => {
    const ran = await kcc(['run', 'nowhere.ts'], { cwd: folder, env })
    expect(ran.code).toBe(1)
    expect(ran.stderr).toContain('✘ [ERROR] ValueError: There is no file')
    expect(ran.stderr).toContain('nowhere.ts')
  })
})

describe('kcc doctor', () => {
  test('finds everything here', async () => {
    const ran = await kcc(['doctor', '--json'], { env })
    const report = JSON.parse(ran.stdout) as { healthy: boolean; checks: { name: string; ok: boolean }[]; environment: { name: string }[] }
    expect(report.checks.filter((check) => !check.ok)).toEqual([])
    expect(report.checks.map((check) => check.name)).toEqual(['node', 'c++', 'C++17 library', 'cmake', 'make', 'headers', 'cpu', 'cores', 'cache', 'nvcc', 'gpu', 'cublaslt', 'cudnn'])
    expect(report.environment.map((v) => v.name)).toContain('KCC_CACHE_DIR')
    expect(ran.code).toBe(0)
  })

  test('says which tool is missing and how to get it', async () => {
    const ran = await kcc(['doctor'], { env: { ...env, PATH: '/nonexistent' } })
    expect(ran.code).toBe(3)
    expect(ran.stdout).toMatch(/✗ c\+\+ +not found\n.*apt-get install g\+\+/)
    expect(ran.stdout).toMatch(/✗ cmake +not found\n.*apk add cmake/)
    expect(ran.stdout).toMatch(/✓ node/)
  })

  test('names a variable that points nowhere', async () => {
    const ran = await kcc(['doctor'], { env: { ...env, KCC_CMAKE: '/opt/nothing' } })
    expect(ran.stdout).toContain('KCC_CMAKE=/opt/nothing is not an executable')
  })

  test('compares versions part by part', () => {
    expect([atLeast('20.11.0', '20.11'), atLeast('20.9', '20.11'), atLeast('22.0', '20.11'), atLeast('3.16', '3.16'), atLeast('3', '3.16')])
      .toEqual([true, false, true, true, false])
  })

  test('reads CPU levels: a level needs all below it', () => {
    const v2 = ['sse4_1', 'sse4_2', 'ssse3', 'popcnt', 'cx16'], v3 = [...v2, 'avx', 'avx2', 'bmi1', 'bmi2', 'f16c', 'fma', 'abm', 'movbe']
    const v4 = ['avx512f', 'avx512bw', 'avx512cd', 'avx512dq', 'avx512vl']
    expect([[], v2, v3, [...v3, ...v4], v4].map((flags) => cpuLevel(new Set(flags)))).toEqual(['x86-64', 'x86-64-v2', 'x86-64-v3', 'x86-64-v4', 'x86-64'])
  })

  test('reads the quota of a container, of both kinds', () => {
    const files = (entries: Record<string, string>) => (file: string): string | null => entries[file] ?? null
    expect(cgroupQuota(files({ '/sys/fs/cgroup/cpu.max': '150000 100000\n' }))).toBe(1.5)
    expect(cgroupQuota(files({ '/sys/fs/cgroup/cpu.max': 'max 100000\n' }))).toBeNull()
    expect(cgroupQuota(files({ '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '200000\n', '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n' }))).toBe(2)
    expect(cgroupQuota(files({}))).toBeNull()
  })
})

describe('flags of the compiler', () => {
  test('name the GPUs to build for', () => {
    expect(compileOptionsOf({ cpu: 'native', fuse: true, winograd: true, target: 'cuda', sm: '90, 80,90' }).device).toEqual({ kind: 'nvcc', architectures: [80, 90] })
    expect(compileOptionsOf({ cpu: 'native', fuse: true, winograd: true, target: 'cuda', sm: 'host' }).device).toEqual({ kind: 'host' })
  })

  test('mean the GPUs of this machine where they name none, and 80 and 90 where it has none', () => {
    const tools = path.join(folder, 'tools')
    fs.mkdirSync(tools)
    vi.stubEnv('PATH', tools)
    try {
      expect(deviceBuildOf({ target: 'cuda' })).toEqual({ kind: 'nvcc', architectures: [80, 90] })
      const gpus = ['9.0, NVIDIA H100, 81559 MiB, 570.1', '8.6, NVIDIA A10, 23028 MiB, 570.1', '9.0, NVIDIA H100, 81559 MiB, 570.1']
      fs.writeFileSync(path.join(tools, 'nvidia-smi'), `#!/bin/sh\nprintf '%s\\n' ${gpus.map((gpu) => `'${gpu}'`).join(' ')}\n`, { mode: 0o755 })
      expect(deviceBuildOf({ target: 'cuda' })).toEqual({ kind: 'nvcc', architectures: [86, 90] })
    } finally {
      vi.unstubAllEnvs()
    }
  })

  test('give nvcc each of them as machine code, and the newest as PTX too', () => {
    const kinds = (architectures: readonly number[]): readonly string[] => nvccFlags(architectures).filter((flag) => /gencode|arch|code=/.test(flag))
    expect(kinds([80, 90])).toEqual(['-gencode=arch=compute_80,code=sm_80', '-gencode=arch=compute_90,code=[sm_90,compute_90]'])
    expect(kinds([86])).toEqual(['-gencode=arch=compute_86,code=[sm_86,compute_86]'])
  })

  test('become options', () => {
    expect(compileOptionsOf({ cpu: 'x86-64-v2, x86-64-v4,x86-64-v2', fuse: false, winograd: true, specialize: 'batch=32,1,32' }))
      .toEqual({ levels: [{ id: 'x86_64_v4', name: 'x86-64-v4' }, { id: 'x86_64_v2', name: 'x86-64-v2' }], device: null, precision: 'float32', fuse: false, winograd: true, specialize: [1, 32] })
    expect(compileOptionsOf({ cpu: 'native', fuse: true, winograd: true, target: 'cuda', sm: 'host', precision: 'tf32' }).precision).toBe('tf32')
  })

  test.each([
    [{ cpu: 'native', fuse: true, winograd: true, target: 'cuda', sm: '80,9x' }, 'Cannot read --sm "80,9x"'],
    [{ cpu: 'x86-64-v9', fuse: true, winograd: true }, 'Unknown CPU level "x86-64-v9"'],
    [{ cpu: '', fuse: true, winograd: true }, 'Unknown CPU level ""'],
    [{ cpu: 'native', fuse: true, winograd: true, specialize: 'batch=0' }, 'Cannot read --specialize'],
    [{ cpu: 'native', fuse: true, winograd: true, precision: 'tf32' }, '--precision tf32 is for GPUs, and the target is cpu: give --target cuda with it'],
    [{ cpu: 'native', fuse: true, winograd: true, target: 'cuda', sm: 'host', precision: 'float16' }, 'Unknown precision "float16". Expected one of: float32, tf32, mixed_bfloat16'],
    [{ cpu: 'native', fuse: true, winograd: true, target: 'cuda', sm: '75,90', precision: 'mixed_bfloat16' }, 'needs GPUs of compute capability 8.0 (--sm 80) or newer, found --sm 75'],
    [{ cpu: 'native', fuse: true, winograd: true, specialize: 'time=3' }, 'Cannot read --specialize'],
  ])('%j is refused', (flags, message) => {
    expect(() => compileOptionsOf(flags)).toThrow(message)
  })
})
