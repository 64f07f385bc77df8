// Copies of a right operand in panels: step p of a panel is `width` neighbouring columns at panel[p * width].
#pragma once
#include "gemm.h"

namespace kcc {
inline namespace KCC_LEVEL {

// The low and high halves of a and b, interleaved: a0 b0 a1 b1 ...
#if KCC_VW == 16
KCC_INLINE vf interleave_low(vf a, vf b) { return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23); }
KCC_INLINE vf interleave_high(vf a, vf b) { return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31); }
#elif KCC_VW == 8
KCC_INLINE vf interleave_low(vf a, vf b) { return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11); }
KCC_INLINE vf interleave_high(vf a, vf b) { return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15); }
#else
KCC_INLINE vf interleave_low(vf a, vf b) { return __builtin_shufflevector(a, b, 0, 4, 1, 5); }
KCC_INLINE vf interleave_high(vf a, vf b) { return __builtin_shufflevector(a, b, 2, 6, 3, 7); }
#endif

// One round of the transposition: log2(KCC_VW) perfect shuffles of all rows make it.
KCC_INLINE void shuffle_rows(const vf* from, vf* to) {
#pragma GCC unroll 16
  for (int i = 0; i < KCC_VW / 2; ++i) {
    to[2 * i] = interleave_low(from[i], from[i + KCC_VW / 2]);
    to[2 * i + 1] = interleave_high(from[i], from[i + KCC_VW / 2]);
  }
}

// to[p * to_stride + j] = from[j * from_stride + p] for a block of KCC_VW x KCC_VW.
KCC_INLINE void transpose_block(const float* from, int64_t from_stride, float* to, int64_t to_stride) {
  vf x[KCC_VW], y[KCC_VW];
#pragma GCC unroll 16
  for (int i = 0; i < KCC_VW; ++i) x[i] = load(from + i * from_stride);
  shuffle_rows(x, y);
  shuffle_rows(y, x);
#if KCC_VW >= 8
  shuffle_rows(x, y);
#else
#pragma GCC unroll 16
  for (int i = 0; i < KCC_VW; ++i) y[i] = x[i];
#endif
#if KCC_VW == 16
  shuffle_rows(y, x);
#else
#pragma GCC unroll 16
  for (int i = 0; i < KCC_VW; ++i) x[i] = y[i];
#endif
#pragma GCC unroll 16
  for (int i = 0; i < KCC_VW; ++i) store(to + i * to_stride, x[i]);
}

// to[i * to_stride + p] = from[p * from_stride + i] for `rows` (at most KCC_VW) values of i.
static void transpose_rows(const float* from, int64_t from_stride, int64_t k, int64_t rows, float* to, int64_t to_stride) {
  const int64_t whole = rows == KCC_VW ? k / KCC_VW * KCC_VW : 0;
  for (int64_t p = 0; p < whole; p += KCC_VW) transpose_block(from + p * from_stride, from_stride, to + p, to_stride);
  for (int64_t p = whole; p < k; ++p)
    for (int64_t i = 0; i < rows; ++i) to[i * to_stride + p] = from[p * from_stride + i];
}

// Columns that lie far apart, each contiguous: every vector of the panel is KCC_VW of them, transposed.
static void pack_transposed(const Matrix& rhs, int64_t first, int64_t k, int64_t column, int64_t columns, float* panel, int64_t width) {
  const int64_t stride = rhs.column_stride;
  for (int64_t j = 0; j < width; j += KCC_VW) {
    const float* from = rhs.data + (column + j) * stride;
    const int64_t real = columns - j < KCC_VW ? columns - j : KCC_VW;
    int64_t p = 0;
    for (; real == KCC_VW && p + KCC_VW <= k; p += KCC_VW) {
      for (int i = 0; i < KCC_VW; ++i) __builtin_prefetch(from + i * stride + along(first + p + 64, rhs.block), 0, 3);
      transpose_block(from + along(first + p, rhs.block), stride, panel + p * width + j, width);
    }
    for (; p < k; ++p) {
      const float* at = from + along(first + p, rhs.block);
      store(panel + p * width + j, real == KCC_VW ? gather(at, stride) : gather(at, stride, real));
    }
  }
}

// Columns that are neighbours in memory already: rows are copied, the last vector filled with zeros.
static void pack_rows(const Matrix& rhs, int64_t first, int64_t k, int64_t column, int64_t columns, float* panel, int64_t width) {
  const float* from = rhs.data + first * rhs.row_stride + along(column, rhs.block);
  for (int64_t p = 0; p < k; ++p, from += rhs.row_stride, panel += width) {
    int64_t j = 0;
    for (; j + KCC_VW <= columns; j += KCC_VW) store(panel + j, load(from + j));
    if (j < columns) store(panel + j, load(from + j, columns - j));
  }
}

// Steps [first, first + k) of `columns` columns from `column` on, `width` of them with the filling, a multiple of KCC_VW.
// Of a matrix whose steps are in blocks, `first` is a multiple of KCC_BLOCK_COLUMNS.
static void pack_panel(const Matrix& rhs, int64_t first, int64_t k, int64_t column, int64_t columns, float* panel, int64_t width) {
  if (rhs.column_stride == 1) pack_rows(rhs, first, k, column, columns, panel, width);
  else pack_transposed(rhs, first, k, column, columns, panel, width);
}

}  // namespace KCC_LEVEL
}  // namespace kcc
