/** A hand-written module as the emitter would write it: one function that multiplies its input by a constant. */
import { MANIFEST_FORMAT, type ModuleManifest } from '../../runtime/contract/manifest.js'
import type { Emitted } from '../../compiler/emit/sources.js'

export const manifest: ModuleManifest = {
  format: MANIFEST_FORMAT,
  kcc: '0.1.0',
  name: 'scale',
  dims: ['B'],
  variables: [],
  scalars: [],
  functions: [{
    name: 'predict',
    inputs: [{ name: 'x', dtype: 'float32', shape: ['B', 4] }],
    outputs: [{ name: 'y', dtype: 'float32', shape: ['B', 4] }],
    updates: [],
    arenaBytes: { expression: '0', at: { '1': 0, '32': 0, '128': 0 } },
    kernels: 1,
    flops: '4*B',
  }],
  model: null,
}

const kernel = (factor: number): string => `#include <stdint.h>
namespace KCC_LEVEL {
void scale(const float* x, float* y, int64_t n) { for (int64_t i = 0; i < n; i++) y[i] = x[i] * ${factor}.0f; }
}
`

const registry = `#include "kcc/abi.h"
#define KCC_JOIN2(a, b) a##b
#define KCC_JOIN(a, b) KCC_JOIN2(a, b)
namespace KCC_LEVEL {
void scale(const float* x, float* y, int64_t n);
static void predict(const kcc_call* call) {
  scale(static_cast<const float*>(call->inputs[0]), static_cast<float*>(call->outputs[0]), call->dims[0] * 4);
}
static int64_t predict_arena(const int64_t*) { return 0; }
static const kcc_function functions[] = {{"predict", predict, predict_arena, 1, 1, 0, 0}};
static const kcc_module module = {KCC_ABI, 1, 0, 0, 1, 0, "scale", functions, nullptr, nullptr, nullptr};
}
extern "C" const kcc_module* const KCC_JOIN(kcc_modules_, KCC_LEVEL)[];
extern "C" const kcc_module* const KCC_JOIN(kcc_modules_, KCC_LEVEL)[] = {&KCC_LEVEL::module};
`

/** \`y = factor * x\` over [B, 4]. */
export const scaleModule = (factor: number): Emitted => ({
  device: [],
  files: [
    { name: 'scale.cc', perLevel: true, text: kernel(factor) },
    { name: 'modules.cc', perLevel: true, text: registry },
  ],
  manifests: [manifest],
})
