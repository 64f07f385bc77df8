// What all contractions with a left operand in runs share: the largest tiles, a thread's buffers, and fetching.
#pragma once
#include "gemm-blocks.h"
#include "gemm-runs-micro.h"

namespace kcc {
inline namespace KCC_LEVEL {

// Rows of the largest tile: as many addresses may be read beyond the last, and rows of sums written.
static constexpr int64_t most_tile_rows = 12;
static constexpr int64_t most_starts = 12288;

struct RunBuffers {
  alignas(64) const float* starts[most_starts + most_tile_rows];
  alignas(64) float rhs[long_steps * panel_width];
  alignas(64) float sums[sum_floats];
};

// Rows of the largest tile of that many vectors.
static inline int64_t run_tile_rows(int64_t vectors) { return vectors <= 2 && (KCC_VW == 16 || vectors == 1) ? 12 : vectors == 3 ? 8 : 6; }

// Fetches into the second-level cache what run `i` has beyond the one before it.
static inline void fetch_run(const float* const* starts, int64_t i, int64_t run) {
  const float *begin = starts[i], *end = begin + run, *before = i == 0 ? begin : starts[i - 1] + run;
  for (const float* at = before > begin && before < end ? before : begin; at < end; at += 16) __builtin_prefetch(at, 0, 2);
}

}  // namespace KCC_LEVEL
}  // namespace kcc
