/**
 * CPU levels. Each level compiles all per-level sources once; at load, the host takes the first level of `kcc_levels`
 * that the CPU supports. Per-level sources see their level as the macro `KCC_LEVEL`, and one of them defines
 * `const kcc_module* const kcc_modules_<id>[]` with C linkage.
 */
import { ArgumentTypeError } from '../../runtime/contract/errors.js'
import type { SourceFile } from '../emit/sources.js'
import { setting } from '../support/env.js'

export type Level = {
  /** Part of C symbols: `native`, `x86_64_v3`. */
  readonly id: string
  /** What users see: `native`, `x86-64-v3`. */
  readonly name: string
}

const nativeLevel: Level = { id: 'native', name: 'native' }

/** Best first. */
const x86Levels: readonly Level[] = ['x86-64-v4', 'x86-64-v3', 'x86-64-v2'].map((name) => ({ id: name.replaceAll('-', '_'), name }))

/**
 * Levels of a `--cpu` list such as `x86-64-v2,x86-64-v4`, best first, without repetitions.
 * @throws ArgumentTypeError for a name that is none.
 */
export function parseLevels(list: string): readonly Level[] {
  const names = list.split(',').map((name) => name.trim()).filter((name) => name !== '')
  const known = [nativeLevel, ...x86Levels]
  const unknown = names.find((name) => !known.some((level) => level.name === name))
  if (unknown !== undefined || names.length === 0) {
    throw new ArgumentTypeError(`Unknown CPU level "${unknown ?? list}". Expected a list of: ${known.map((l) => l.name).join(', ')}`)
  }
  return known.filter((level) => names.includes(level.name))
}

/** What is built where no levels are asked for. */
export const defaultLevels = (): readonly Level[] => parseLevels(setting('KCC_CPU') ?? nativeLevel.name)

/** Compiler macros of features a level may use, and their names for `__builtin_cpu_supports`; all known to GCC 8 and Clang 8. */
const features: readonly (readonly [macro: string, name: string])[] = [
  ['__SSE3__', 'sse3'], ['__SSSE3__', 'ssse3'], ['__SSE4_1__', 'sse4.1'], ['__SSE4_2__', 'sse4.2'], ['__POPCNT__', 'popcnt'],
  ['__AVX__', 'avx'], ['__AVX2__', 'avx2'], ['__FMA__', 'fma'], ['__BMI__', 'bmi'], ['__BMI2__', 'bmi2'],
  ['__AVX512F__', 'avx512f'], ['__AVX512VL__', 'avx512vl'], ['__AVX512BW__', 'avx512bw'], ['__AVX512DQ__', 'avx512dq'],
  ['__AVX512CD__', 'avx512cd'], ['__AVX512IFMA__', 'avx512ifma'], ['__AVX512VBMI__', 'avx512vbmi'],
  ['__AVX512VBMI2__', 'avx512vbmi2'], ['__AVX512VNNI__', 'avx512vnni'], ['__AVX512BITALG__', 'avx512bitalg'],
  ['__AVX512VPOPCNTDQ__', 'avx512vpopcntdq'], ['__GFNI__', 'gfni'], ['__VPCLMULQDQ__', 'vpclmulqdq'],
]

/**
 * A per-level source that records what the compiler assumed, as a bit mask. It holds data only, so reading it is safe
 * on any CPU; this is how a package built with `-march=native` is refused on a smaller machine instead of crashing.
 */
export const featuresSource: SourceFile = {
  name: 'kcc_features.cc',
  perLevel: true,
  text: `#include <stdint.h>
#define KCC_JOIN2(a, b) a##b
#define KCC_JOIN(a, b) KCC_JOIN2(a, b)
extern "C" const uint32_t KCC_JOIN(kcc_features_, KCC_LEVEL);
extern "C" const uint32_t KCC_JOIN(kcc_features_, KCC_LEVEL) = 0u
${features.map(([macro], bit) => `#ifdef ${macro}\n  | 1u << ${bit}\n#endif`).join('\n')}
  ;
`,
}

/** Code for GPUs is a level as well: which of them can run it is found when a model is opened. */
export const cudaLevel: Level = { id: 'cuda', name: 'cuda' }

/** The table of levels, compiled for the baseline CPU. `modules` is how many modules each level's list holds. */
export function levelsSource(levels: readonly Level[], modules: number, device: boolean): SourceFile {
  const declarations = levels.map(({ id }) =>
    `extern "C" const uint32_t kcc_features_${id};\nextern "C" const kcc_module* const kcc_modules_${id}[];\n` +
    `static int32_t supported_${id}() { return cpu_has(kcc_features_${id}); }`)
  const rows = levels.map(({ id, name }) => `  {"${name}", supported_${id}, kcc_modules_${id}, ${modules}u, 0u, nullptr},`)
  const deviceDeclarations = `extern "C" const kcc_module* const kcc_modules_cuda[];\nextern "C" const kcc_device kcc_cuda_device;\nstatic int32_t supported_cuda() { return 1; }\n`
  const deviceRow = `  {"cuda", supported_cuda, kcc_modules_cuda, ${modules}u, 0u, &kcc_cuda_device},\n`
  return {
    name: 'kcc_levels.cc',
    perLevel: false,
    text: `// CPU levels of this file, best first.
#include "kcc/abi.h"

static int32_t cpu_has(uint32_t features) {
#if defined(__x86_64__)
  __builtin_cpu_init();
${features.map(([, name], bit) => `  if ((features & 1u << ${bit}) && !__builtin_cpu_supports("${name}")) return 0;`).join('\n')}
#else
  (void)features;
#endif
  return 1;
}

${declarations.join('\n')}
${device ? deviceDeclarations : ''}
extern "C" __attribute__((visibility("default"))) const kcc_level kcc_levels[] = {
${rows.join('\n')}
${device ? deviceRow : ''}  {nullptr, nullptr, nullptr, 0u, 0u, nullptr},
};
`,
  }
}
