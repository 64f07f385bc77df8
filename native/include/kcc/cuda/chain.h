// Lists of positions by row, for sums whose target is computed (chain.h of CPUs): the same lists, made by warps.
#pragma once
#include "platform.h"
#include "../scalar.h"

namespace kcc {
inline namespace KCC_LEVEL {

// Warps that make the lists of one chain.
static constexpr int64_t kChainWarps = 16;

// first[r]: the least position p with row(p) == r, or -1; next[p]: the one after p in the same row, or -1. Each warp (a block
// of its own) makes the lists of the rows that leave its number over: so no two write to the same list. Positions are taken
// from the last to the first, a warp's width at a time; of lanes with the same row each links to the one after it.
template <class Row>
KCC_INLINE void make_chain(int32_t* first, int32_t* next, int64_t rows, int64_t count, const Row& row) {
  const int64_t lane = threadIdx.x, mine = blockIdx.x, classes = gridDim.x;
  for (int64_t r = mine + lane * classes; r < rows; r += kWarp * classes) first[r] = -1;
  __syncwarp(kAllLanes);
  for (int64_t end = count; end > 0; end -= kWarp) {
    const int64_t p = end - kWarp + lane;
    const int32_t r = p >= 0 ? row(p) : -1;
    const bool takes = is_inside(r, rows) && r % classes == mine;
    const unsigned same = __match_any_sync(kAllLanes, takes ? r : -1), after = same & ~((2u << lane) - 1u);
    if (takes) next[p] = after ? (int32_t)(end - kWarp + __ffs(after) - 1) : first[r];
    __syncwarp(kAllLanes);
    if (takes && __ffs(same) - 1 == lane) first[r] = (int32_t)p;
    __syncwarp(kAllLanes);
  }
}

}  // namespace KCC_LEVEL
}  // namespace kcc
