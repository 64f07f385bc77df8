// How the columns of a contraction are cut into panels, and handing chunks to the pool.
#pragma once
#include "gemm-micro.h"
#include "gemm-pack.h"

namespace kcc {
inline namespace KCC_LEVEL {

static inline int64_t larger_of(int64_t a, int64_t b) { return a > b ? a : b; }
static constexpr int64_t parts_of(int64_t whole, int64_t part) { return (whole + part - 1) / part; }

// `whole` things in `parts` parts whose sizes differ by at most one.
struct Split {
  int64_t whole, parts;
  int64_t begin(int64_t i) const { return i * (whole / parts) + least(i, whole % parts); }
};

template <class Body> static void parallel(kcc_pool* pool, int64_t count, const Body& body) {
  if (pool == nullptr || count <= 1) {
    for (int64_t i = 0; i < count; ++i) body(i);
    return;
  }
  pool->run(pool, count, [](void* context, int64_t i) { (*static_cast<const Body*>(context))(i); }, const_cast<Body*>(&body));
}

// Below this a hand-over to the pool costs more than it saves.
static constexpr double serial_flop = 2e5;

static kcc_pool* pool_for(const Contraction& c) {
  const double flop = 2.0 * (double)c.m * (double)c.n * (double)c.k;
  return flop < serial_flop || c.pool == nullptr || c.pool->threads <= 1 ? nullptr : c.pool;
}

struct Plan {
  Contraction c;
  Split vectors;         // of the columns, in panels
  bool pack_all, pack_edge;
  bool pack_late;        // the one chunk that uses a panel copies it, over the one it used before
  float* panels;         // copies, one after another; only the last one when only the edge is packed
  int64_t column(int64_t panel) const { return vectors.begin(panel) * KCC_VW; }
  int64_t width(int64_t panel) const { return column(panel + 1) - column(panel); }
  int64_t columns(int64_t panel) const { return least(column(panel + 1), c.n) - column(panel); }
  bool packed(int64_t panel) const { return pack_all || (pack_edge && panel == vectors.parts - 1); }
  float* panel(int64_t i) const { return panels + (pack_all ? column(i) * c.k : 0); }
};

static void finish_tile(const Plan& plan, const float* sums, int64_t stride, int64_t row, int64_t panel, int64_t rows) {
  plan.c.finish(plan.c, sums, stride, row, plan.column(panel), rows, plan.columns(panel));
}

static void pack(const Plan& plan, int64_t panel, float* copy) {
  pack_panel(plan.c.rhs, 0, plan.c.k, plan.column(panel), plan.columns(panel), copy, plan.width(panel));
}

// A computed operand becomes a matrix in the workspace, whose contiguous axis is the one it is made along.
static Matrix computed(const Contraction& c, Compute compute, bool along_row, int64_t rows, int64_t columns, float* to, kcc_pool* pool) {
  const int64_t count = along_row ? columns : rows, length = along_row ? rows : columns;
  const Split split{count, least(larger_of(count, 1), 16)};
  parallel(pool, split.parts, [&](int64_t part) {
    for (int64_t i = split.begin(part); i < split.begin(part + 1); ++i)
      compute(c, along_row ? 0 : i, along_row ? i : 0, length, to + i * length);
  });
  return along_row ? Matrix{to, 1, rows, 0} : Matrix{to, columns, 1, 0};
}

// The sums of the right operand's columns by themselves, each one chain in the order of p.
static void finish_totals(const Contraction& c, kcc_pool* pool) {
  constexpr int vectors = panel_width / KCC_VW;
  parallel(pool, parts_of(c.n, panel_width), [&](int64_t strip) {
    const int64_t first = strip * panel_width, columns = least(panel_width, c.n - first);
    vf sums[vectors]{};
    alignas(64) float totals[panel_width];
    const float* row = c.rhs.data + first;
    for (int64_t p = 0; p < c.k; ++p, row += c.rhs.row_stride)
      for (int v = 0; v < vectors; ++v)
        if (const int64_t lanes = columns - v * KCC_VW; lanes > 0) sums[v] = sums[v] + (lanes < KCC_VW ? load(row + v * KCC_VW, (int)lanes) : load(row + v * KCC_VW));
    for (int v = 0; v < vectors; ++v) store(totals + v * KCC_VW, sums[v]);
    c.finish_totals(c, totals, panel_width, 0, first, 1, columns);
  });
}

static constexpr Ahead nothing_ahead[] = {{nullptr, 0, INT64_MAX}};

}  // namespace KCC_LEVEL
}  // namespace kcc
