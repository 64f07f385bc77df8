// Lists of positions by row, for sums whose target is computed (chain.h of CPUs): the same lists, made by warps.
#pragma once
#include "platform.h"
#include "../scalar.h"

namespace kcc {
inline namespace KCC_LEVEL {

// Warps that make the lists of one chain: one for each multiprocessor of a large GPU, each with few rows to take.
static constexpr int64_t kChainWarps = 128;
// Groups of positions whose rows are read before the first of them is linked: each waits for the one before, but not for memory.
static constexpr int kGroupsAhead = 4;

// first[r]: the least position p with row(p) == r, or -1; next[p]: the one after p in the same row, or -1. Each of kChainWarps
// warps, a block of its own, makes the lists of the rows that leave its number over: so no two write to the same list. Positions
// are taken from the last to the first, a warp's width at a time; of lanes with the same row each links to the one after it.
template <class Row>
KCC_INLINE void make_chain(int32_t* first, int32_t* next, int64_t rows, int64_t count, const Row& row) {
  const int64_t lane = threadIdx.x, mine = blockIdx.x;
  for (int64_t r = mine + lane * kChainWarps; r < rows; r += kWarp * kChainWarps) first[r] = -1;
  __syncwarp(kAllLanes);
  for (int64_t end = count; end > 0; end -= kGroupsAhead * kWarp) {
    int32_t ahead[kGroupsAhead];
    KCC_UNROLL
    for (int group = 0; group < kGroupsAhead; group++) {
      const int64_t p = end - (group + 1) * kWarp + lane;
      ahead[group] = p >= 0 ? row(p) : -1;
    }
    KCC_UNROLL
    for (int group = 0; group < kGroupsAhead; group++) {
      const int64_t begin = end - (group + 1) * kWarp, p = begin + lane;
      const int32_t r = ahead[group];
      const bool takes = is_inside(r, rows) && r % kChainWarps == mine;
      const unsigned same = __match_any_sync(kAllLanes, takes ? r : -1), after = same & ~((2u << lane) - 1u);
      if (takes) next[p] = after ? (int32_t)(begin + __ffs(after) - 1) : first[r];
      __syncwarp(kAllLanes);
      if (takes && __ffs(same) - 1 == lane) first[r] = (int32_t)p;
      __syncwarp(kAllLanes);
    }
  }
}

}  // namespace KCC_LEVEL
}  // namespace kcc
