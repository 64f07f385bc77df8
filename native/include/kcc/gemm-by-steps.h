// Runs along the rows, as in the gradient of a convolution's kernel: long sums with few results, part by part.
#pragma once
#include "gemm-runs-plan.h"

namespace kcc {
inline namespace KCC_LEVEL {

// What all rows of a block read again for every tile stays in the nearest cache.
static constexpr BlockSize steps_of_runs{768, 64, 64};
static_assert(768 * 64 <= sum_floats, "a block fits its buffers");
// Steps of the next part that are fetched for each tile, at least.
static constexpr int64_t steps_ahead = 4;

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

// What the next part of a long sum will read: the last run of every step, because the runs before were usually the last of
// earlier steps, and rows of the right operand.
struct NextPart {
  const float* const* starts;
  int64_t run, steps, slice, done;
  NextLines rhs;

  // A slice for each tile.
  void fetch() {
    for (const int64_t to = least(steps, done + slice); done < to; ++done) fetch_run(starts, done, run), rhs.fetch(1);
  }
};

// Rows [begin, end) of one run, steps of one part.
static void add_run(RunsCall call, int64_t begin, int64_t end, int64_t vectors, float* sums, NextPart* next) {
  for (int64_t row = begin; row < end;) {
    const StepsKernel kernel = steps_kernel(end - row, vectors);
    call.offset = row;
    call.c = sums + row * vectors * KCC_VW;
    next->fetch();
    kernel.run(call);
    row += kernel.rows;
  }
}

// Tiles that use a part, or more.
static int64_t tiles_of(const BlockPlan& plan, const BlockPlace& place) {
  const int64_t run = plan.panels.c.lhs_run, rows = place.rows();
  return parts_of(rows, run) * parts_of(least(run, rows), plan.unit) * (place.last - place.first);
}

static void sums_by_steps(const BlockPlan& plan, const BlockPlace& place, int64_t from, int64_t to, RunBuffers* buffers) {
  const Contraction& c = plan.panels.c;
  const float **starts = buffers->starts, **later = starts + most_starts / 2;
  const auto steps_from = [&](int64_t p) { return larger_of(0, least(plan.size.steps, to - p)); };
  c.lhs_starts(c, from, steps_from(from), starts);
  for (int64_t p = from; p == from || p < to; p += plan.size.steps) {
    const int64_t steps = steps_from(p), further = steps_from(p + steps);
    c.lhs_starts(c, p + steps, further, later);
    NextPart next{later + (c.lhs_runs - (c.last_run_is_one ? 2 : 1)) * further, c.lhs_run, further, larger_of(steps_ahead, parts_of(further, tiles_of(plan, place))), 0, next_lines(plan, place.first, p + steps, further)};
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

}  // namespace KCC_LEVEL
}  // namespace kcc
