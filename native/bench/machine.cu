// Limits of a GPU, for `kcc bench` and `kcc inspect --fusion`: fused multiply-adds in registers, products of its matrix units
// from float32 rounded to TF32 and from bfloat16, and copying memory. Laid out as a module of generated code, as in machine.cc.
#include "kcc/abi.h"
#include "kcc/cuda/launch.h"

#define KCC_JOIN2(a, b) a##b
#define KCC_JOIN(a, b) KCC_JOIN2(a, b)

namespace kcc {
inline namespace KCC_LEVEL {
namespace {

struct Sums {
  float* sums;  // one for each block
  int64_t rounds;
};

// Eight independent chains hide the latency of the units; 16 operations of each thread in a round.
__global__ void __launch_bounds__(kBlock) multiply_add(const Sums args) {
  float a = (float)threadIdx.x, b = a + 1, c = a + 2, d = a + 3, e = a + 4, f = a + 5, g = a + 6, h = a + 7;
  for (int64_t i = 0; i < args.rounds; i++) {
    a = a * 0.999f + 0.001f, b = b * 0.999f + 0.001f, c = c * 0.999f + 0.001f, d = d * 0.999f + 0.001f;
    e = e * 0.999f + 0.001f, f = f * 0.999f + 0.001f, g = g * 0.999f + 0.001f, h = h * 0.999f + 0.001f;
  }
  const float sum = a + b + c + d + e + f + g + h;
  if (threadIdx.x == 0 || sum == -1.0f) args.sums[blockIdx.x] = sum;
}

#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
__device__ void multiply_once(float* s, bool is_tf32) {
  const unsigned one = is_tf32 ? 0x3f800000u : 0x3f803f80u;
  if (is_tf32)
    asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%4,%4,%4}, {%4,%4}, {%0,%1,%2,%3};"
                 : "+f"(s[0]), "+f"(s[1]), "+f"(s[2]), "+f"(s[3]) : "r"(one));
  else
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%4,%4,%4}, {%4,%4}, {%0,%1,%2,%3};"
                 : "+f"(s[0]), "+f"(s[1]), "+f"(s[2]), "+f"(s[3]) : "r"(one));
}
#else
__device__ void multiply_once(float* s, bool) { for (int k = 0; k < 4; k++) s[k] += 8.0f; }
#endif

// Four independent products of each warp in a round, of 16 x 8 x 8 in TF32 and 16 x 8 x 16 in bfloat16: 2048 operations each, and
// 4096. A host only adds.
template <bool IsTf32>
__global__ void __launch_bounds__(kBlock) multiply_matrices(const Sums args) {
  float sums[4][4] = {};
  for (int64_t i = 0; i < args.rounds; i++) {
    for (int chain = 0; chain < 4; chain++) multiply_once(sums[chain], IsTf32);
  }
  float sum = 0;
  for (int chain = 0; chain < 4; chain++) for (int k = 0; k < 4; k++) sum += sums[chain][k];
  if (threadIdx.x == 0 || sum == -1.0f) args.sums[blockIdx.x] = sum;
}

struct Copy {
  const float* from;
  float* to;
  int64_t count;  // a multiple of 4
};
struct alignas(16) Four { float x, y, z, w; };

__global__ void __launch_bounds__(kBlock) copy(const Copy args) {
  for (int64_t i = (int64_t)blockIdx.x * kBlock + threadIdx.x; i < args.count / 4; i += (int64_t)gridDim.x * kBlock)
    ((Four*)args.to)[i] = ((const Four*)args.from)[i];
}

// dims: rounds, blocks. Output: [blocks].
void flops(const kcc_call* call) { launch(multiply_add, call->dims[1], kBlock, call->stream, Sums{(float*)call->outputs[0], call->dims[0]}); }
void tf32_flops(const kcc_call* call) { launch(multiply_matrices<true>, call->dims[1], kBlock, call->stream, Sums{(float*)call->outputs[0], call->dims[0]}); }
void bfloat16_flops(const kcc_call* call) { launch(multiply_matrices<false>, call->dims[1], kBlock, call->stream, Sums{(float*)call->outputs[0], call->dims[0]}); }
// dims: elements, rounds. Nothing goes in or out.
void bandwidth(const kcc_call* call) {
  const Copy args = {(const float*)call->arena, (float*)call->arena + call->dims[0], call->dims[0]};
  for (int64_t i = 0; i < call->dims[1]; i++) launch(copy, blocks_for(call->dims[0] / 4, kBlock), kBlock, call->stream, args);
}

int64_t no_arena(const int64_t*) { return 0; }
int64_t two_arrays(const int64_t* dims) { return dims[0] * 8; }
void sums_bytes(const int64_t* dims, int64_t* bytes) { bytes[0] = dims[1] * 4; }
void no_bytes(const int64_t*, int64_t*) {}

const kcc_function functions[] = {
    {"flops", flops, no_arena, 0, 1, 0, 0, sums_bytes},
    {"tensorFlops", tf32_flops, no_arena, 0, 1, 0, 0, sums_bytes},
    {"bandwidth", bandwidth, two_arrays, 0, 0, 0, 0, no_bytes},
    {"bfloat16Flops", bfloat16_flops, no_arena, 0, 1, 0, 0, sums_bytes},
};
const kcc_module machine = {KCC_ABI, 4, 0, 0, 2, 0, "machine", functions, nullptr, nullptr, nullptr};

}  // namespace
}  // namespace KCC_LEVEL
}  // namespace kcc

extern "C" const kcc_module* const KCC_JOIN(kcc_modules_, KCC_LEVEL)[];
extern "C" const kcc_module* const KCC_JOIN(kcc_modules_, KCC_LEVEL)[] = {&kcc::machine};
