// Sums over windows of pixels, one pixel apart: four of them, side by side in a square, by fewer multiplications than their terms
// (gemm-square-transforms.h). A window is cut into pieces of 3 or 2 lines and pixels, whose sums are added; most often it is one
// piece of 3 x 3. The product of transformed pixels and filters, summed over channels, is a product of matrices for each place of a
// piece: 16 of them instead of 36.
//
// Squares are cut into chunks, and those into blocks. A block's transformed pixels and products stay in the second-level cache.
// What is computed of a square does not depend on its block.
#pragma once
#include "gemm-by-rows.h"
#include "gemm-square-transforms.h"

namespace kcc {
inline namespace KCC_LEVEL {

// Lines, and pixels, of the largest window; pieces of the smallest size in them; and places of the largest piece.
static constexpr int64_t most_taps = 7, most_pieces = 3, most_places = 16;
// Squares of a block, and how many floats a block's transformed pixels may take at a place: those of a picture of 14 x 14 with 256 channels.
static constexpr int64_t most_squares = 96, many_squares = 49, most_pixel_floats = many_squares * 256;
// As many are enough where transformed filters come from the second-level cache: so many floats.
static constexpr int64_t few_squares = 24, near_filter_floats = 1 << 17;
// Addresses of the starts of a block's windows.
static constexpr int64_t most_window_starts = 25 * 4 * many_squares;
// Blocks of a chunk, at most, and of so few squares that panels are handed out instead.
static constexpr int64_t most_square_blocks = 8, few_blocks = 4;
// Between what is at one place and at the next: they do not fall on the same lines of the nearest cache.
static constexpr int64_t place_padding = 16;

// Addresses of the pixels under the windows of a block's squares.
struct SquareBlock {
  int64_t begin, count;
  const float* pixels[most_squares][(most_taps + 1) * (most_taps + 1)];
};

struct SquareBuffers {
  alignas(64) SquareBlock blocks[2];
  alignas(64) const float* starts[most_window_starts];
  alignas(64) const float* rows[many_squares + most_tile_rows];
  alignas(64) float pixels[most_places * (most_pixel_floats + place_padding)];
  alignas(64) float products[most_places * (many_squares * panel_width + place_padding) + most_tile_rows * panel_width];
  alignas(64) float sums[4 * many_squares * panel_width];
};

// Taps of a window from (line, pixel) on, and the first of their places among those of all pieces.
struct Piece {
  int64_t line, pixel, lines, pixels, first;
  int64_t places() const { return (lines + 1) * (pixels + 1); }
};

// Cuts so many taps into pieces of three and two, the larger first.
struct Pieces {
  int64_t count, taps[most_pieces];

  explicit Pieces(int64_t whole) : count(0), taps{} {
    for (; whole > 0; whole -= taps[count++]) taps[count] = whole == 4 ? 2 : least(whole, 3);
  }
};

struct SquaresPlan {
  Plan panels;
  Windows windows;
  int64_t lines, columns;  // squares of a picture
  int64_t block;           // squares of a block
  float* filters;          // transformed: panel by panel, place by place, channel by channel
  Piece pieces[most_pieces * most_pieces];
  int64_t piece_count, places;

  SquaresPlan(const Contraction& c, float* space) : panels{c, {parts_of(c.n, KCC_VW), parts_of(parts_of(c.n, KCC_VW), panel_vectors)}, false, false, false, nullptr}, windows(c.windows),
      lines(parts_of(windows.height, 2)), columns(parts_of(windows.width, 2)), block(most_window_starts / (4 * c.lhs_runs)), filters(space), pieces{}, piece_count(0), places(0) {
    const Pieces down(windows.lines), across(windows.pixels);
    for (int64_t i = 0, line = 0; i < down.count; line += down.taps[i++])
      for (int64_t j = 0, pixel = 0; j < across.count; pixel += across.taps[j++]) {
        pieces[piece_count] = {line, pixel, down.taps[i], across.taps[j], places};
        places += pieces[piece_count++].places();
      }
  }
  int64_t channels() const { return windows.channels; }
  int64_t panel_count() const { return panels.vectors.parts; }
  bool together() const { return panels.c.rows_together != 0; }
  // Squares of as many windows as there are.
  int64_t squares(int64_t windows_there) const { return windows_there / (windows.height * windows.width) * lines * columns; }
  int64_t filter_at(int64_t panel, int64_t place) const { return channels() * (places * panels.column(panel) + place * panels.width(panel)); }
  const float* filter(int64_t panel, int64_t place) const { return filters + filter_at(panel, place); }
};

// ---- filters

// The taps of a filter in one piece, of some channels and one panel, as rows of the panel tap by tap.
struct FilterTaps {
  const float* taps;
  int64_t step;
};

template <int lines, int pixels> static void transform_piece(const FilterTaps& from, const Piece& piece, int64_t window_pixels, int64_t place_step, float* to) {
  for (int64_t i = 0; i < from.step; i += KCC_VW) {
    vf g[lines * pixels], u[(lines + 1) * (pixels + 1)];
#pragma GCC unroll 9
    for (int tap = 0; tap < lines * pixels; ++tap) g[tap] = load(from.taps + ((piece.line + tap / pixels) * window_pixels + piece.pixel + tap % pixels) * from.step + i);
    transform<OfFilter<lines>, OfFilter<pixels>>(g, u);
#pragma GCC unroll 16
    for (int place = 0; place < (lines + 1) * (pixels + 1); ++place) store(to + place * place_step + i, u[place]);
  }
}

// Channels of a panel that are transformed together.
static constexpr int64_t filter_channels = 16;

// Channels [begin, begin + filter_channels) of one panel.
static void transform_filters(const SquaresPlan& plan, int64_t panel, int64_t begin) {
  const Contraction& c = plan.panels.c;
  const int64_t width = plan.panels.width(panel), channels = plan.channels(), step = filter_channels * width, column = plan.panels.column(panel), columns = plan.panels.columns(panel);
  alignas(64) float taps[most_taps * most_taps * filter_channels * panel_width];
  for (int64_t tap = 0; tap < plan.windows.lines * plan.windows.pixels; ++tap) {
    const int64_t row = tap * channels + begin;
    if (c.compute_rhs != nullptr) compute_panel(c, row, filter_channels, column, columns, taps + tap * step, width);
    else pack_panel(c.rhs, row, filter_channels, column, columns, taps + tap * step, width);
  }
  for (int64_t i = 0; i < plan.piece_count; ++i) {
    const Piece& piece = plan.pieces[i];
    float* const to = plan.filters + plan.filter_at(panel, piece.first) + begin * width;
    with_taps(piece.lines, piece.pixels, [&](auto lines, auto pixels) { transform_piece<lines.value, pixels.value>({taps, step}, piece, plan.windows.pixels, channels * width, to); });
  }
}

static void transform_panel(const SquaresPlan& plan, int64_t panel) {
  for (int64_t begin = 0; begin < plan.channels(); begin += filter_channels) transform_filters(plan, panel, begin);
}

static void transform_all_filters(const SquaresPlan& plan, kcc_pool* pool) {
  const int64_t parts = plan.channels() / filter_channels, together = least(parts, 4);
  parallel(pool, plan.panel_count() * parts_of(parts, together), [&](int64_t i) {
    const int64_t panel = i / parts_of(parts, together), first = i % parts_of(parts, together) * together;
    for (int64_t part = first; part < least(parts, first + together); ++part) transform_filters(plan, panel, part * filter_channels);
  });
}

// ---- pixels

// Squares side by side: `count` of them, from the one in (line, column) of a picture on.
struct SquareRun {
  int64_t picture, line, column, count;
};

static SquareRun run_of(const SquaresPlan& plan, int64_t square, int64_t end) {
  const int64_t column = square % plan.columns;
  return {square / plan.columns / plan.lines, square / plan.columns % plan.lines, column, least(end - square, plan.columns - column)};
}

// Calls body(run, place in the block of its first square) for the runs of squares [begin, begin + count).
template <class Body> static void each_run(const SquaresPlan& plan, int64_t begin, int64_t count, const Body& body) {
  for (int64_t i = 0; i < count;) {
    const SquareRun run = run_of(plan, begin + i, begin + count);
    body(run, i);
    i += run.count;
  }
}

// Results of a run in its upper (0) or lower (1) line: the first one's row, and how many there are.
struct ResultLine {
  int64_t row, count;
};

static ResultLine result_line(const SquaresPlan& plan, const SquareRun& run, int64_t lower) {
  const int64_t height = plan.windows.height, width = plan.windows.width, line = 2 * run.line + lower;
  return {(run.picture * height + line) * width + 2 * run.column, line < height ? least(2 * run.count, width - 2 * run.column) : 0};
}

// Where the windows of `lines` results begin, as `Starts` gives it.
struct WindowStarts {
  const float* const* to;
  int64_t lines;
};

// Pixel (i, j) of the window of a result. Those of a line have one start, where they are neighbours.
KCC_INLINE const float* pixel_at(const SquaresPlan& plan, const WindowStarts& starts, int64_t result, int64_t i, int64_t j) {
  const Windows& windows = plan.windows;
  if (plan.panels.c.lhs_runs == windows.lines) return starts.to[i * starts.lines + result] + j * windows.channels;
  return starts.to[(i * windows.pixels + j) * starts.lines + result];
}

// The first of two results side by side, in one line of a square, of `count` in all.
struct Neighbours {
  const WindowStarts& starts;
  int64_t result, count;
};

// A line of pixels under two windows, of their line i; those of a result that is not there are zeros.
KCC_INLINE void find_line(const SquaresPlan& plan, const Neighbours& at, int64_t i, const float** pixels) {
  const int64_t last = plan.windows.pixels;
  for (int64_t j = 0; j < last; ++j) pixels[j] = at.result < at.count ? pixel_at(plan, at.starts, at.result, i, j) : zeros;
  pixels[last] = at.result + 1 < at.count ? pixel_at(plan, at.starts, at.result + 1, i, last - 1) : zeros;
}

// The pixels under four windows, line by line.
KCC_INLINE void find_square(const SquaresPlan& plan, const Neighbours& upper, const Neighbours& lower, const float** pixels) {
  const int64_t lines = plan.windows.lines, across = plan.windows.pixels + 1;
  for (int64_t i = 0; i < lines; ++i) find_line(plan, upper, i, pixels + i * across);
  find_line(plan, lower, lines - 1, pixels + lines * across);
}

static void find_run(const SquaresPlan& plan, const SquareRun& run, const float** starts, const float* (*to)[(most_taps + 1) * (most_taps + 1)]) {
  const Contraction& c = plan.panels.c;
  const ResultLine upper = result_line(plan, run, 0), lower = result_line(plan, run, 1);
  const WindowStarts above{starts, upper.count}, below{starts + c.lhs_runs * upper.count, lower.count};
  c.lhs_starts(c, upper.row, upper.count, starts);
  if (lower.count > 0) c.lhs_starts(c, lower.row, lower.count, starts + c.lhs_runs * upper.count);
  for (int64_t i = 0; i < run.count; ++i) find_square(plan, {above, 2 * i, upper.count}, {below, 2 * i, lower.count}, to[i]);
}

static void find_block(const SquaresPlan& plan, int64_t begin, int64_t count, const float** starts, SquareBlock* block) {
  const Contraction& c = plan.panels.c;
  block->begin = begin, block->count = count;
  if (!plan.together()) return each_run(plan, begin, count, [&](const SquareRun& run, int64_t at) { find_run(plan, run, starts, block->pixels + at); });
  const WindowStarts all{starts, 4 * count};
  c.lhs_starts(c, 4 * begin, 4 * count, starts);
  for (int64_t i = 0; i < count; ++i) find_square(plan, {all, 4 * i, 4 * count}, {all, 4 * i + 2, 4 * count}, block->pixels[i]);
}

// Channels [begin, end) of some squares in one piece: place by place, square by square.
template <int lines, int pixels> static void transform_squares(const SquaresPlan& plan, const Piece& piece, const SquareBlock& block, int64_t begin, int64_t end, float* to) {
  const int64_t across = plan.windows.pixels + 1, step = block.count * (end - begin) + place_padding;
  for (int64_t square = 0; square < block.count; ++square) {
    const float* at[(lines + 1) * (pixels + 1)];
#pragma GCC unroll 16
    for (int i = 0; i < (lines + 1) * (pixels + 1); ++i) at[i] = block.pixels[square][(piece.line + i / (pixels + 1)) * across + piece.pixel + i % (pixels + 1)];
    for (int64_t channel = begin; channel < end; channel += KCC_VW, to += KCC_VW) {
      vf d[(lines + 1) * (pixels + 1)], v[(lines + 1) * (pixels + 1)];
#pragma GCC unroll 16
      for (int i = 0; i < (lines + 1) * (pixels + 1); ++i) d[i] = load(at[i] + channel);
      transform<OfPixels<lines>, OfPixels<pixels>>(d, v);
#pragma GCC unroll 16
      for (int i = 0; i < (lines + 1) * (pixels + 1); ++i) store(to + i * step, v[i]);
    }
  }
}

static void transform_block(const SquaresPlan& plan, const Piece& piece, const SquareBlock& block, int64_t begin, int64_t end, float* to) {
  with_taps(piece.lines, piece.pixels, [&](auto lines, auto pixels) { transform_squares<lines.value, pixels.value>(plan, piece, block, begin, end, to); });
}

// What a square has beyond those to its left and above it: two pixels of two lines.
static void fetch_square(const SquaresPlan& plan, const SquareBlock& block, int64_t square, int64_t begin, int64_t end) {
  const int64_t across = plan.windows.pixels + 1;
  const float* const* const last = block.pixels[square] + plan.windows.lines * across + plan.windows.pixels;
  for (int64_t channel = begin; channel < end; channel += 16) {
    __builtin_prefetch(last[-across - 1] + channel, 0, 2), __builtin_prefetch(last[-across] + channel, 0, 2);
    __builtin_prefetch(last[-1] + channel, 0, 2), __builtin_prefetch(last[0] + channel, 0, 2);
  }
}

// ---- products and results

// What finishing a square's results will write and read.
static void prepare_square(const SquaresPlan& plan, int64_t panel, int64_t square) {
  const auto rows = [&](int64_t row, int64_t count) { prepare(plan.panels, panel, row, count), fetch_touched(plan.panels, panel, row, count); };
  if (plan.together()) return rows(4 * square, 4);
  const SquareRun run = run_of(plan, square, square + 1);
  for (int64_t lower = 0; lower < 2; ++lower) {
    const ResultLine line = result_line(plan, run, lower);
    rows(line.row, line.count);
  }
}

// The products of one piece. Meanwhile a share of the next block is fetched, and of what finishing a panel needs.
static void multiply_piece(const SquaresPlan& plan, int64_t panel, const Piece& piece, const SquareBlock& block, const SquareBlock* next, SquareBuffers* buffers) {
  const int64_t width = plan.panels.width(panel), vectors = width / KCC_VW, tile = run_tile_rows(vectors), channels = plan.channels();
  const int64_t pixel_step = block.count * channels + place_padding, product_step = block.count * width + place_padding;
  RunsCall call{};
  call.runs = 1, call.length = channels, call.ahead = zeros;
  const Split finishing{block.count, plan.places}, coming{next == nullptr ? 0 : next->count, plan.places};
  for (int64_t i = 0; i < piece.places(); ++i) {
    const int64_t place = piece.first + i;
    for (int64_t square = coming.begin(place); square < coming.begin(place + 1); ++square) fetch_square(plan, *next, square, 0, channels);
    for (int64_t square = finishing.begin(place); square < finishing.begin(place + 1); ++square) prepare_square(plan, panel, block.begin + square);
    call.b = plan.filter(panel, place), call.offset = i * pixel_step;
    for (int64_t square = 0; square < block.count; square += tile) {
      call.starts = buffers->rows + square, call.c = buffers->products + i * product_step + square * width;
      rows_kernel(least(tile, block.count - square), vectors)(call);
    }
  }
}

// Where the four sums of a square go: to the right of the first, below it, and both.
struct SquareSums {
  float* first;
  int64_t right, below;
};

// The sums of one square over a piece, or those with what is there already.
template <int lines, int pixels> KCC_INLINE void sums_of_square(const float* products, int64_t step, int64_t width, bool resume, const SquareSums& to) {
  for (int64_t j = 0; j < width; j += KCC_VW) {
    vf m[(lines + 1) * (pixels + 1)], y[4];
#pragma GCC unroll 16
    for (int i = 0; i < (lines + 1) * (pixels + 1); ++i) m[i] = load(products + i * step + j);
    transform<OfProducts<lines>, OfProducts<pixels>>(m, y);
    float* const at[4] = {to.first + j, to.first + to.right + j, to.first + to.below + j, to.first + to.below + to.right + j};
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) store(at[i], resume ? load(at[i]) + y[i] : y[i]);
  }
}

// Sums of a block lie as its rows: line by line of each run, or square by square.
static void sums_of_piece(const SquaresPlan& plan, int64_t panel, const Piece& piece, const SquareBlock& block, SquareBuffers* buffers) {
  const int64_t width = plan.panels.width(panel), step = block.count * width + place_padding;
  with_taps(piece.lines, piece.pixels, [&](auto lines, auto pixels) {
    const auto sums = [&](int64_t square, const SquareSums& to) { sums_of_square<lines.value, pixels.value>(buffers->products + square * width, step, width, piece.first > 0, to); };
    if (!plan.together())
      return each_run(plan, block.begin, block.count, [&](const SquareRun& run, int64_t at) {
        for (int64_t i = 0; i < run.count; ++i) sums(at + i, {buffers->sums + (4 * at + 2 * i) * width, width, 2 * run.count * width});
      });
    for (int64_t i = 0; i < block.count; ++i) sums(i, {buffers->sums + 4 * i * width, width, 2 * width});
  });
}

static void finish_block(const SquaresPlan& plan, int64_t panel, const SquareBlock& block, const float* sums) {
  const int64_t width = plan.panels.width(panel);
  if (plan.together()) return finish_tile(plan.panels, sums, width, 4 * block.begin, panel, 4 * block.count);
  each_run(plan, block.begin, block.count, [&](const SquareRun& run, int64_t at) {
    for (int64_t lower = 0; lower < 2; ++lower)
      if (const ResultLine line = result_line(plan, run, lower); line.count > 0) finish_tile(plan.panels, sums + (4 * at + lower * 2 * run.count) * width, width, line.row, panel, line.count);
  });
}

// Panels [first, last); where nobody has, their filters are transformed before.
struct PanelGroup {
  int64_t first, last;
  bool transforms;
};

static void sums_of_block(const SquaresPlan& plan, const PanelGroup& group, const SquareBlock& block, const SquareBlock& next, SquareBuffers* buffers) {
  const int64_t channels = plan.channels();
  for (int64_t i = 0; i < block.count + most_tile_rows; ++i) buffers->rows[i] = buffers->pixels + least(i, block.count - 1) * channels;
  for (int64_t panel = group.first; panel < group.last; ++panel) {
    if (group.transforms) transform_panel(plan, panel);
    for (int64_t i = 0; i < plan.piece_count; ++i) {
      // Of one piece, transformed pixels are there for the next panel.
      if (plan.piece_count > 1 || panel == group.first) transform_block(plan, plan.pieces[i], block, 0, channels, buffers->pixels);
      multiply_piece(plan, panel, plan.pieces[i], block, panel == group.first ? &next : nullptr, buffers);
      sums_of_piece(plan, panel, plan.pieces[i], block, buffers);
    }
    finish_block(plan, panel, block, buffers->sums);
  }
}

// Squares [begin, end), block by block.
static void sums_of_squares(const SquaresPlan& plan, PanelGroup group, int64_t begin, int64_t end, SquareBuffers* buffers) {
  const Split parts{end - begin, parts_of(end - begin, plan.block)};
  const auto find = [&](int64_t part, SquareBlock* block) {
    const int64_t first = parts.begin(part);
    find_block(plan, begin + first, part == parts.parts ? 0 : parts.begin(part + 1) - first, buffers->starts, block);
  };
  find(0, &buffers->blocks[0]);
  for (int64_t part = 0; part < parts.parts; ++part) {
    SquareBlock* const next = &buffers->blocks[(part + 1) % 2];
    find(part + 1, next);
    sums_of_block(plan, group, buffers->blocks[part % 2], *next, buffers);
    group.transforms = false;
  }
}

// Of few squares a thread transforms the filters that it needs, which then are near; pixels are transformed by each.
static void run_by_panels(const SquaresPlan& plan, const Split& groups, int64_t squares, kcc_pool* pool) {
  parallel(pool, groups.parts, [&](int64_t i) {
    SquareBuffers buffers;
    sums_of_squares(plan, {groups.begin(i), groups.begin(i + 1), true}, 0, squares, &buffers);
  });
}

// Chunks of squares, and of panels where squares are too few for all threads.
static void run_by_squares(const SquaresPlan& plan, int64_t squares, kcc_pool* pool) {
  const int64_t threads = pool == nullptr ? 1 : pool->threads, whole_tiles = parts_of(squares, most_tile_rows);
  Split chunks{squares, larger_of(parts_of(squares, plan.block * most_square_blocks), least(whole_tiles, 4 * threads))};
  chunks.parts = least(whole_tiles, parts_of(chunks.parts, threads) * threads);
  const Split groups{plan.panel_count(), least(plan.panel_count(), parts_of(threads, chunks.parts))};
  transform_all_filters(plan, pool);
  parallel(pool, chunks.parts * groups.parts, [&](int64_t i) {
    SquareBuffers buffers;
    const int64_t chunk = i / groups.parts, group = i % groups.parts;
    sums_of_squares(plan, {groups.begin(group), groups.begin(group + 1), false}, chunks.begin(chunk), chunks.begin(chunk + 1), &buffers);
  });
}

static void run_windows(const Contraction& c, float* space, kcc_pool* pool) {
  SquaresPlan plan(c, space);
  const bool near = plan.places * plan.channels() * c.n <= near_filter_floats;
  plan.block = least(least(plan.block, near ? few_squares : many_squares), most_pixel_floats / plan.channels());
  const int64_t squares = plan.squares(c.m), threads = pool == nullptr ? 1 : pool->threads;
  if (squares <= few_blocks * plan.block && plan.panel_count() % threads == 0) run_by_panels(plan, {plan.panel_count(), threads}, squares, pool);
  else run_by_squares(plan, squares, pool);
}

}  // namespace KCC_LEVEL
}  // namespace kcc
