// Contractions: sums(i, j) = sum over p of lhs(i, p) * rhs(p, j), float, finished by the caller tile by tile.
//
// Every sum is ONE chain of fused multiply-adds in the order of p, whatever path, tile or thread computes it; a long one
// with `split_room` is several such chains, as many as the sizes say, added in order, and so is one of few columns over
// runs (gemm-few-columns.h). Results do not depend on the number
// of threads, nor on which rows are computed together.
//
// The definitions are in gemm-kernels.h, which exactly one translation unit of every CPU level includes.
#pragma once
#include "abi.h"
#include "vec.h"

namespace kcc {
inline namespace KCC_LEVEL {

// Neighbours in runs: element i of a row (or column) whose elements are neighbours. `block` is 0 when all of them are, or
// the floats from one block of KCC_BLOCK_COLUMNS to the next.
KCC_INLINE int64_t along(int64_t i, int64_t block) {
  constexpr uint64_t columns = KCC_BLOCK_COLUMNS;
  return block == 0 ? i : (int64_t)((uint64_t)i / columns) * block + (int64_t)((uint64_t)i % columns);
}

// Place of an element of a matrix of `rows` rows that is stored in blocks of columns.
KCC_INLINE int64_t in_blocks(int64_t rows, int64_t row, int64_t column) {
  return row * KCC_BLOCK_COLUMNS + along(column, rows * KCC_BLOCK_COLUMNS);
}

// A matrix in memory: element (row, column) at data[row * row_stride + column * column_stride], one stride being 1; that
// axis is in blocks when `block` is not 0. Only right operands are in blocks, and then of whole blocks.
struct Matrix {
  const float* data;
  int64_t row_stride, column_stride, block;
};

struct Contraction;

// Finishes rows x columns sums, which lie at sums[r * stride + c] for the elements (row + r, column + c). Called exactly
// once for every element of the result; `columns` is a multiple of KCC_VW except at the right edge. Rows that belong together
// are finished in one call.
typedef void (*Finish)(const Contraction& self, const float* sums, int64_t stride, int64_t row, int64_t column, int64_t rows, int64_t columns);

// Writes `count` elements of a computed operand, from (row, column) along its own axis, to `out`. Called for blocks of the
// operand as they are needed, and more than once for the same element when several panels use it.
typedef void (*Compute)(const Contraction& self, int64_t row, int64_t column, int64_t count, float* out);

// Addresses of the runs of neighbours in which a left operand lies in memory: to[run * lines + i] is where run `run` of row
// (or step of the sum) `line + i` begins, `zeros` where it is outside of what there is.
typedef void (*Starts)(const Contraction& self, int64_t line, int64_t lines, const float** to);
static constexpr int64_t longest_zeros = 4096;
extern const float zeros[longest_zeros];

// Addresses `step` floats apart.
static inline void even_starts(const float* from, int64_t step, int64_t count, const float** to) {
  constexpr int lanes = KCC_VW / 2;
  typedef int64_t Addresses __attribute__((vector_size(lanes * 8), aligned(8), may_alias));
  Addresses next{};
  for (int i = 0; i < lanes; ++i) next[i] = (int64_t)(from + i * step);
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes, next += lanes * step * (int64_t)sizeof(float)) *(Addresses*)(to + i) = next;
  for (; i < count; ++i) to[i] = from + i * step;
}

// A buffer of the result's shape that `finish` reads: fetched while the sums are being made. Unused when data is NULL.
struct Touched {
  const float* data;
  int64_t row_stride, block;
};

// Addresses of the runs of lines at ... at + count - 1, which all have one `start` apart or another.
template <class Start, class Inside> KCC_INLINE void single_starts(int64_t at, int64_t count, const Start& start, const Inside& inside, const float** to) {
  for (int64_t i = 0; i < count; ++i) to[i] = inside(at + i) ? start(at + i) : zeros;
}

// The same of lines that begin `step` apart and are inside without a gap.
template <class Start, class Inside> KCC_INLINE void steady_starts(int64_t at, int64_t count, int64_t step, const Start& start, const Inside& inside, const float** to) {
  for (; count > 0 && !inside(at); ++at, --count) *to++ = zeros;
  for (; count > 0 && !inside(at + count - 1); --count) to[count - 1] = zeros;
  if (count > 0) even_starts(start(at), step, count, to);
}

// A buffer of the result's shape that `finish` writes: made ready while the sums are being made. Unused when data is NULL.
struct Written {
  char* data;
  int64_t row_bytes, element_bytes;
};

// A left operand of windows of `lines` x `pixels` pixels, one pixel apart, of `channels` neighbours each: rows (or columns, where
// windows are the rows) are their places in pictures of height x width, line by line, or square by square of four where as many rows
// belong together. None: 0 channels.
struct Windows {
  int64_t height, width, channels, lines, pixels;
};

struct Contraction {
  int64_t m, n, k;
  Matrix lhs, rhs;                    // m x k and k x n; a computed right one may be set by contract()
  Compute compute_lhs, compute_rhs;   // NULL: the operand lies in memory
  bool lhs_along_row, rhs_along_row;  // the axis a computed operand is made along, or a run lies along
  Starts lhs_starts;                  // contract_runs() only
  int64_t lhs_runs, lhs_run;          // how many runs an axis has, and the length of each
  Windows windows;                    // contract_runs() only: what the runs are lines or pixels of
  bool last_run_is_one;               // set by contract_runs(): the last run is a single row of ones
  bool long_sum;                      // the sum is made part by part, both operands with it
  int64_t split_room;                 // floats of the workspace for results of parts of a long sum, 0: it is not split
  int64_t rows_together;              // neighbouring rows, from a multiple of as many on, that belong together; 0: each by itself
  Finish finish;
  Finish finish_totals;               // NULL, or for the sums of the right operand's columns, as a row 0; it then lies in memory by rows
  const void* args;                   // for finish and compute
  Touched touched[4];
  Written written[2];                 // contract_runs() only
  kcc_pool* pool;                     // NULL: run on this thread
  char* workspace;                    // as many bytes as the compiler's contractWorkspace says
};

static inline int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

// Defined in gemm-kernels.h.
void contract(Contraction c);
// With the left operand in runs; defined in gemm-runs.h.
void contract_runs(Contraction c);

}  // namespace KCC_LEVEL
}  // namespace kcc
