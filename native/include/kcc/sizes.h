// Arithmetic on sizes, in functions of the host and, where a GPU's compiler reads this, in kernels.
#pragma once
#include <stdint.h>

#ifdef __CUDACC__
#define KCC_ANYWHERE __host__ __device__
#else
#define KCC_ANYWHERE
#endif

namespace kcc {
inline namespace KCC_LEVEL {

KCC_ANYWHERE inline int64_t align64(int64_t bytes) { return (bytes + 63) & ~(int64_t)63; }
KCC_ANYWHERE inline int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }
// How many tiles of `size` cover `extent`.
KCC_ANYWHERE inline int64_t tiles_of(int64_t extent, int64_t size) { return (extent + size - 1) / size; }
KCC_ANYWHERE inline int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
// Blocks of a grid that are at work at once on no GPU: more would only wait, so that kernels take several items in turn instead.
static constexpr int64_t kMostBlocks = 1 << 16;
// Blocks for items of which each block takes `per_block` at a time.
KCC_ANYWHERE inline int64_t blocks_of(int64_t items, int64_t per_block) { return smaller(tiles_of(items, per_block), kMostBlocks); }
// What one of `parts` takes of `extent`: a multiple of `unit`, so that only the last have less or nothing.
KCC_ANYWHERE inline int64_t share_of(int64_t extent, int64_t parts, int64_t unit) { return tiles_of(tiles_of(extent, parts), unit) * unit; }
// Rounded down, also below zero; b > 0.
KCC_ANYWHERE inline int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }

}  // namespace KCC_LEVEL
}  // namespace kcc
