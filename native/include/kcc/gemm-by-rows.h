// Runs along the sum: the windows of a convolution.
//
// A chunk is some rows and some panels of columns. Its left operand stays in the second-level cache while panel after panel
// is read, once each; the micro-kernels fetch what comes next of them, slowly enough to leave the misses that the machine can
// have in flight to the operands. A tile is finished right after its sums, so that what this reads and writes moves while
// other sums are made.
#pragma once
#include "gemm-runs-plan.h"

namespace kcc {
inline namespace KCC_LEVEL {

// Steps of a part whose right operand need not be copied: it comes from the second-level cache, and unfinished sums are
// seldom put aside. While the next part comes from far, it had better come from the nearest.
static constexpr int64_t most_row_steps = 384, cold_row_steps = 128;
// Rows of a chunk: of their left operand about so many floats, but enough rows to read a panel for, and room for their sums.
static constexpr int64_t chunk_floats = 1 << 15, least_chunk_rows = 96, most_chunk_rows = sum_floats / panel_width - most_tile_rows;
// How many rows ahead windows are fetched.
static constexpr int64_t rows_ahead = 12;

// The kernel of the fewest rows that are enough.
static RunsMicro rows_kernel(int64_t rows, int64_t vectors) {
  switch (vectors) {
#if KCC_VW == 16
    case 4: return rows > 4 ? micro_by_rows<6, 4> : rows > 2 ? micro_by_rows<4, 4> : micro_by_rows<2, 4>;
    case 3: return rows > 4 ? micro_by_rows<8, 3> : micro_by_rows<4, 3>;
    case 2: return rows > 8 ? micro_by_rows<12, 2> : rows > 4 ? micro_by_rows<8, 2> : micro_by_rows<4, 2>;
#else
    case 2: return rows > 4 ? micro_by_rows<6, 2> : rows > 2 ? micro_by_rows<4, 2> : micro_by_rows<2, 2>;
#endif
    default: return rows > 6 ? micro_by_rows<12, 1> : micro_by_rows<6, 1>;
  }
}

// Is a panel in memory what a copy of it would be?
static bool is_dense(const Plan& panels, int64_t panel) {
  const Matrix& rhs = panels.c.rhs;
  return panels.packed(panel) || (panels.c.compute_rhs == nullptr && rhs.column_stride == 1 && rhs.row_stride == panels.width(panel));
}

// Part of a panel whose rows follow each other without a gap.
static const float* dense_part(const BlockPlan& plan, int64_t panel, int64_t p, int64_t steps, float* to) {
  const Plan& panels = plan.panels;
  const Matrix rhs = right_part(plan, panel, p, steps, to);
  if (rhs.row_stride == panels.width(panel)) return rhs.data;
  pack_panel(panels.c.rhs, p, steps, panels.column(panel), panels.columns(panel), to, panels.width(panel));
  return to;
}

// The steps from p on that make one part: whole runs, or a piece of one; all about as long.
static int64_t part_by_rows(const Contraction& c, int64_t p, int64_t to, int64_t longest) {
  const int64_t inside = p % c.lhs_run, runs = (to - p) / c.lhs_run;
  if (inside == 0 && runs > 0 && c.lhs_run <= longest) return parts_of(runs, parts_of(runs, longest / c.lhs_run)) * c.lhs_run;
  const int64_t rest = least(to - p, c.lhs_run - inside);
  return parts_of(rest, parts_of(rest, longest));
}

// The lines that finishing some rows of a panel will write: asked for before their sums are made, they are there after.
static void prepare(const Plan& plan, int64_t panel, int64_t row, int64_t rows) {
  for (const Written& w : plan.c.written) {
    if (w.data == nullptr) return;
    const int64_t bytes = plan.columns(panel) * w.element_bytes;
    char* line = w.data + row * w.row_bytes + plan.column(panel) * w.element_bytes;
    for (int64_t r = 0; r < rows; ++r, line += w.row_bytes)
      for (int64_t at = 0; at < bytes; at += 64) fetch_to_write(line + at);
  }
}

// The same of what it will read.
static void fetch_touched(const Plan& plan, int64_t panel, int64_t row, int64_t rows) {
  for (const Touched& t : plan.c.touched) {
    if (t.data == nullptr) return;
    const float* line = t.data + row * t.row_stride + along(plan.column(panel), t.block);
    for (int64_t r = 0; r < rows; ++r, line += t.row_stride)
      for (int64_t j = 0; j < plan.columns(panel); j += 16) __builtin_prefetch(line + j);
  }
}

// What a part needs of the right operand, fetched tile by tile before it is needed: by the micro-kernels where it lies in
// memory without a gap, else a slice for each tile.
struct Coming {
  const float *from, *end;
  NextLines lines;
  int64_t slice;

  Coming(const BlockPlan& plan, int64_t panel, int64_t p, int64_t steps, int64_t tiles) : from{nullptr}, end{nullptr}, lines{}, slice{0} {
    if (panel >= plan.panels.vectors.parts) return;
    if (is_dense(plan.panels, panel)) {
      from = right_part(plan, panel, p, steps, nullptr).data, end = from + steps * plan.panels.width(panel);
    } else {
      lines = next_lines(plan, panel, p, steps), slice = parts_of(lines.count, tiles);
    }
  }
  void give(RunsCall* call) {
    lines.fetch(slice);
    const bool any = from < end;
    call->ahead = any ? from : zeros, call->ahead_step = any ? ahead_floats : 0;
    if (any) from += call->runs * (call->length / 4) * ahead_floats;
  }
};

// Steps of the sums of one panel: at `begins` and `ends` sums begin and are finished; with `fetches` windows to come are fetched.
struct RowsPart {
  int64_t p, steps;
  bool begins, ends, fetches;
};

// What windows some rows ahead have beyond the ones before: by the micro-kernel where it lies in memory without a gap.
// Says whether it does.
static bool fetch_rows(const Contraction& c, const float* const* starts, int64_t row, int64_t rows, int64_t tile, RunsCall* call) {
  const float* const* last = starts + (c.lhs_runs - 1) * rows;
  const int64_t first = row + rows_ahead, end = least(rows, first + tile);
  if (first + tile <= rows && last[first + tile - 1] == last[first] + (tile - 1) * c.lhs_run) {
    call->ahead = last[first], call->ahead_step = ahead_floats;
    return true;
  }
  for (int64_t i = first; i < end; ++i) fetch_run(last, i, c.lhs_run);
  return false;
}

static void part_of_panel(const BlockPlan& plan, const BlockPlace& place, const RowsPart& part, Coming coming, RunBuffers* buffers) {
  const Contraction& c = plan.panels.c;
  const int64_t rows = place.rows(), panel = place.first, width = plan.panels.width(panel), tile = run_tile_rows(width / KCC_VW);
  const int64_t together = whole_groups(tile, c);
  RunsCall call{};
  call.length = least(part.steps, c.lhs_run), call.runs = part.steps / call.length;
  call.starts_step = rows, call.offset = part.p % c.lhs_run;
  call.resume = !part.begins;
  call.b = dense_part(plan, panel, part.p, part.steps, buffers->rhs);
  for (int64_t row = 0; row < rows; row += tile) {
    const int64_t count = least(tile, rows - row), at = place.begin + row, first = row / together * together;
    call.starts = buffers->starts + part.p / c.lhs_run * rows + row;
    float* const sums = buffers->sums + (part.begins && part.ends ? 0 : first * width);
    call.c = sums + (row - first) * width;
    if (!part.fetches || !fetch_rows(c, buffers->starts, row, rows, tile, &call)) coming.give(&call);
    if (part.ends) prepare(plan.panels, panel, at, count), fetch_touched(plan.panels, panel, at, count);
    rows_kernel(count, width / KCC_VW)(call);
    if (part.ends && (row + tile == first + together || row + count == rows)) finish_tile(plan.panels, sums, width, place.begin + first, panel, row + count - first);
  }
}

// Steps [from, to) of the sums of one panel.
static void panel_by_rows(const BlockPlan& plan, const BlockPlace& place, int64_t steps_in_place, bool fetches, int64_t from, int64_t to, RunBuffers* buffers) {
  const int64_t panel = place.first, longest = is_dense(plan.panels, panel) ? steps_in_place : long_steps;
  const int64_t tiles = parts_of(place.rows(), run_tile_rows(plan.panels.width(panel) / KCC_VW));
  for (int64_t p = from, steps; p < to; p += steps) {
    steps = part_by_rows(plan.panels.c, p, to, longest);
    const int64_t next = p + steps;
    const bool ends = next == to;
    const Coming coming(plan, ends ? panel + 1 : panel, ends ? from : next, least(longest, to - (ends ? from : next)), tiles);
    part_of_panel(plan, place, {p, steps, p == from, ends && plan.ranges.parts == 1, fetches && p == from}, coming, buffers);
  }
}

// How rows and panels are cut. The larger operand is cut first, so that a thread reads a part of it only: deep layers, whose
// rows are few, by columns.
struct RowsGrid {
  bool by_columns;
  Split groups, rows;  // panels, and units of rows

  RowsGrid(const BlockPlan& plan, int64_t threads) : groups{plan.panels.vectors.parts, 1}, rows{parts_of(plan.panels.c.m, plan.unit), 1} {
    const Contraction& c = plan.panels.c;
    by_columns = c.k * c.n > c.m * (c.lhs_run + c.n);
    const int64_t most = least(least(most_chunk_rows, most_starts / c.lhs_runs), larger_of(least_chunk_rows, chunk_floats / c.lhs_run));
    const int64_t wanted = threads == 1 ? 1 : parts_of(4 * threads, plan.ranges.parts);
    if (by_columns) groups.parts = least(groups.whole, wanted);
    rows.parts = larger_of(parts_of(rows.whole, larger_of(1, most / plan.unit)), least(parts_of(rows.whole, 2), parts_of(wanted, groups.parts)));
    groups.parts = larger_of(groups.parts, least(groups.whole, parts_of(wanted, rows.parts)));
    // As many chunks for each thread.
    if (groups.parts * rows.parts % threads != 0) rows.parts = least(rows.whole, parts_of(rows.parts, threads) * threads);
  }
  // Few chunks use a panel: it comes from far.
  bool is_cold() const { return by_columns && rows.parts <= 3; }
  int64_t group(int64_t chunk) const { return by_columns ? chunk / rows.parts : chunk % groups.parts; }
  int64_t part(int64_t chunk) const { return by_columns ? chunk % rows.parts : chunk / groups.parts; }
};

static void run_by_rows(const BlockPlan& plan, kcc_pool* pool) {
  const Contraction& c = plan.panels.c;
  const RowsGrid grid(plan, pool == nullptr ? 1 : pool->threads);
  parallel(pool, grid.rows.parts * grid.groups.parts * plan.ranges.parts, [&](int64_t chunk) {
    RunBuffers buffers;
    const int64_t range = chunk % plan.ranges.parts, group = grid.group(chunk / plan.ranges.parts), part = grid.part(chunk / plan.ranges.parts);
    const int64_t begin = grid.rows.begin(part) * plan.unit, end = least(c.m, grid.rows.begin(part + 1) * plan.unit), first = grid.groups.begin(group);
    c.lhs_starts(c, begin, end - begin, buffers.starts);
    for (int64_t i = 0; i < most_tile_rows; ++i) buffers.starts[c.lhs_runs * (end - begin) + i] = zeros;
    for (int64_t panel = first; panel < grid.groups.begin(group + 1); ++panel) {
      const BlockPlace place{begin, end, panel, panel + 1, end - begin};
      // Where panels are cut first their rows are few, and soon there.
      panel_by_rows(plan, place, grid.is_cold() ? cold_row_steps : most_row_steps, panel == first && !grid.by_columns, plan.ranges.begin(range) * KCC_BLOCK_COLUMNS, least(c.k, plan.ranges.begin(range + 1) * KCC_BLOCK_COLUMNS), &buffers);
      if (plan.ranges.parts > 1) keep_block(plan, place, range, buffers.sums);
    }
  });
  if (plan.ranges.parts > 1) finish_ranges(plan, pool);
}

}  // namespace KCC_LEVEL
}  // namespace kcc
