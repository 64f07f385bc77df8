// Limits of the machine, for `kcc bench`: fused multiply-adds in registers, and copying memory. Laid out as a module of
// generated code, so that both run as kernels do: same flags, same pool.
#include <string.h>

#include "kcc/abi.h"

#define KCC_JOIN2(a, b) a##b
#define KCC_JOIN(a, b) KCC_JOIN2(a, b)

inline namespace KCC_LEVEL {

#if defined(__AVX512F__)
constexpr int kLanes = 16;
#elif defined(__AVX__)
constexpr int kLanes = 8;
#else
constexpr int kLanes = 4;
#endif
typedef float Vector __attribute__((vector_size(kLanes * 4)));

// Twelve independent chains: enough to hide the latency of two units, few enough for 16 registers. Each has a variable of
// its own: an array is kept in memory by g++ -O2, and the loop then measures the first cache.
#define KCC_CHAINS(EACH) EACH(a) EACH(b) EACH(c) EACH(d) EACH(e) EACH(f) EACH(g) EACH(h) EACH(i) EACH(j) EACH(k) EACH(l)
#define KCC_DECLARE(v) Vector v = Vector{} + static_cast<float>(#v[0]);
#define KCC_STEP(v) v = v * factor + term;
#define KCC_ADD(v) + v

struct Work {
  const kcc_call* call;
  int64_t count, chunks;
};

static void multiply_add(void* context, int64_t chunk) {
  const Work& work = *static_cast<const Work*>(context);
  const Vector factor = Vector{} + 0.999f, term = Vector{} + 0.001f;
  KCC_CHAINS(KCC_DECLARE)
  for (int64_t round = 0; round < work.count; round++) {
    KCC_CHAINS(KCC_STEP)
  }
  const Vector sum = Vector{} KCC_CHAINS(KCC_ADD);
  static_cast<float*>(work.call->outputs[0])[chunk] = sum[0];
}

static void copy(void* context, int64_t chunk) {
  const Work& work = *static_cast<const Work*>(context);
  const int64_t from = work.count * chunk / work.chunks, to = work.count * (chunk + 1) / work.chunks;
  memcpy(static_cast<float*>(work.call->outputs[0]) + from, static_cast<const float*>(work.call->inputs[0]) + from, (to - from) * 4);
}

static void run(const kcc_call* call, int64_t chunks, void (*body)(void*, int64_t)) {
  Work work{call, call->dims[0], chunks};
  if (call->pool) {
    call->pool->run(call->pool, chunks, body, &work);
  } else {
    for (int64_t i = 0; i < chunks; i++) body(&work, i);
  }
}

// dims: rounds, chunks. Output: [chunks]; the work is rounds * chunks * lanes() * 24 operations.
static void flops(const kcc_call* call) { run(call, call->dims[1], multiply_add); }
// dims: elements, chunks.
static void bandwidth(const kcc_call* call) { run(call, call->dims[1], copy); }
static void lanes(const kcc_call* call) { *static_cast<float*>(call->outputs[0]) = kLanes; }
static int64_t no_arena(const int64_t*) { return 0; }

static const kcc_function functions[] = {
    {"flops", flops, no_arena, 0, 1, 0, 0},
    {"bandwidth", bandwidth, no_arena, 1, 1, 0, 0},
    {"lanes", lanes, no_arena, 0, 1, 0, 0},
};
static const kcc_module machine = {KCC_ABI, 3, 0, 0, 2, 0, "machine", functions, nullptr, nullptr, nullptr};

}  // namespace KCC_LEVEL

extern "C" const kcc_module* const KCC_JOIN(kcc_modules_, KCC_LEVEL)[];
extern "C" const kcc_module* const KCC_JOIN(kcc_modules_, KCC_LEVEL)[] = {&machine};
