// Lists of positions by row, for sums whose target is computed: made once per call, then read by any number of threads.
#pragma once
#include <stdint.h>
#include "vec.h"

namespace kcc {
inline namespace KCC_LEVEL {

// first[r]: the least position p with row(p) == r, or -1; next[p]: the one after p in the same row, or -1. Positions whose
// row is not in [0, rows) are in no list.
template <class Row>
KCC_INLINE void make_chain(int32_t* first, int32_t* next, int64_t rows, int64_t count, Row row) {
  for (int64_t r = 0; r < rows; r++) first[r] = -1;
  for (int64_t p = count - 1; p >= 0; p--) {
    const int32_t r = row(p);
    if (r < 0 || r >= rows) continue;
    next[p] = first[r];
    first[r] = (int32_t)p;
  }
}

}  // namespace KCC_LEVEL
}  // namespace kcc
