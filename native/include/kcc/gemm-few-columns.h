// Left operands in runs times a few columns, which would fill few lanes of the micro-kernels: here lanes go along the runs.
//
// Runs along the rows: each sum is one chain in the order of p, as anywhere else. Runs along the sum: it is KCC_VW chains, one
// for every place in a vector of its run, added as hsum adds.
#pragma once
#include "gemm-blocks.h"

namespace kcc {
inline namespace KCC_LEVEL {

static constexpr int64_t narrow_columns = 4;

// ---- runs along the rows

// Sums of column j lie at sums[j * room], row by row.
struct FewBySteps {
  int64_t steps;
  const float* const* starts;
  int64_t offset;
  const float* b;
  int64_t b_step;
  int lanes;  // real rows in the last vector
  float* sums;
  int64_t room;
};

template <int N, int V> static void few_by_steps(const FewBySteps& call) {
  vf sums[N][V];
#pragma GCC unroll 8
  for (int j = 0; j < N; ++j) {
#pragma GCC unroll 8
    for (int v = 0; v < V - 1; ++v) sums[j][v] = load(call.sums + j * call.room + v * KCC_VW);
    sums[j][V - 1] = load(call.sums + j * call.room + (V - 1) * KCC_VW, call.lanes);
  }
  const float* b = call.b;
  for (int64_t s = 0; s < call.steps; ++s, b += call.b_step) {
    const float* const a = call.starts[s] + call.offset;
    vf x[V];
#pragma GCC unroll 8
    for (int v = 0; v < V - 1; ++v) x[v] = load(a + v * KCC_VW);
    x[V - 1] = load(a + (V - 1) * KCC_VW, call.lanes);
#pragma GCC unroll 8
    for (int j = 0; j < N; ++j)
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) sums[j][v] = fma(x[v], bcast(b[j]), sums[j][v]);
  }
#pragma GCC unroll 8
  for (int j = 0; j < N; ++j) {
#pragma GCC unroll 8
    for (int v = 0; v < V - 1; ++v) store(call.sums + j * call.room + v * KCC_VW, sums[j][v]);
    store(call.sums + j * call.room + (V - 1) * KCC_VW, sums[j][V - 1], call.lanes);
  }
}

// `rows` neighbours, V vectors of them at a time, then the rest.
template <int N, int V> static void few_run(FewBySteps* call, int64_t rows) {
  for (; rows > (V - 1) * KCC_VW; rows -= V * KCC_VW, call->offset += V * KCC_VW, call->sums += V * KCC_VW) {
    call->lanes = (int)least(KCC_VW, rows - (V - 1) * KCC_VW);
    few_by_steps<N, V>(*call);
  }
  if constexpr (V > 1) {
    if (rows > 0) few_run<N, V - 1>(call, rows);
  }
}

static void few_rows_of_run(FewBySteps call, int64_t columns, int64_t rows) {
  switch (columns) {
    case 1: return few_run<1, 6>(&call, rows);
    case 2: return few_run<2, 4>(&call, rows);
    case 3: return few_run<3, 3>(&call, rows);
    default: return few_run<4, 3>(&call, rows);
  }
}

// ---- runs along the sum

// Row r of run i begins at starts[i * starts_step + r]; column j of the right operand is contiguous at b[j * b_column].
struct FewByRows {
  int64_t runs, length;
  const float* const* starts;
  int64_t starts_step;
  const float* b;
  int64_t b_column;
  float* sums;
  int64_t stride;
};

template <int R, int N> static void few_by_rows(const FewByRows& call) {
  vf sums[R][N]{};
  const float* const* starts = call.starts;
  const float* b = call.b;
  const auto step = [&](int64_t s, auto loaded) __attribute__((always_inline)) {
    vf y[N];
#pragma GCC unroll 8
    for (int j = 0; j < N; ++j) y[j] = loaded(b + j * call.b_column + s);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const vf x = loaded(starts[r] + s);
#pragma GCC unroll 8
      for (int j = 0; j < N; ++j) sums[r][j] = fma(x, y[j], sums[r][j]);
    }
  };
  for (int64_t run = 0; run < call.runs; ++run, starts += call.starts_step, b += call.length) {
    int64_t s = 0;
    for (; s + KCC_VW <= call.length; s += KCC_VW) step(s, [](const float* p) __attribute__((always_inline)) { return load(p); });
    const int64_t lanes = call.length - s;
    if (lanes > 0) step(s, [=](const float* p) __attribute__((always_inline)) { return load(p, lanes); });
  }
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
    for (int j = 0; j < N; ++j) call.sums[r * call.stride + j] = hsum(sums[r][j]);
}

// Whole tiles, of which rows beyond the last are some other row's and not used.
static void few_rows_tile(const FewByRows& call, int64_t columns) {
  switch (columns) {
    case 1: return few_by_rows<8, 1>(call);
    case 2: return few_by_rows<4, 2>(call);
    case 3: return few_by_rows<4, 3>(call);
    default: return few_by_rows<4, 4>(call);
  }
}
static inline int64_t few_tile_rows(int64_t columns) { return columns == 1 ? 8 : 4; }

}  // namespace KCC_LEVEL
}  // namespace kcc
