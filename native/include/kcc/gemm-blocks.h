// Contractions whose operands do not lie in memory as matrices, or whose sums are long: a block of rows of the left operand
// and a part of the sum at a time, in buffers of the thread. So the windows of a convolution are never held as a whole,
// and the many steps of a weight's gradient read both operands once.
//
// The sum of an element is still one chain in the order of p, but for long sums with small results: those are made in
// a number of ranges that depends on the sizes alone, and the ranges are added in order.
#pragma once
#include "gemm-plan.h"

namespace kcc {
inline namespace KCC_LEVEL {

// The largest block: rows of the left operand, steps of the sum, columns of the result.
struct BlockSize {
  int64_t rows, steps, columns;
};
// Rows that are contiguous: long steps, and few rows when only one panel uses them, so that they stay in the nearest cache.
static constexpr BlockSize row_block{96, 512, 512}, row_block_of_one_panel{24, 512, 64};
// The same of an operand in memory, which needs no buffer: more rows share what is read of the right operand.
static constexpr BlockSize row_block_in_memory{256, 512, 192};
// Neighbouring rows (a transposed operand): few steps, so that the right operand's part stays in the nearest cache.
static constexpr BlockSize column_block{192, 128, 256};
// Steps of a part when the right operand is copied part by part.
static constexpr int64_t long_steps = 128;
static constexpr int64_t lhs_padding = 16;
static constexpr int64_t lhs_floats = 96 * (512 + lhs_padding), sum_floats = 96 * 512;
static_assert(192 * 128 <= lhs_floats && 192 * 256 <= sum_floats && 256 * 192 <= sum_floats, "a block fits its buffers");
// Steps a range of a split sum has at least.
static constexpr int64_t range_steps = 4096;
static constexpr int64_t most_block_chunks = 64;

// One thread's buffers.
struct BlockBuffers {
  alignas(64) float lhs[lhs_floats];
  alignas(64) float rhs[long_steps * panel_width];
  alignas(64) float sums[sum_floats];
};

struct BlockPlan {
  Plan panels;
  BlockSize size;
  bool late_rhs;    // parts of the right operand are copied as they are needed
  Split ranges;     // of the sum, in units of KCC_BLOCK_COLUMNS steps
  int64_t columns;  // of the result with the filling
  float* results;   // of each range, rows of `columns`, when there are several
  int64_t unit;     // rows that stay together
  int64_t spare;    // rows of sums that may be written beyond a panel's
};

// Rows [begin, end) and panels [first, last) of the result. The sums of a panel lie row by row after those of the panels
// before, each with `room` for the rows.
struct BlockPlace {
  int64_t begin, end, first, last, room;
  int64_t rows() const { return end - begin; }
  float* sums(const Plan& panels, int64_t panel, float* all) const { return all + (panels.column(panel) - panels.column(first)) * room; }
};

static Matrix left_block(const Contraction& c, int64_t row, int64_t rows, int64_t p, int64_t steps, float* to) {
  if (c.compute_lhs == nullptr) return {c.lhs.data + row * c.lhs.row_stride + p * c.lhs.column_stride, c.lhs.row_stride, c.lhs.column_stride, 0};
  if (c.lhs_along_row) {
    for (int64_t s = 0; s < steps; ++s) c.compute_lhs(c, row, p + s, rows, to + s * rows);
    return {to, 1, rows, 0};
  }
  const int64_t stride = steps + lhs_padding;
  for (int64_t r = 0; r < rows; ++r) c.compute_lhs(c, row + r, p, steps, to + r * stride);
  return {to, stride, 1, 0};
}

// Columns of the right operand that are not there are zero.
static void compute_panel(const Contraction& c, int64_t p, int64_t steps, int64_t column, int64_t columns, float* to, int64_t width) {
  if (columns < width)
    for (int64_t s = 0; s < steps; ++s) store(to + s * width + width - KCC_VW, vf{});
  if (!c.rhs_along_row) {
    for (int64_t s = 0; s < steps; ++s) c.compute_rhs(c, p + s, column, columns, to + s * width);
    return;
  }
  float turned[long_steps];
  for (int64_t j = 0; j < columns; ++j) {
    c.compute_rhs(c, p, column + j, steps, turned);
    for (int64_t s = 0; s < steps; ++s) to[s * width + j] = turned[s];
  }
}

// Steps [p, p + steps) of a panel of the right operand.
static Matrix right_part(const BlockPlan& plan, int64_t panel, int64_t p, int64_t steps, float* to) {
  const Plan& panels = plan.panels;
  const Contraction& c = panels.c;
  const int64_t column = panels.column(panel), columns = panels.columns(panel), width = panels.width(panel);
  if (!plan.late_rhs) {
    if (panels.packed(panel)) return {panels.panel(panel) + p * width, width, 1, 0};
    return {c.rhs.data + p * c.rhs.row_stride + along(column, c.rhs.block), c.rhs.row_stride, 1, 0};
  }
  // In blocks of columns a panel is what a copy of it would be.
  if (c.compute_rhs == nullptr && c.rhs.column_stride == 1 && c.rhs.row_stride == width) return {c.rhs.data + p * width + along(column, c.rhs.block), width, 1, 0};
  if (c.compute_rhs != nullptr) compute_panel(c, p, steps, column, columns, to, width);
  else pack_panel(c.rhs, p, steps, column, columns, to, width);
  return {to, width, 1, 0};
}

// Lines of a right operand in memory that the next part reads, fetched a slice at a time.
struct NextLines {
  const float* from;
  int64_t step, length, count, done;

  void fetch(int64_t more) {
    for (const int64_t to = least(count, done + more); done < to; ++done)
      for (int64_t j = 0; j < length; j += 16) __builtin_prefetch(from + done * step + j, 0, 2);
  }
};

// Of steps [p, p + steps) of a panel: rows where columns are neighbours, else columns, as far as they lie in one block.
static NextLines next_lines(const BlockPlan& plan, int64_t panel, int64_t p, int64_t steps) {
  const Plan& panels = plan.panels;
  const Matrix& rhs = panels.c.rhs;
  const int64_t count = larger_of(0, least(steps, panels.c.k - p));
  if (!plan.late_rhs || panels.c.compute_rhs != nullptr || panel >= panels.vectors.parts) return {};
  const int64_t column = panels.column(panel), columns = panels.columns(panel);
  if (rhs.column_stride == 1) return {rhs.data + p * rhs.row_stride + along(column, rhs.block), rhs.row_stride, columns, count, 0};
  const int64_t length = rhs.block == 0 ? count : least(count, KCC_BLOCK_COLUMNS);
  return {rhs.data + column * rhs.column_stride + along(p, rhs.block), rhs.column_stride, length, columns, 0};
}

static void add_panel(const Matrix& lhs, const Matrix& rhs, int64_t rows, int64_t steps, int64_t width, bool resume, float* sums, NextLines next) {
  const int64_t vectors = width / KCC_VW;
  const Split split{rows, parts_of(rows, micro_rows(vectors))};
  const int64_t slice = parts_of(next.count, split.parts);
  for (int64_t tile = 0; tile < split.parts; ++tile) {
    const int64_t row = split.begin(tile);
    next.fetch(slice);
    MicroCall call{};
    call.k = steps;
    call.a = lhs.data + row * lhs.row_stride;
    call.a_row = lhs.row_stride, call.a_step = lhs.column_stride;
    call.b = rhs.data, call.b_step = rhs.row_stride;
    call.c = sums + row * width, call.c_stride = width;
    call.resume = resume;
    call.ahead = nothing_ahead;
    micro_kernel(split.begin(tile + 1) - row, vectors)(call);
  }
}

// The sums of the right operand's columns are one row more, after the others of the first blocks.
static bool has_totals(const BlockPlan& plan, const BlockPlace& place) { return plan.panels.c.finish_totals != nullptr && place.begin == 0; }
static int64_t rows_kept(const Contraction& c) { return c.m + (c.finish_totals != nullptr ? 1 : 0); }

// Adds steps of a panel to them.
static void add_columns(const Matrix& rhs, int64_t steps, int64_t width, bool resume, float* totals) {
  constexpr int vectors = panel_width / KCC_VW;
  vf sums[vectors]{};
  for (int v = 0; resume && v * KCC_VW < width; ++v) sums[v] = load(totals + v * KCC_VW);
  const float* row = rhs.data;
  for (int64_t s = 0; s < steps; ++s, row += rhs.row_stride)
    for (int v = 0; v < vectors; ++v)
      if (v * KCC_VW < width) sums[v] = sums[v] + load(row + v * KCC_VW);
  for (int v = 0; v * KCC_VW < width; ++v) store(totals + v * KCC_VW, sums[v]);
}

// Steps [from, to) of the sums of one block.
static void block_sums(const BlockPlan& plan, const BlockPlace& place, int64_t from, int64_t to, BlockBuffers* buffers) {
  const int64_t longest = plan.late_rhs ? least(long_steps, plan.size.steps) : plan.size.steps;
  // At least one part: the sums of no steps are zero.
  for (int64_t p = from; p == from || p < to; p += longest) {
    const int64_t steps = least(longest, to - p);
    const Matrix lhs = left_block(plan.panels.c, place.begin, place.rows(), p, steps, buffers->lhs);
    for (int64_t panel = place.first; panel < place.last; ++panel) {
      const Matrix rhs = right_part(plan, panel, p, steps, buffers->rhs);
      const NextLines next = panel + 1 < place.last ? next_lines(plan, panel + 1, p, steps) : next_lines(plan, place.first, p + steps, longest);
      const int64_t width = plan.panels.width(panel);
      float* const sums = place.sums(plan.panels, panel, buffers->sums);
      add_panel(lhs, rhs, place.rows(), steps, width, p > from, sums, next);
      if (has_totals(plan, place)) add_columns(rhs, steps, width, p > from, sums + place.rows() * width);
    }
  }
}

static void finish_block(const BlockPlan& plan, const BlockPlace& place, float* sums) {
  const Plan& panels = plan.panels;
  for (int64_t panel = place.first; panel < place.last; ++panel) {
    const float* const own = place.sums(panels, panel, sums);
    finish_tile(panels, own, panels.width(panel), place.begin, panel, place.rows());
    if (has_totals(plan, place)) panels.c.finish_totals(panels.c, own + place.rows() * panels.width(panel), panels.width(panel), 0, panels.column(panel), 1, panels.columns(panel));
  }
}

static void keep_rows(const float* sums, int64_t rows, int64_t width, float* to, int64_t stride) {
  for (int64_t row = 0; row < rows; ++row, sums += width, to += stride)
    for (int64_t j = 0; j < width; j += KCC_VW) store(to + j, load(sums + j));
}

static void keep_block(const BlockPlan& plan, const BlockPlace& place, int64_t range, float* all) {
  float* const result = plan.results + range * rows_kept(plan.panels.c) * plan.columns;
  for (int64_t panel = place.first; panel < place.last; ++panel) {
    const float* const sums = place.sums(plan.panels, panel, all);
    const int64_t width = plan.panels.width(panel);
    float* const to = result + plan.panels.column(panel);
    keep_rows(sums, place.rows(), width, to + place.begin * plan.columns, plan.columns);
    if (has_totals(plan, place)) keep_rows(sums + place.rows() * width, 1, width, to + plan.panels.c.m * plan.columns, plan.columns);
  }
}

static int64_t rows_together(const Contraction& c) { return larger_of(1, c.rows_together); }

// As many whole tiles as are whole groups of rows that belong together.
static int64_t whole_groups(int64_t tile, const Contraction& c) {
  int64_t rows = tile;
  while (rows % rows_together(c) != 0) rows += tile;
  return rows;
}

// Adds the results of the ranges, in order: of some rows.
static const float* added_ranges(const BlockPlan& plan, int64_t row, int64_t rows) {
  float* const sums = plan.results + row * plan.columns;
  const int64_t size = rows_kept(plan.panels.c) * plan.columns;
  for (int64_t range = 1; range < plan.ranges.parts; ++range)
    for (int64_t j = 0; j < rows * plan.columns; j += KCC_VW) store(sums + j, load(sums + j) + load(sums + range * size + j));
  return sums;
}

static void finish_ranges(const BlockPlan& plan, kcc_pool* pool) {
  const Contraction& c = plan.panels.c;
  const int64_t together = rows_together(c), groups = c.m / together;
  parallel(pool, groups + (c.finish_totals != nullptr ? 1 : 0), [&](int64_t i) {
    if (i == groups) return c.finish_totals(c, added_ranges(plan, c.m, 1), plan.columns, 0, 0, 1, c.n);
    c.finish(c, added_ranges(plan, i * together, together), plan.columns, i * together, 0, together, c.n);
  });
}

// Chunks: some rows, some panels, one range of the sum. `rows` counts units; `make` makes the sums of one block.
template <class Buffers, class Make> static void run_block_grid(const BlockPlan& plan, const Split& rows, const Split& groups, kcc_pool* pool, const Make& make) {
  parallel(pool, rows.parts * groups.parts * plan.ranges.parts, [&](int64_t chunk) {
    Buffers buffers;
    const int64_t range = chunk % plan.ranges.parts, group = chunk / plan.ranges.parts % groups.parts, part = chunk / plan.ranges.parts / groups.parts;
    const Split blocks{rows.begin(part + 1) - rows.begin(part), parts_of((rows.begin(part + 1) - rows.begin(part)) * plan.unit, plan.size.rows)};
    for (int64_t block = 0; block < blocks.parts; ++block) {
      const int64_t begin = (rows.begin(part) + blocks.begin(block)) * plan.unit, end = (rows.begin(part) + blocks.begin(block + 1)) * plan.unit;
      const BlockPlace place{begin, least(plan.panels.c.m, end), groups.begin(group), groups.begin(group + 1), end - begin + plan.spare};
      make(plan, place, plan.ranges.begin(range) * KCC_BLOCK_COLUMNS, least(plan.panels.c.k, plan.ranges.begin(range + 1) * KCC_BLOCK_COLUMNS), &buffers);
      if (plan.ranges.parts > 1) keep_block(plan, place, range, buffers.sums);
      else finish_block(plan, place, buffers.sums);
    }
  });
  if (plan.ranges.parts > 1) finish_ranges(plan, pool);
}

static int64_t ranges_of(const Contraction& c, int64_t columns) {
  const int64_t result = rows_kept(c) * columns;
  return larger_of(1, least(least(c.k / range_steps, 16), c.split_room / result));
}

// Copies all panels, or the ragged one.
static void pack_ahead(Plan* panels, bool all, kcc_pool* pool) {
  panels->pack_all = all;
  panels->pack_edge = panels->c.n % KCC_VW != 0;
  const int64_t first = all ? 0 : panels->vectors.parts - (panels->pack_edge ? 1 : 0);
  parallel(pool, panels->vectors.parts - first, [&](int64_t i) { pack(*panels, first + i, panels->panel(first + i)); });
}

static void run_blocks(const Contraction& c, float* space, kcc_pool* pool) {
  const int64_t vectors = parts_of(c.n, KCC_VW), threads = pool == nullptr ? 1 : pool->threads;
  BlockPlan plan{{c, {vectors, parts_of(vectors, panel_vectors)}, false, false, false, space}, column_block, c.long_sum, {parts_of(c.k, KCC_BLOCK_COLUMNS), 1}, vectors * KCC_VW, space, 1, 0};
  const bool by_columns = c.compute_lhs == nullptr ? c.lhs.column_stride != 1 : c.lhs_along_row;
  if (!by_columns) plan.size = plan.panels.vectors.parts == 1 ? row_block_of_one_panel : c.compute_lhs == nullptr && c.m > row_block.rows ? row_block_in_memory : row_block;
  plan.unit = rows_together(c), plan.spare = rows_kept(c) - c.m;
  plan.size.rows = larger_of(1, (plan.size.rows - plan.spare) / plan.unit) * plan.unit;
  if (plan.late_rhs) plan.ranges.parts = ranges_of(c, plan.columns);
  else pack_ahead(&plan.panels, c.rhs.column_stride != 1 || (c.rhs.block == 0 && c.m >= 192), pool);
  // Groups as wide as a block may be; more of either cut when there are too few chunks for the threads.
  Split groups{plan.panels.vectors.parts, parts_of(plan.panels.vectors.parts * panel_width, plan.size.columns)};
  Split rows{c.m / plan.unit, least(most_block_chunks, parts_of(c.m, plan.size.rows))};
  // How many times as many chunks give every thread that many.
  const auto times = [&](int64_t each) { return threads == 1 ? 1 : parts_of(each * threads, rows.parts * groups.parts * plan.ranges.parts); };
  // A left operand in memory costs nothing to share: while its few rows stay together, the right one is read once.
  if (c.compute_lhs == nullptr && rows.parts == 1 && threads > 1) groups.parts = larger_of(groups.parts, least(groups.whole, 8 * threads));
  if (times(2) > 1) rows.parts = least(parts_of(c.m, larger_of(12, plan.unit)), rows.parts * times(4));
  if (times(2) > 1) groups.parts = least(groups.whole, groups.parts * times(4));
  run_block_grid<BlockBuffers>(plan, rows, groups, pool, block_sums);
}

}  // namespace KCC_LEVEL
}  // namespace kcc
