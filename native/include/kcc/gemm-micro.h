// The micro-kernel: rows x vectors accumulators in registers, one step of the sum at a time. The accumulators are named
// variables, because compilers keep arrays of vectors in memory. Up to 6 rows x 4 vectors, or 12 rows x 1 vector.
#pragma once
#include "vec.h"

namespace kcc {
inline namespace KCC_LEVEL {

// Memory wanted later: `count` times two lines, each time `step` floats further.
struct Ahead {
  const float* at;
  int64_t step, count;
};
static constexpr int64_t ahead_floats = 32;

// lhs: element (i, p) at a[i * a_row + p * a_step]; rhs: vectors at b[p * b_step]; sums go to c[i * c_stride].
// While the sums are made two lines of `ahead` are fetched at every fourth step: slowly enough to leave the misses that
// the machine can have in flight to the operands. The last of `ahead` goes on for ever.
struct MicroCall {
  int64_t k;
  const float* a;
  int64_t a_row, a_step;
  const float* b;
  int64_t b_step;
  float* c;
  int64_t c_stride;
  bool resume;  // start from what c holds
  const Ahead* ahead;
};
typedef void (*Micro)(const MicroCall& call);

// x(i, pointer to the row's element): rows are addressed in groups of three from one pointer.
#define KCC_ROWS_6(x) x(0, a0[0]) x(1, a0[row]) x(2, a0[2 * row]) x(3, a1[0]) x(4, a1[row]) x(5, a1[2 * row])
#define KCC_ROWS_12(x) KCC_ROWS_6(x) x(6, a2[0]) x(7, a2[row]) x(8, a2[2 * row]) x(9, a3[0]) x(10, a3[row]) x(11, a3[2 * row])

#define KCC_DECLARE(i, address) vf c##i##_0{}, c##i##_1{}, c##i##_2{}, c##i##_3{};
#define KCC_RESUME(i, address)                                                     \
  if constexpr (i < MR) {                                                          \
    c##i##_0 = load(call.c + i * call.c_stride);                                   \
    if constexpr (NV > 1) c##i##_1 = load(call.c + i * call.c_stride + KCC_VW);     \
    if constexpr (NV > 2) c##i##_2 = load(call.c + i * call.c_stride + 2 * KCC_VW); \
    if constexpr (NV > 3) c##i##_3 = load(call.c + i * call.c_stride + 3 * KCC_VW); \
  }
#define KCC_MULTIPLY(i, address)                            \
  if constexpr (i < MR) {                                   \
    const vf x = bcast(address);                            \
    c##i##_0 = fma(x, b0, c##i##_0);                        \
    if constexpr (NV > 1) c##i##_1 = fma(x, b1, c##i##_1);  \
    if constexpr (NV > 2) c##i##_2 = fma(x, b2, c##i##_2);  \
    if constexpr (NV > 3) c##i##_3 = fma(x, b3, c##i##_3);  \
  }
#define KCC_SAVE(i, address)                                                        \
  if constexpr (i < MR) {                                                           \
    store(call.c + i * call.c_stride, c##i##_0);                                    \
    if constexpr (NV > 1) store(call.c + i * call.c_stride + KCC_VW, c##i##_1);      \
    if constexpr (NV > 2) store(call.c + i * call.c_stride + 2 * KCC_VW, c##i##_2);  \
    if constexpr (NV > 3) store(call.c + i * call.c_stride + 3 * KCC_VW, c##i##_3);  \
  }
// One step of the sum: the next element of every row times the next vectors.
#define KCC_STEP(rows)                                             \
  {                                                                \
    const vf b0 = load(b);                                         \
    vf b1{}, b2{}, b3{};                                           \
    if constexpr (NV > 1) b1 = load(b + KCC_VW);                    \
    if constexpr (NV > 2) b2 = load(b + 2 * KCC_VW);                \
    if constexpr (NV > 3) b3 = load(b + 3 * KCC_VW);                \
    rows(KCC_MULTIPLY)                                             \
    b += call.b_step;                                              \
    a0 += call.a_step;                                             \
    if constexpr (MR > 3) a1 += call.a_step;                        \
    if constexpr (MR > 6) a2 += call.a_step;                        \
    if constexpr (MR > 9) a3 += call.a_step;                        \
  }
#define KCC_MICRO_BODY(rows)                                                                  \
  const int64_t row = call.a_row;                                                             \
  const float *a0 = call.a, *b = call.b;                                                       \
  [[maybe_unused]] const float *a1 = a0 + 3 * row, *a2 = a0 + 6 * row, *a3 = a0 + 9 * row;    \
  rows(KCC_DECLARE)                                                                           \
  if (call.resume) { rows(KCC_RESUME) }                                                       \
  int64_t steps = call.k;                                                                     \
  for (const Ahead* ahead = call.ahead; steps >= 4; ++ahead) {                                \
    const float* line = ahead->at;                                                            \
    const int64_t end = ahead->count < steps / 4 ? steps - 4 * ahead->count : steps % 4;      \
    for (; steps > end; steps -= 4, line += ahead->step) {                                    \
      __builtin_prefetch(line, 0, 2);                                                         \
      __builtin_prefetch(line + 16, 0, 2);                                                    \
      KCC_STEP(rows) KCC_STEP(rows) KCC_STEP(rows) KCC_STEP(rows)                             \
    }                                                                                         \
  }                                                                                           \
  for (; steps > 0; --steps) KCC_STEP(rows)                                                   \
  rows(KCC_SAVE)

template <int MR, int NV> static void micro(const MicroCall& call) {
  if constexpr (MR <= 6) {
    KCC_MICRO_BODY(KCC_ROWS_6)
  } else {
    KCC_MICRO_BODY(KCC_ROWS_12)
  }
}

#undef KCC_ROWS_6
#undef KCC_ROWS_12
#undef KCC_DECLARE
#undef KCC_RESUME
#undef KCC_MULTIPLY
#undef KCC_SAVE
#undef KCC_STEP
#undef KCC_MICRO_BODY

// Vectors of a full panel, by the number of registers.
static constexpr int panel_vectors = KCC_VW == 16 ? 4 : 2;
static constexpr int panel_width = panel_vectors * KCC_VW;

// Most rows of a kernel of that many vectors.
static inline int64_t micro_rows(int64_t vectors) { return vectors == 1 ? 12 : 6; }

static inline Micro micro_kernel(int64_t rows, int64_t vectors) {
#define KCC_SIX(NV) micro<1, NV>, micro<2, NV>, micro<3, NV>, micro<4, NV>, micro<5, NV>, micro<6, NV>
  static constexpr Micro table[panel_vectors][12] = {
      {KCC_SIX(1), micro<7, 1>, micro<8, 1>, micro<9, 1>, micro<10, 1>, micro<11, 1>, micro<12, 1>},
      {KCC_SIX(2)},
#if KCC_VW == 16
      {KCC_SIX(3)},
      {KCC_SIX(4)},
#endif
  };
#undef KCC_SIX
  return table[vectors - 1][rows - 1];
}

}  // namespace KCC_LEVEL
}  // namespace kcc
