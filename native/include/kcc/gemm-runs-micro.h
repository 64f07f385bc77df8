// Micro-kernels over a left operand that lies in memory in runs of neighbours, each with an address of its own: windows of a
// convolution are read where they are. Up to 6 rows x 4 vectors, 8 x 3, 12 x 2 or 12 x 1.
#pragma once
#include "gemm-micro.h"

namespace kcc {
inline namespace KCC_LEVEL {

// Sums lie at c[i * NV * KCC_VW], rows of the right operand at b, NV * KCC_VW floats from one to the next or `b_step`.
//
// By rows, a run is along the sum: row i of step `run * length + s` is starts[run * starts_step + i][offset + s].
// By steps, a run is along the rows: row i of step s is starts[s][offset + i].
struct RunsCall {
  int64_t runs, length;
  const float* const* starts;
  int64_t starts_step, offset;
  const float* b;
  int64_t b_step;      // by steps only
  float* c;
  bool resume;         // start from what c holds
  const float* ahead;  // by rows only: memory wanted later, two lines of it at every fourth step, `ahead_step` floats apart
  int64_t ahead_step;
};
typedef void (*RunsMicro)(const RunsCall& call);

#define KCC_EACH_ROW(x) x(0) x(1) x(2) x(3) x(4) x(5) x(6) x(7) x(8) x(9) x(10) x(11)
#define KCC_RUN_DECLARE(i) [[maybe_unused]] vf c##i##_0{}, c##i##_1{}, c##i##_2{}, c##i##_3{};
#define KCC_RUN_RESUME(i)                                                                 \
  if constexpr (i < MR) {                                                                 \
    c##i##_0 = load(call.c + (i * NV) * KCC_VW);                                          \
    if constexpr (NV > 1) c##i##_1 = load(call.c + (i * NV + 1) * KCC_VW);                \
    if constexpr (NV > 2) c##i##_2 = load(call.c + (i * NV + 2) * KCC_VW);                \
    if constexpr (NV > 3) c##i##_3 = load(call.c + (i * NV + 3) * KCC_VW);                \
  }
#define KCC_RUN_SAVE(i)                                                                   \
  if constexpr (i < MR) {                                                                 \
    store(call.c + (i * NV) * KCC_VW, c##i##_0);                                          \
    if constexpr (NV > 1) store(call.c + (i * NV + 1) * KCC_VW, c##i##_1);                \
    if constexpr (NV > 2) store(call.c + (i * NV + 2) * KCC_VW, c##i##_2);                \
    if constexpr (NV > 3) store(call.c + (i * NV + 3) * KCC_VW, c##i##_3);                \
  }
#define KCC_RUN_MULTIPLY(i, element)                        \
  if constexpr (i < MR) {                                   \
    const vf x = bcast(element);                            \
    c##i##_0 = fma(x, b0, c##i##_0);                        \
    if constexpr (NV > 1) c##i##_1 = fma(x, b1, c##i##_1);  \
    if constexpr (NV > 2) c##i##_2 = fma(x, b2, c##i##_2);  \
    if constexpr (NV > 3) c##i##_3 = fma(x, b3, c##i##_3);  \
  }
#define KCC_RUN_VECTORS(from)                                        \
  const vf b0 = load(from);                                          \
  [[maybe_unused]] vf b1{}, b2{}, b3{};                              \
  if constexpr (NV > 1) b1 = load(from + KCC_VW);                    \
  if constexpr (NV > 2) b2 = load(from + 2 * KCC_VW);                \
  if constexpr (NV > 3) b3 = load(from + 3 * KCC_VW);

#define KCC_ROW_START(i) [[maybe_unused]] const float* const a##i = starts[i < MR ? i : 0] + call.offset;
#define KCC_ROW_MULTIPLY(i) KCC_RUN_MULTIPLY(i, a##i[s + KCC_STEP_AHEAD])
#define KCC_ROWS_STEP { KCC_RUN_VECTORS(b + KCC_STEP_AHEAD * NV * KCC_VW) KCC_EACH_ROW(KCC_ROW_MULTIPLY) }

template <int MR, int NV> static void micro_by_rows(const RunsCall& call) {
  KCC_EACH_ROW(KCC_RUN_DECLARE)
  if (call.resume) { KCC_EACH_ROW(KCC_RUN_RESUME) }
  const float* b = call.b;
  const float* const* starts = call.starts;
  const float* ahead = call.ahead;
  for (int64_t run = 0; run < call.runs; ++run, starts += call.starts_step) {
    KCC_EACH_ROW(KCC_ROW_START)
    int64_t s = 0;
    for (; s + 4 <= call.length; s += 4, b += 4 * NV * KCC_VW, ahead += call.ahead_step) {
      __builtin_prefetch(ahead, 0, 2);
      __builtin_prefetch(ahead + 16, 0, 2);
#define KCC_STEP_AHEAD 0
      KCC_ROWS_STEP
#undef KCC_STEP_AHEAD
#define KCC_STEP_AHEAD 1
      KCC_ROWS_STEP
#undef KCC_STEP_AHEAD
#define KCC_STEP_AHEAD 2
      KCC_ROWS_STEP
#undef KCC_STEP_AHEAD
#define KCC_STEP_AHEAD 3
      KCC_ROWS_STEP
#undef KCC_STEP_AHEAD
    }
#define KCC_STEP_AHEAD 0
    for (; s < call.length; ++s, b += NV * KCC_VW) KCC_ROWS_STEP
#undef KCC_STEP_AHEAD
  }
  KCC_EACH_ROW(KCC_RUN_SAVE)
}

#define KCC_STEPS_MULTIPLY(i) KCC_RUN_MULTIPLY(i, a[i])
#define KCC_STEPS_STEP(ahead)                      \
  {                                                \
    const float* const a = starts[ahead] + offset; \
    KCC_RUN_VECTORS(b)                             \
    KCC_EACH_ROW(KCC_STEPS_MULTIPLY)               \
    b += call.b_step;                              \
  }

template <int MR, int NV> static void micro_by_steps(const RunsCall& call) {
  KCC_EACH_ROW(KCC_RUN_DECLARE)
  if (call.resume) { KCC_EACH_ROW(KCC_RUN_RESUME) }
  const float* b = call.b;
  const float* const* starts = call.starts;
  const int64_t offset = call.offset;
  int64_t s = 0;
  for (; s + 4 <= call.length; s += 4, starts += 4) {
    KCC_STEPS_STEP(0) KCC_STEPS_STEP(1) KCC_STEPS_STEP(2) KCC_STEPS_STEP(3)
  }
  for (; s < call.length; ++s, ++starts) KCC_STEPS_STEP(0)
  KCC_EACH_ROW(KCC_RUN_SAVE)
}

}  // namespace KCC_LEVEL
}  // namespace kcc
