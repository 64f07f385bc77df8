// Contractions whose left operand lies in memory in runs of neighbours: the windows of a convolution. Nothing of it is
// copied: the micro-kernels take the address of every run, and that of zeros for runs beyond a border. Included by exactly
// one translation unit of every CPU level.
//
// Sums are chains in the order of p, cut where gemm-blocks.h says.
#pragma once
#include "gemm-blocks.h"
#include "gemm-few-columns.h"
#include "gemm-runs-micro.h"

namespace kcc {
inline namespace KCC_LEVEL {

const float zeros[longest_zeros] = {};

// Rows of the largest tile: as many addresses may be read beyond the last, and rows of sums written.
static constexpr int64_t most_tile_rows = 12;
// By rows: parts of the right operand from the second-level cache, and sums that wait there with them.
static constexpr BlockSize rows_of_runs{96, 288, 192};
// As many rows are one block, whose right operand is copied panel by panel as it is used.
static constexpr int64_t rows_of_one_block = 204;
// By steps: what all rows of a block read again for every tile stays in the nearest cache.
static constexpr BlockSize steps_of_runs{768, 64, 64};
static_assert((rows_of_one_block + most_tile_rows) * 192 <= sum_floats && 768 * 64 <= sum_floats, "a block fits its buffers");
// How many rows ahead windows are fetched, and steps of the next part for each tile.
static constexpr int64_t rows_ahead = 12, steps_ahead = 4;
static constexpr int64_t most_starts = 12288;

struct RunBuffers {
  alignas(64) const float* starts[most_starts + most_tile_rows];
  alignas(64) float rhs[long_steps * panel_width];
  alignas(64) float sums[sum_floats];
};

// Rows of the largest tile of that many vectors.
static inline int64_t run_tile_rows(int64_t vectors) { return vectors <= 2 && (KCC_VW == 16 || vectors == 1) ? 12 : vectors == 3 ? 8 : 6; }

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

struct StepsKernel {
  int64_t rows;
  RunsMicro run;
};
template <int MR, int NV> static constexpr StepsKernel by_steps{MR, micro_by_steps<MR, NV>};

// The kernel of the most rows that are there. Not every number has one; 9 are three places of three channels.
static StepsKernel steps_kernel(int64_t rows, int64_t vectors) {
#define KCC_KERNEL(MR, NV) \
  if (rows >= MR) return by_steps<MR, NV>;
  switch (vectors) {
#if KCC_VW == 16
    case 4: KCC_KERNEL(6, 4) KCC_KERNEL(4, 4) KCC_KERNEL(3, 4) KCC_KERNEL(2, 4) return by_steps<1, 4>;
    case 3: KCC_KERNEL(8, 3) KCC_KERNEL(4, 3) KCC_KERNEL(2, 3) return by_steps<1, 3>;
    case 2: KCC_KERNEL(12, 2) KCC_KERNEL(9, 2) KCC_KERNEL(8, 2) KCC_KERNEL(6, 2) KCC_KERNEL(4, 2) KCC_KERNEL(2, 2) return by_steps<1, 2>;
#else
    case 2: KCC_KERNEL(6, 2) KCC_KERNEL(4, 2) KCC_KERNEL(3, 2) KCC_KERNEL(2, 2) return by_steps<1, 2>;
#endif
    default: KCC_KERNEL(12, 1) KCC_KERNEL(9, 1) KCC_KERNEL(6, 1) KCC_KERNEL(4, 1) KCC_KERNEL(2, 1) return by_steps<1, 1>;
  }
#undef KCC_KERNEL
}

// Part of a panel whose rows follow each other without a gap.
static const float* dense_part(const BlockPlan& plan, int64_t panel, int64_t p, int64_t steps, float* to) {
  const Plan& panels = plan.panels;
  const Matrix rhs = right_part(plan, panel, p, steps, to);
  if (rhs.row_stride == panels.width(panel)) return rhs.data;
  pack_panel(panels.c.rhs, p, steps, panels.column(panel), panels.columns(panel), to, panels.width(panel));
  return to;
}

// The steps from p on that make one part: whole runs, or a piece of one.
static int64_t part_by_rows(const Contraction& c, int64_t p, int64_t to, int64_t longest) {
  const int64_t inside = p % c.lhs_run, rest = to - p;
  if (inside == 0 && c.lhs_run <= least(longest, rest)) return least(longest, rest) / c.lhs_run * c.lhs_run;
  return least(least(longest, rest), c.lhs_run - inside);
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

// Fetches into the second-level cache what run `i` has beyond the one before it.
static inline void fetch_run(const float* const* starts, int64_t i, int64_t run) {
  const float *begin = starts[i], *end = begin + run, *before = i == 0 ? begin : starts[i - 1] + run;
  for (const float* at = before > begin && before < end ? before : begin; at < end; at += 16) __builtin_prefetch(at, 0, 2);
}

// What the next part of a long sum will read: the last run of every step, because the runs before were usually the last of
// earlier steps, and rows of the right operand.
struct NextPart {
  const float* const* starts;
  int64_t run, steps, done;
  NextLines rhs;

  void fetch(int64_t more) {
    for (const int64_t to = least(steps, done + more); done < to; ++done) fetch_run(starts, done, run), rhs.fetch(1);
  }
};

static void sums_by_rows(const BlockPlan& plan, const BlockPlace& place, int64_t from, int64_t to, RunBuffers* buffers) {
  const Contraction& c = plan.panels.c;
  const int64_t rows = place.rows(), longest = plan.late_rhs ? least(long_steps, plan.size.steps) : plan.size.steps;
  c.lhs_starts(c, place.begin, rows, buffers->starts);
  for (int64_t i = 0; i < most_tile_rows; ++i) buffers->starts[c.lhs_runs * rows + i] = zeros;
  for (int64_t p = from, steps; p < to; p += steps) {
    steps = part_by_rows(c, p, to, longest);
    RunsCall call{};
    call.length = least(steps, c.lhs_run), call.runs = steps / call.length;
    call.starts_step = rows, call.offset = p % c.lhs_run;
    call.resume = p > from;
    for (int64_t panel = place.first; panel < place.last; ++panel) {
      const int64_t width = plan.panels.width(panel), tile = run_tile_rows(width / KCC_VW);
      call.b = dense_part(plan, panel, p, steps, buffers->rhs);
      float* const sums = place.sums(plan.panels, panel, buffers->sums);
      NextLines next = panel + 1 < place.last ? next_lines(plan, panel + 1, p, steps) : next_lines(plan, place.first, p + steps, longest);
      const int64_t slice = parts_of(next.count * tile, rows);
      for (int64_t row = 0; row < rows; row += tile) {
        next.fetch(slice);
        call.starts = buffers->starts + p / c.lhs_run * rows + row;
        call.c = sums + row * width;
        for (int64_t i = row + rows_ahead; p == from && panel == place.first && i < least(rows, row + rows_ahead + tile); ++i) fetch_run(buffers->starts + (c.lhs_runs - 1) * rows, i, c.lhs_run);
        if (p + steps >= to) prepare(plan.panels, panel, place.begin + row, least(tile, rows - row));
        rows_kernel(least(tile, rows - row), width / KCC_VW)(call);
      }
    }
  }
}

// Rows [begin, end) of one run, steps of one part.
static void add_run(RunsCall call, int64_t begin, int64_t end, int64_t vectors, float* sums, NextPart* next) {
  for (int64_t row = begin; row < end;) {
    const StepsKernel kernel = steps_kernel(end - row, vectors);
    call.offset = row;
    call.c = sums + row * vectors * KCC_VW;
    next->fetch(steps_ahead);
    kernel.run(call);
    row += kernel.rows;
  }
}

static void sums_by_steps(const BlockPlan& plan, const BlockPlace& place, int64_t from, int64_t to, RunBuffers* buffers) {
  const Contraction& c = plan.panels.c;
  const float **starts = buffers->starts, **later = starts + most_starts / 2;
  const auto steps_from = [&](int64_t p) { return larger_of(0, least(plan.size.steps, to - p)); };
  c.lhs_starts(c, from, steps_from(from), starts);
  for (int64_t p = from; p == from || p < to; p += plan.size.steps) {
    const int64_t steps = steps_from(p), further = steps_from(p + steps);
    c.lhs_starts(c, p + steps, further, later);
    NextPart next{later + (c.lhs_runs - 1) * further, c.lhs_run, further, 0, next_lines(plan, place.first, p + steps, further)};
    for (int64_t panel = place.first; panel < place.last; ++panel) {
      const Matrix rhs = right_part(plan, panel, p, steps, buffers->rhs);
      float* const sums = place.sums(plan.panels, panel, buffers->sums);
      RunsCall call{};
      call.length = steps, call.b = rhs.data, call.b_step = rhs.row_stride;
      call.resume = p > from;
      for (int64_t row = place.begin, end; row < place.end; row = end) {
        const int64_t run = row / c.lhs_run, first = run * c.lhs_run;
        end = least(place.end, first + c.lhs_run);
        call.starts = starts + run * steps;
        const int64_t vectors = plan.panels.width(panel) / KCC_VW;
        add_run(call, row - first, end - first, vectors, sums + (first - place.begin) * plan.panels.width(panel), &next);
      }
    }
    const float** const used = starts;
    starts = later, later = used;
  }
}

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

void contract_runs(Contraction c) {
  if (c.m <= 0 || c.n <= 0) return;
  kcc_pool* const pool = pool_for(c);
  float* space = reinterpret_cast<float*>(c.workspace);
  if (c.compute_rhs != nullptr && !c.long_sum) {
    c.rhs = computed(c, c.compute_rhs, c.rhs_along_row, c.k, c.n, space, pool);
    space += c.k * c.n;
    c.compute_rhs = nullptr;
  }
  const int64_t vectors = parts_of(c.n, KCC_VW), threads = pool == nullptr ? 1 : pool->threads;
  // Copied panel by panel where few rows use them.
  const bool late = c.long_sum || (!c.lhs_along_row && c.m <= rows_of_one_block && c.compute_rhs == nullptr && c.rhs.column_stride == 1);
  BlockPlan plan{{c, {vectors, parts_of(vectors, panel_vectors)}, false, false, false, space}, c.lhs_along_row ? steps_of_runs : rows_of_runs, late, {parts_of(c.k, KCC_BLOCK_COLUMNS), 1}, vectors * KCC_VW, space, 1, 0};
  if (c.long_sum) plan.ranges.parts = ranges_of(c, plan.columns);
  // By the sizes that do not depend on how many rows there are: rows must not change each other's order of sums.
  const bool few = c.n <= narrow_columns && c.lhs_run >= KCC_VW && (c.lhs_along_row || !c.long_sum);
  if (few && !c.lhs_along_row) copy_columns(c, space);
  else if (!late) pack_ahead(&plan.panels, !panels_are_dense(plan.panels), pool);
  plan.unit = run_tile_rows(plan.panels.width(0) / KCC_VW);
  if (!c.lhs_along_row) plan.spare = most_tile_rows, plan.size.rows = least(c.m <= rows_of_one_block ? rows_of_one_block : plan.size.rows, most_starts / c.lhs_runs);
  plan.size.rows = larger_of(1, plan.size.rows / plan.unit) * plan.unit;
  // Panels are handed out before rows are cut further: the right operand of few rows is then read once.
  Split groups{plan.panels.vectors.parts, parts_of(plan.panels.vectors.parts * panel_width, plan.size.columns)};
  Split rows{parts_of(c.m, plan.unit), least(most_block_chunks, parts_of(c.m, plan.size.rows))};
  const int64_t wanted = threads == 1 ? 1 : parts_of((c.lhs_along_row ? 2 : 4) * threads, plan.ranges.parts);
  groups.parts = larger_of(groups.parts, least(groups.whole, parts_of(wanted, rows.parts)));
  rows.parts = larger_of(rows.parts, least(parts_of(rows.whole, 2), parts_of(wanted, groups.parts)));
  if (few && c.lhs_along_row) run_block_grid<RunBuffers>(plan, rows, groups, pool, few_sums_by_steps);
  else if (few) run_block_grid<RunBuffers>(plan, rows, groups, pool, few_sums_by_rows);
  else if (c.lhs_along_row) run_block_grid<RunBuffers>(plan, rows, groups, pool, sums_by_steps);
  else run_block_grid<RunBuffers>(plan, rows, groups, pool, sums_by_rows);
}

}  // namespace KCC_LEVEL
}  // namespace kcc
