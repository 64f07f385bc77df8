// Contractions whose left operand lies in memory in runs of neighbours: the windows of a convolution. Nothing of it is
// copied: the micro-kernels take the address of every run, and that of zeros for runs beyond a border. Included by exactly
// one translation unit of every CPU level.
//
// Sums are chains in the order of p, cut where gemm-blocks.h says.
#pragma once
#include "gemm-by-rows.h"
#include "gemm-by-steps.h"
#include "gemm-few-columns.h"
#include "gemm-window-gradients.h"

namespace kcc {
inline namespace KCC_LEVEL {

const float zeros[longest_zeros] = {};

// Of few columns by rows.
static constexpr BlockSize few_columns_block{96, 1, panel_width};
// With as few rows the right operand is copied panel by panel as it is used.
static constexpr int64_t rows_of_late_copies = 204;

// Of a few columns the right operand is copied column by column.
static void few_sums_by_rows(const BlockPlan& plan, const BlockPlace& place, int64_t, int64_t, RunBuffers* buffers) {
  const Contraction& c = plan.panels.c;
  const int64_t rows = place.rows(), width = plan.panels.width(0), tile = few_tile_rows(c.n);
  c.lhs_starts(c, place.begin, rows, buffers->starts);
  for (int64_t i = 0; i < most_tile_rows; ++i) buffers->starts[c.lhs_runs * rows + i] = zeros;
  for (int64_t row = 0; row < rows; row += tile)
    few_rows_tile({c.lhs_runs, c.lhs_run, buffers->starts + row, rows, plan.panels.panels, c.k, buffers->sums + row * width, width}, c.n);
}

static void few_sums_by_steps(const BlockPlan& plan, const BlockPlace& place, int64_t from, int64_t to, RunBuffers* buffers) {
  const Contraction& c = plan.panels.c;
  const int64_t rows = place.rows(), width = plan.panels.width(0);
  float* const turned = buffers->sums + rows * width;
  for (int64_t i = 0; i < c.n * rows; ++i) turned[i] = 0.f;
  for (int64_t p = from; p < to; p += plan.size.steps) {
    const int64_t steps = least(plan.size.steps, to - p);
    c.lhs_starts(c, p, steps, buffers->starts);
    const Matrix rhs = right_part(plan, 0, p, steps, buffers->rhs);
    for (int64_t row = place.begin, end; row < place.end; row = end) {
      const int64_t run = row / c.lhs_run, first = run * c.lhs_run;
      end = least(place.end, first + c.lhs_run);
      few_rows_of_run({steps, buffers->starts + run * steps, row - first, rhs.data, rhs.row_stride, 0, turned + row - place.begin, rows}, c.n, end - row);
    }
  }
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t j = 0; j < c.n; ++j) buffers->sums[r * width + j] = turned[j * rows + r];
}

// Copies the right operand column by column.
static void copy_columns(const Contraction& c, float* to) {
  for (int64_t j = 0; j < c.n; ++j)
    for (int64_t p = 0; p < c.k; ++p) to[j * c.k + p] = c.rhs.data[p * c.rhs.row_stride + j * c.rhs.column_stride];
}

// Is every panel in memory what a copy of it would be?
static bool panels_are_dense(const Plan& panels) {
  const Matrix& rhs = panels.c.rhs;
  const bool alike = panels.vectors.whole % panels.vectors.parts == 0 && (panels.vectors.parts == 1 || rhs.block != 0);
  return alike && rhs.column_stride == 1 && rhs.row_stride == panels.width(0);
}

// Few columns, over which lanes go along the runs. By the sizes that do not depend on how many rows there are: rows must not
// change each other's order of sums.
static bool is_few(const Contraction& c) { return c.n <= narrow_columns && c.lhs_run >= KCC_VW && (c.lhs_along_row || !c.long_sum); }

// A left operand with one row more, of ones, whose sums are those of the right operand's columns.
struct WithOnes {
  const Contraction* original;
};
static const float one = 1.f;
static const Contraction& without_ones(const Contraction& self) { return *static_cast<const WithOnes*>(self.args)->original; }

static void starts_with_ones(const Contraction& self, int64_t line, int64_t lines, const float** to) {
  const Contraction& original = without_ones(self);
  original.lhs_starts(original, line, lines, to);
  for (int64_t i = 0; i < lines; ++i) to[original.lhs_runs * lines + i] = &one;
}

static void finish_with_totals(const Contraction& self, const float* sums, int64_t stride, int64_t row, int64_t column, int64_t rows, int64_t columns) {
  const Contraction& original = without_ones(self);
  const int64_t own = least(rows, original.m - row);
  if (own > 0) original.finish(original, sums, stride, row, column, own, columns);
  if (own < rows) original.finish_totals(original, sums + own * stride, stride, 0, column, 1, columns);
}

void contract_runs(Contraction c) {
  if (c.windows.channels != 0 && c.lhs_along_row && c.rhs.block == 0) return run_window_gradients(c, reinterpret_cast<float*>(c.workspace), pool_for(c));
  if (c.finish_totals != nullptr && c.lhs_along_row && c.m > 0 && !is_few(c)) {
    const WithOnes ones{&c};
    Contraction more = c;
    more.m = c.m + 1, more.lhs_runs = c.lhs_runs + 1, more.last_run_is_one = true;
    more.lhs_starts = starts_with_ones, more.finish = finish_with_totals, more.finish_totals = nullptr, more.args = &ones;
    return contract_runs(more);
  }
  kcc_pool* const pool = pool_for(c);
  if (c.finish_totals != nullptr) finish_totals(c, pool), c.finish_totals = nullptr;
  if (c.m <= 0 || c.n <= 0) return;
  float* space = reinterpret_cast<float*>(c.workspace);
  if (c.windows.channels != 0) return run_windows(c, space, pool);
  if (c.compute_rhs != nullptr && !c.long_sum) {
    c.rhs = computed(c, c.compute_rhs, c.rhs_along_row, c.k, c.n, space, pool);
    space += c.k * c.n;
    c.compute_rhs = nullptr;
  }
  const int64_t vectors = parts_of(c.n, KCC_VW), threads = pool == nullptr ? 1 : pool->threads;
  // Copied panel by panel where few rows use them.
  const bool late = c.long_sum || (!c.lhs_along_row && c.m <= rows_of_late_copies && c.compute_rhs == nullptr && c.rhs.column_stride == 1);
  BlockPlan plan{{c, {vectors, parts_of(vectors, panel_vectors)}, false, false, false, space}, c.lhs_along_row ? steps_of_runs : few_columns_block, late, {parts_of(c.k, KCC_BLOCK_COLUMNS), 1}, vectors * KCC_VW, space, 1, 0};
  if (c.long_sum) plan.ranges.parts = ranges_of(c, plan.columns);
  const bool few = is_few(c);
  if (few && !c.lhs_along_row) copy_columns(c, space);
  else if (!late) pack_ahead(&plan.panels, !panels_are_dense(plan.panels), pool);
  // Whole tiles of rows, and whole groups of those that belong together.
  plan.unit = whole_groups(run_tile_rows(plan.panels.width(0) / KCC_VW), c);
  if (!c.lhs_along_row && !few) return run_by_rows(plan, pool);
  if (few && !c.lhs_along_row) plan.spare = most_tile_rows, plan.size.rows = least(plan.size.rows, most_starts / c.lhs_runs);
  plan.size.rows = larger_of(1, plan.size.rows / plan.unit) * plan.unit;
  // Panels are handed out before rows are cut further: the right operand of few rows is then read once.
  Split groups{plan.panels.vectors.parts, parts_of(plan.panels.vectors.parts * panel_width, plan.size.columns)};
  Split rows{parts_of(c.m, plan.unit), least(most_block_chunks, parts_of(c.m, plan.size.rows))};
  const int64_t wanted = threads == 1 ? 1 : parts_of((c.lhs_along_row ? 2 : 4) * threads, plan.ranges.parts);
  groups.parts = larger_of(groups.parts, least(groups.whole, parts_of(wanted, rows.parts)));
  rows.parts = larger_of(rows.parts, least(parts_of(rows.whole, 2), parts_of(wanted, groups.parts)));
  if (few && c.lhs_along_row) run_block_grid<RunBuffers>(plan, rows, groups, pool, few_sums_by_steps);
  else if (few) run_block_grid<RunBuffers>(plan, rows, groups, pool, few_sums_by_rows);
  else run_block_grid<RunBuffers>(plan, rows, groups, pool, sums_by_steps);
}

}  // namespace KCC_LEVEL
}  // namespace kcc
