// How a contraction is cut up and run. Included by exactly one translation unit of every CPU level.
//
// Columns are cut into panels of a few vectors, rows into balanced blocks of at most as many as the micro-kernel has.
// The left operand is read in place. The right one is read in place where a row's columns are neighbours, and copied
// into panels where they are not, at a ragged right edge, and where panels are long. Chunks of the grid are handed to the
// pool; where they are cut changes no sum, so it may depend on how many threads there are.
#pragma once
#include "gemm-blocks.h"
#include "gemm-few-rows.h"
#include "gemm-plan.h"

namespace kcc {
inline namespace KCC_LEVEL {

static constexpr double chunk_flop = 1.5e5;
static constexpr int64_t most_chunks = 32;
// Floats of the right operand worth a thread of their own when there are few rows.
static constexpr int64_t few_rows_chunk = 1 << 15;
// The longest part of a sum done in one go, so that a panel of the right operand stays in the second-level cache.
static constexpr int64_t longest_sum = 1536, sum_part = 1024;
// Rows whose unfinished sums are kept while the parts of long sums are added.
static constexpr int64_t kept_rows = 96;
// A right operand that could be read in place is copied in panels when a panel is long, so that in place its strided rows
// would not stay in the second-level cache, and enough rows use it; or when very many rows use it. Narrow panels touch
// more lines for every product, so they are copied sooner.
static inline bool worth_packing(int64_t m, int64_t k) {
  return (KCC_VW < 16 && m >= 64 && k >= 64) || (m >= 64 && k >= 640) || (m >= 512 && k >= 256);
}

// A left operand with neighbouring rows is turned for longer sums than this, where enough columns use it.
static constexpr int64_t long_turn = 128, turn_columns = 96;

// What one tile fetches while its sums are made: the lines that finishing it will read, a part of the next panel, and the
// rows of the next tile.
struct Wanted {
  static constexpr int64_t most = 4 * parts_of(panel_width, ahead_floats) + 2;
  Ahead runs[most + 1];
  int64_t count = 0;

  Wanted(const Plan& plan, int64_t panel, int64_t tile, int64_t row, int64_t rows) {
    for (const Touched& t : plan.c.touched)
      if (t.data != nullptr) touched(plan, t, panel, row, rows);
    if (panel + 1 < plan.vectors.parts) next(plan, panel + 1, tile);
    next_rows(plan, row + rows, rows);
    runs[count] = {plan.c.lhs.data, 0, INT64_MAX};
  }
  // One run where the rows of a tile follow each other without a gap, else one for each strip.
  void touched(const Plan& plan, const Touched& t, int64_t panel, int64_t row, int64_t rows) {
    const float* from = t.data + row * t.row_stride + along(plan.column(panel), t.block);
    if (t.row_stride == plan.columns(panel) && t.row_stride % ahead_floats == 0) {
      runs[count++] = {from, ahead_floats, rows * t.row_stride / ahead_floats};
      return;
    }
    for (int64_t j = 0; j < plan.columns(panel); j += ahead_floats)
      runs[count++] = {t.data + row * t.row_stride + along(plan.column(panel) + j, t.block), t.row_stride, rows};
  }
  // The rows of the next tile, where they follow each other with next to no gap.
  void next_rows(const Plan& plan, int64_t row, int64_t rows) {
    const Matrix& lhs = plan.c.lhs;
    if (lhs.column_stride != 1 || lhs.row_stride > plan.c.k + ahead_floats || row + rows > plan.c.m) return;
    runs[count++] = {lhs.data + row * lhs.row_stride, ahead_floats, rows * lhs.row_stride / ahead_floats};
  }
  void next(const Plan& plan, int64_t panel, int64_t tile) {
    const int64_t strips = parts_of(panel_width, ahead_floats), part = tile / strips;
    if (plan.pack_late && plan.c.rhs.column_stride != 1) next_source(plan, panel, tile);
    else if (part < 4) next_panel(plan, panel, part, tile % strips * ahead_floats);
  }
  // What the next copy will be made of, when it is long runs of memory: as much as there are steps to fetch it in.
  void next_source(const Plan& plan, int64_t panel, int64_t tile) {
    const Matrix& rhs = plan.c.rhs;
    if (rhs.block != 0) return next_block(plan, panel, tile);
    const int64_t floats = plan.columns(panel) * plan.c.k, count = plan.c.k / 4, from = tile * count * ahead_floats;
    if (rhs.column_stride != plan.c.k || from >= floats) return;
    runs[this->count++] = {rhs.data + plan.column(panel) * rhs.column_stride + from, ahead_floats, least(count, (floats - from) / ahead_floats)};
  }
  // The part of the next panel that lies in one block.
  void next_block(const Plan& plan, int64_t panel, int64_t tile) {
    if (tile * KCC_BLOCK_COLUMNS >= plan.c.k) return;
    const float* from = plan.c.rhs.data + tile * plan.c.rhs.block + plan.column(panel) * KCC_BLOCK_COLUMNS;
    runs[count++] = {from, ahead_floats, plan.columns(panel) * KCC_BLOCK_COLUMNS / ahead_floats};
  }
  // A quarter of the rows of one strip.
  void next_panel(const Plan& plan, int64_t panel, int64_t part, int64_t column) {
    const bool packed = plan.packed(panel) && !plan.pack_late;
    const int64_t step = packed ? plan.width(panel) : plan.c.rhs.row_stride, rows = plan.c.k / 4;
    const float* from = packed ? plan.panel(panel) : plan.c.rhs.data + along(plan.column(panel), plan.c.rhs.block);
    runs[count++] = {from + part * rows * step + column, step, rows};
  }
};

static MicroCall first_call(const Plan& plan, int64_t panel, const float* copy) {
  const Contraction& c = plan.c;
  const bool packed = copy != nullptr;
  MicroCall call{};
  call.k = c.k;
  call.a_row = c.lhs.row_stride;
  call.a_step = c.lhs.column_stride;
  call.b = packed ? copy : c.rhs.data + along(plan.column(panel), c.rhs.block);
  call.b_step = packed ? plan.width(panel) : c.rhs.row_stride;
  call.c_stride = plan.width(panel);
  call.ahead = nothing_ahead;
  return call;
}

// Rows [begin, end) of one panel, each sum in one go.
static void whole_sums(const Plan& plan, int64_t panel, const float* copy, int64_t begin, int64_t end) {
  alignas(64) float sums[12 * panel_width];
  const int64_t vectors = plan.width(panel) / KCC_VW;
  const Split split{end - begin, parts_of(end - begin, micro_rows(vectors))};
  for (int64_t tile = 0; tile < split.parts; ++tile) {
    const int64_t row = begin + split.begin(tile), rows = begin + split.begin(tile + 1) - row;
    MicroCall call = first_call(plan, panel, copy);
    call.a = plan.c.lhs.data + row * call.a_row;
    call.c = sums;
    const Wanted wanted(plan, panel, tile, row, rows);
    call.ahead = wanted.runs;
    micro_kernel(rows, vectors)(call);
    finish_tile(plan, sums, call.c_stride, row, panel, rows);
  }
}

// At most kept_rows rows of one panel, part after part of the sums.
static void long_sums(const Plan& plan, int64_t panel, const float* copy, int64_t begin, int64_t end) {
  alignas(64) float sums[kept_rows * panel_width];
  const int64_t vectors = plan.width(panel) / KCC_VW;
  const Split split{end - begin, parts_of(end - begin, micro_rows(vectors))};
  for (int64_t p = 0; p < plan.c.k; p += sum_part) {
    for (int64_t tile = 0; tile < split.parts; ++tile) {
      MicroCall call = first_call(plan, panel, copy);
      call.k = least(sum_part, plan.c.k - p);
      call.a = plan.c.lhs.data + (begin + split.begin(tile)) * call.a_row + p * call.a_step;
      call.b += p * call.b_step;
      call.c = sums + split.begin(tile) * call.c_stride;
      call.resume = p > 0;
      micro_kernel(split.begin(tile + 1) - split.begin(tile), vectors)(call);
    }
  }
  finish_tile(plan, sums, plan.width(panel), begin, panel, end - begin);
}

// `copy` is the panel's copy, NULL when the right operand is read in place.
static void rows_of_panel(const Plan& plan, int64_t panel, const float* copy, int64_t begin, int64_t end) {
  if (plan.c.k <= longest_sum) return whole_sums(plan, panel, copy, begin, end);
  for (int64_t row = begin; row < end; row += kept_rows) long_sums(plan, panel, copy, row, least(row + kept_rows, end));
}

// Panels are handed out first; rows are cut as well only where there are too few of them.
struct Grid {
  Split groups, rows;
  Grid(const Plan& plan, int64_t threads) : groups{plan.vectors.parts, 1}, rows{plan.c.m, 1} {
    const double flop = 2.0 * (double)plan.c.m * (double)plan.c.n * (double)plan.c.k;
    const int64_t wanted = threads == 1 ? 1 : larger_of(1, least(most_chunks, (int64_t)(flop / chunk_flop)));
    groups.parts = least(wanted, plan.vectors.parts);
    if (groups.parts < 4 * threads) rows.parts = least(parts_of(plan.c.m, 6), larger_of(1, least(wanted, 4 * threads) / groups.parts));
  }
};

static void run_grid(const Plan& plan, const Grid& grid, kcc_pool* pool) {
  parallel(pool, grid.groups.parts * grid.rows.parts, [&](int64_t chunk) {
    const int64_t group = chunk / grid.rows.parts, part = chunk % grid.rows.parts, first = grid.groups.begin(group);
    for (int64_t panel = first; panel < grid.groups.begin(group + 1); ++panel) {
      float* copy = !plan.packed(panel) ? nullptr : plan.panel(plan.pack_late ? first : panel);
      if (plan.pack_late) pack(plan, panel, copy);
      rows_of_panel(plan, panel, copy, grid.rows.begin(part), grid.rows.begin(part + 1));
    }
  });
}

static void run_panels(const Contraction& c, float* space, kcc_pool* pool) {
  const int64_t vectors = parts_of(c.n, KCC_VW);
  Plan plan{c, {vectors, parts_of(vectors, panel_vectors)}, false, false, false, space};
  plan.pack_all = c.rhs.column_stride != 1 || (c.rhs.block == 0 && worth_packing(c.m, c.k));
  plan.pack_edge = c.n % KCC_VW != 0;
  const Grid grid(plan, pool == nullptr ? 1 : pool->threads);
  plan.pack_late = plan.pack_all && grid.rows.parts == 1;
  const int64_t first = plan.pack_late ? plan.vectors.parts : plan.pack_all ? 0 : plan.vectors.parts - (plan.pack_edge ? 1 : 0);
  parallel(pool, plan.vectors.parts - first, [&](int64_t i) { pack(plan, first + i, plan.panel(first + i)); });
  run_grid(plan, grid, pool);
}

// A left operand whose rows are neighbours, made one whose rows are contiguous: long sums would touch a page at every step.
static Matrix rows_made_contiguous(const Contraction& c, float* to, kcc_pool* pool) {
  const int64_t stride = (c.k + 15) / 16 * 16 + 16;
  const Split split{parts_of(c.m, KCC_VW), least(parts_of(c.m, KCC_VW), 16)};
  parallel(pool, split.parts, [&](int64_t part) {
    for (int64_t block = split.begin(part); block < split.begin(part + 1); ++block) {
      const int64_t row = block * KCC_VW;
      transpose_rows(c.lhs.data + row, c.lhs.column_stride, c.k, least(KCC_VW, c.m - row), to + row * stride, stride);
    }
  });
  return {to, stride, 1, 0};
}

// One chunk of columns for every thread, because long runs of every row are what the hardware fetches ahead best. Where
// the columns are cut changes no sum.
static void run_few_rows(const Contraction& c, kcc_pool* pool) {
  const int64_t lines = parts_of(c.n, 16), threads = pool == nullptr ? 1 : pool->threads;
  const Split chunks{lines, larger_of(1, least(least(threads, lines), c.k * c.n / few_rows_chunk))};
  parallel(pool, chunks.parts, [&](int64_t i) {
    const int64_t end = least(chunks.begin(i + 1) * 16, c.n);
    for (int64_t column = chunks.begin(i) * 16, count; column < end; column += count) {
      count = least(end - column, c.rhs.block == 0 ? few_columns : KCC_BLOCK_COLUMNS - column % KCC_BLOCK_COLUMNS);
      few_rows_columns(c, column, count);
    }
  });
}

// Few columns, and rows that are neighbours in memory: computes the transposed result, and turns the tiles back.
struct Turned {
  const Contraction* original;
};

static void finish_turned(const Contraction& self, const float* sums, int64_t stride, int64_t row, int64_t column, int64_t rows, int64_t columns) {
  const Contraction& original = *static_cast<const Turned*>(self.args)->original;
  alignas(64) float turned[panel_width * 16];
  for (int64_t j = 0; j < columns; ++j)
    for (int64_t i = 0; i < rows; ++i) turned[j * 16 + i] = sums[i * stride + j];
  original.finish(original, turned, 16, column, row, columns, rows);
}

static void run_turned(const Contraction& c, float* space, kcc_pool* pool) {
  const Turned turned{&c};
  Contraction t{};
  t.m = c.n, t.n = c.m, t.k = c.k;
  t.lhs = {c.rhs.data, c.rhs.column_stride, c.rhs.row_stride, 0};
  t.rhs = {c.lhs.data, c.lhs.column_stride, c.lhs.row_stride, 0};
  t.finish = finish_turned;
  t.args = &turned;
  run_panels(t, space, pool);
}

void contract(Contraction c) {
  kcc_pool* pool = pool_for(c);
  if (c.finish_totals != nullptr && (!c.long_sum || c.m <= 0)) finish_totals(c, pool), c.finish_totals = nullptr;
  if (c.m <= 0 || c.n <= 0) return;
  float* space = reinterpret_cast<float*>(c.workspace);
  const bool in_memory = c.compute_lhs == nullptr && c.compute_rhs == nullptr;
  if (in_memory && c.rows_together == 0 && c.finish_totals == nullptr && c.m <= few_rows && c.rhs.column_stride == 1) return run_few_rows(c, pool);
  if (c.long_sum) return run_blocks(c, space, pool);
  if (c.compute_rhs != nullptr) {
    c.rhs = computed(c, c.compute_rhs, c.rhs_along_row, c.k, c.n, space, pool);
    space += c.k * c.n;
    c.compute_rhs = nullptr;
  }
  if (c.compute_lhs != nullptr || c.rows_together != 0) return run_blocks(c, space, pool);
  if (c.m <= few_rows && c.rhs.column_stride == 1) return run_few_rows(c, pool);
  if (c.n < KCC_VW && c.n <= 12 && c.lhs.row_stride == 1 && c.lhs.column_stride != 1) return run_turned(c, space, pool);
  if (c.lhs.column_stride != 1 && c.k > long_turn && c.n >= turn_columns) {
    c.lhs = rows_made_contiguous(c, space, pool);
    space += c.m * c.lhs.row_stride;
  }
  run_panels(c, space, pool);
}

}  // namespace KCC_LEVEL
}  // namespace kcc
