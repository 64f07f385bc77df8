// Up to four rows: the right operand is read once, in the order of memory, and the sums wait in the first-level cache.
// What limits it is the bandwidth of whatever cache the weights are in.
#pragma once
#include "gemm.h"

namespace kcc {
inline namespace KCC_LEVEL {

static constexpr int64_t few_rows = 4;
// Columns of one block, and floats between the rows of its sums.
static constexpr int64_t few_columns = 512;

// sums(r, j) += lhs(r, p ... p + STEPS) * rhs(p ... p + STEPS, j), one chain per sum.
template <int ROWS, int STEPS>
static void few_rows_steps(const Contraction& c, int64_t p, int64_t column, int64_t columns, float* sums) {
  vf x[ROWS][STEPS];
#pragma GCC unroll 8
  for (int r = 0; r < ROWS; ++r)
#pragma GCC unroll 8
    for (int s = 0; s < STEPS; ++s) x[r][s] = bcast(c.lhs.data[r * c.lhs.row_stride + (p + s) * c.lhs.column_stride]);
  const float* b = c.rhs.data + p * c.rhs.row_stride + along(column, c.rhs.block);
  int64_t j = 0;
  for (; j + KCC_VW <= columns; j += KCC_VW) {
    vf y[ROWS];
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; ++r) y[r] = load(sums + r * few_columns + j);
#pragma GCC unroll 8
    for (int s = 0; s < STEPS; ++s) {
      const vf w = load(b + s * c.rhs.row_stride + j);
#pragma GCC unroll 8
      for (int r = 0; r < ROWS; ++r) y[r] = fma(x[r][s], w, y[r]);
    }
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; ++r) store(sums + r * few_columns + j, y[r]);
  }
  if (j == columns) return;
  for (int r = 0; r < ROWS; ++r) {
    vf y = load(sums + r * few_columns + j);
    for (int s = 0; s < STEPS; ++s) y = fma(x[r][s], load(b + s * c.rhs.row_stride + j, columns - j), y);
    store(sums + r * few_columns + j, y);
  }
}

template <int ROWS> static void few_rows_block(const Contraction& c, int64_t column, int64_t columns, float* sums) {
  constexpr int STEPS = ROWS == 1 ? 8 : 4;
  for (int64_t r = 0; r < ROWS; ++r)
    for (int64_t j = 0; j < columns; j += KCC_VW) store(sums + r * few_columns + j, vf{});
  int64_t p = 0;
  for (; p + STEPS <= c.k; p += STEPS) few_rows_steps<ROWS, STEPS>(c, p, column, columns, sums);
  for (; p < c.k; ++p) few_rows_steps<ROWS, 1>(c, p, column, columns, sums);
  c.finish(c, sums, few_columns, 0, column, ROWS, columns);
}

static void few_rows_columns(const Contraction& c, int64_t column, int64_t columns) {
  alignas(64) float sums[few_rows * few_columns];
  switch (c.m) {
    case 1: return few_rows_block<1>(c, column, columns, sums);
    case 2: return few_rows_block<2>(c, column, columns, sums);
    case 3: return few_rows_block<3>(c, column, columns, sums);
    default: return few_rows_block<4>(c, column, columns, sums);
  }
}

}  // namespace KCC_LEVEL
}  // namespace kcc
