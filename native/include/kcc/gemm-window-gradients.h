// The gradient of a filter over windows of pixels, by the transposed algorithm of gemm-windows.h: transformed pixels and transformed
// gradients of the results are multiplied, and summed over squares instead of channels. The squares are cut into ranges by the sizes
// alone, and what is found in the ranges is added in order.
#pragma once
#include "gemm-by-steps.h"
#include "gemm-windows.h"

namespace kcc {
inline namespace KCC_LEVEL {

// Channels of a chunk, and floats of a block's transformed pixels, or gradients, at a place.
static constexpr int64_t most_gradient_channels = 128, gradient_floats = most_squares * 64;
// Channels that are finished together, and blocks that a range has at least.
static constexpr int64_t finished_channels = 16, least_range_blocks = 4;

struct GradientBuffers {
  alignas(64) SquareBlock blocks[2];
  alignas(64) const float* starts[most_window_starts];
  alignas(64) const float* rows[most_squares];
  alignas(64) float pixels[most_places * (gradient_floats + place_padding)];
  alignas(64) float gradients[most_places * (gradient_floats + place_padding)];
};

struct GradientPlan {
  SquaresPlan squares;
  Split ranges;     // of squares
  Split channels;   // in units of `finished_channels`
  int64_t columns;  // with the filling
  // Of a range: transformed gradients as transformed filters lie, and the sums of the columns after them.
  float* result(int64_t range) const { return squares.filters + range * (squares.places * squares.channels() + 1) * columns; }
  int64_t totals() const { return squares.places * squares.channels() * columns; }
};

// Some channels, one panel of columns.
struct GradientPart {
  int64_t begin, end, panel;
  int64_t channels() const { return end - begin; }
};

// ---- blocks of squares

// Gradients of a square's results, `columns` of them; zeros where there is no result.
struct SquareGradients {
  const float* rows[4];
};

static SquareGradients gradients_of(const SquaresPlan& plan, int64_t panel, const SquareRun& run, int64_t i) {
  const Matrix& rhs = plan.panels.c.rhs;
  const ResultLine upper = result_line(plan, run, 0), lower = result_line(plan, run, 1);
  const auto at = [&](const ResultLine& line, int64_t result) { return result < line.count ? rhs.data + (line.row + result) * rhs.row_stride + plan.panels.column(panel) : zeros; };
  return {{at(upper, 2 * i), at(upper, 2 * i + 1), at(lower, 2 * i), at(lower, 2 * i + 1)}};
}

// Transformed gradients of a block: place by place, square by square.
template <int lines, int pixels> static void transform_slopes(const SquaresPlan& plan, int64_t panel, const SquareBlock& block, float* to) {
  const int64_t width = plan.panels.width(panel), columns = plan.panels.columns(panel), step = block.count * width + place_padding;
  each_run(plan, block.begin, block.count, [&](const SquareRun& run, int64_t at) {
    for (int64_t i = 0; i < run.count; ++i) {
      const SquareGradients square = gradients_of(plan, panel, run, i);
      for (int64_t j = 0; j < columns; j += KCC_VW) {
        const int64_t lanes = least(KCC_VW, columns - j);
        vf e[4], z[(lines + 1) * (pixels + 1)];
#pragma GCC unroll 4
        for (int k = 0; k < 4; ++k) e[k] = lanes == KCC_VW ? load(square.rows[k] + j) : load(square.rows[k] + j, (int)lanes);
        transform<OfGradients<lines>, OfGradients<pixels>>(e, z);
#pragma GCC unroll 16
        for (int k = 0; k < (lines + 1) * (pixels + 1); ++k) store(to + k * step + (at + i) * width + j, z[k]);
      }
    }
  });
}

// One square's pixels, and the gradients of its results.
static void fetch_next(const SquaresPlan& plan, const GradientPart& part, const SquareBlock& next, int64_t i) {
  fetch_square(plan, next, i, part.begin, part.end);
  const SquareGradients coming = gradients_of(plan, part.panel, run_of(plan, next.begin + i, next.begin + i + 1), 0);
  for (const float* row : coming.rows)
    for (int64_t j = 0; j < plan.panels.columns(part.panel); j += 16) __builtin_prefetch(row + j, 0, 2);
}

// Adds a block's products of one piece, and fetches a share of the next block meanwhile.
static void add_piece(const GradientPlan& plan, const GradientPart& part, const Piece& piece, const SquareBlock& block, const SquareBlock& next, bool resume, float* result, GradientBuffers* buffers) {
  const SquaresPlan& squares = plan.squares;
  const int64_t channels = part.channels(), width = squares.panels.width(part.panel), vectors = width / KCC_VW;
  const int64_t pixel_step = block.count * channels + place_padding, gradient_step = block.count * width + place_padding;
  const Split coming{next.count, squares.places};
  RunsCall call{};
  call.length = block.count, call.b_step = width, call.starts = buffers->rows, call.resume = resume;
  for (int64_t i = 0; i < piece.places(); ++i) {
    const int64_t place = piece.first + i;
    for (int64_t square = coming.begin(place); square < coming.begin(place + 1); ++square) fetch_next(squares, part, next, square);
    float* const sums = result + squares.filter_at(part.panel, place) + part.begin * width;
    call.b = buffers->gradients + i * gradient_step;
    for (int64_t row = 0; row < channels;) {
      const StepsKernel kernel = steps_kernel(channels - row, vectors);
      call.offset = i * pixel_step + row, call.c = sums + row * width;
      kernel.run(call);
      row += kernel.rows;
    }
  }
}

// The place whose transformed gradients are the sums of a square's four: the second of both directions.
static int64_t place_of_sums(const Piece& piece) { return piece.pixels + 2; }

static void add_block(const GradientPlan& plan, const GradientPart& part, const SquareBlock& block, const SquareBlock& next, bool resume, float* result, GradientBuffers* buffers) {
  const SquaresPlan& squares = plan.squares;
  const int64_t channels = part.channels(), width = squares.panels.width(part.panel), step = block.count * width + place_padding;
  for (int64_t i = 0; i < block.count; ++i) buffers->rows[i] = buffers->pixels + i * channels;
  for (int64_t i = 0; i < squares.piece_count; ++i) {
    const Piece& piece = squares.pieces[i];
    transform_block(squares, piece, block, part.begin, part.end, buffers->pixels);
    with_taps(piece.lines, piece.pixels, [&](auto lines, auto pixels) { transform_slopes<lines.value, pixels.value>(squares, part.panel, block, buffers->gradients); });
    add_piece(plan, part, piece, block, next, resume, result, buffers);
    if (i == 0 && part.begin == 0 && squares.panels.c.finish_totals != nullptr)
      add_columns({buffers->gradients + place_of_sums(piece) * step, width, 1, 0}, block.count, width, resume, result + plan.totals() + squares.panels.column(part.panel));
  }
}

static void sums_of_range(const GradientPlan& plan, const GradientPart& part, int64_t range, GradientBuffers* buffers) {
  const int64_t begin = plan.ranges.begin(range), squares = plan.ranges.begin(range + 1) - begin;
  const Split parts{squares, larger_of(1, parts_of(squares, plan.squares.block))};
  const auto find = [&](int64_t i, SquareBlock* block) {
    find_block(plan.squares, begin + parts.begin(i), i == parts.parts ? 0 : parts.begin(i + 1) - parts.begin(i), buffers->starts, block);
  };
  find(0, &buffers->blocks[0]);
  for (int64_t i = 0; i < parts.parts; ++i) {
    SquareBlock* const next = &buffers->blocks[(i + 1) % 2];
    find(i + 1, next);
    add_block(plan, part, buffers->blocks[i % 2], *next, i > 0, plan.result(range), buffers);
  }
}

// ---- the end

// The sum of a vector over the ranges, in order.
static vf sum_of_ranges(const GradientPlan& plan, int64_t at) {
  vf sum = load(plan.result(0) + at);
  for (int64_t range = 1; range < plan.ranges.parts; ++range) sum = sum + load(plan.result(range) + at);
  return sum;
}

// Taps of one piece of some channels' gradients, to rows of the panel tap by tap.
template <int lines, int pixels> static void finish_piece(const GradientPlan& plan, const Piece& piece, int64_t first, int64_t panel, float* sums) {
  const SquaresPlan& squares = plan.squares;
  const int64_t width = squares.panels.width(panel), tap = finished_channels * width;
  for (int64_t j = 0; j < tap; j += KCC_VW) {
    vf u[(lines + 1) * (pixels + 1)], g[lines * pixels];
#pragma GCC unroll 16
    for (int place = 0; place < (lines + 1) * (pixels + 1); ++place) u[place] = sum_of_ranges(plan, squares.filter_at(panel, piece.first + place) + first * width + j);
    transform<OfFilterGradient<lines>, OfFilterGradient<pixels>>(u, g);
#pragma GCC unroll 9
    for (int i = 0; i < lines * pixels; ++i) store(sums + ((piece.line + i / pixels) * squares.windows.pixels + piece.pixel + i % pixels) * tap + j, g[i]);
  }
}

static void finish_channels(const GradientPlan& plan, int64_t first, int64_t panel) {
  const SquaresPlan& squares = plan.squares;
  const int64_t width = squares.panels.width(panel), tap = finished_channels * width;
  alignas(64) float sums[most_taps * most_taps * finished_channels * panel_width];
  for (int64_t i = 0; i < squares.piece_count; ++i) {
    const Piece& piece = squares.pieces[i];
    with_taps(piece.lines, piece.pixels, [&](auto lines, auto pixels) { finish_piece<lines.value, pixels.value>(plan, piece, first, panel, sums); });
  }
  for (int64_t i = 0; i < squares.windows.lines * squares.windows.pixels; ++i) finish_tile(squares.panels, sums + i * tap, width, i * squares.channels() + first, panel, finished_channels);
}

static void finish_column_sums(const GradientPlan& plan) {
  const Contraction& c = plan.squares.panels.c;
  if (c.finish_totals == nullptr) return;
  float* const totals = plan.result(0) + plan.totals();
  for (int64_t j = 0; j < plan.columns; j += KCC_VW) store(totals + j, sum_of_ranges(plan, plan.totals() + j));
  c.finish_totals(c, totals, plan.columns, 0, 0, 1, c.n);
}

static void run_window_gradients(const Contraction& c, float* space, kcc_pool* pool) {
  SquaresPlan squares(c, space);
  const int64_t columns = parts_of(c.n, KCC_VW) * KCC_VW, panels = squares.panel_count(), count = squares.squares(c.k);
  const Split channels{squares.channels() / finished_channels, parts_of(squares.channels(), most_gradient_channels)};
  squares.block = least(least(squares.block, most_squares), gradient_floats / (parts_of(channels.whole, channels.parts) * finished_channels));
  const int64_t room = c.split_room / ((squares.places * squares.channels() + 1) * columns);
  const GradientPlan plan{squares, {count, larger_of(1, least(room, count / (least_range_blocks * squares.block)))}, channels, columns};
  parallel(pool, plan.ranges.parts * channels.parts * panels, [&](int64_t i) {
    GradientBuffers buffers;
    const int64_t part = i / panels % channels.parts;
    sums_of_range(plan, {channels.begin(part) * finished_channels, channels.begin(part + 1) * finished_channels, i % panels}, i / panels / channels.parts, &buffers);
  });
  parallel(pool, channels.whole * panels, [&](int64_t i) { finish_channels(plan, i / panels * finished_channels, i % panels); });
  finish_column_sums(plan);
}

}  // namespace KCC_LEVEL
}  // namespace kcc
