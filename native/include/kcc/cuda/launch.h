// Starting a kernel: the one place where host code meets the GPU's own syntax.
#pragma once
#include "../sizes.h"
#include "platform.h"

namespace kcc {
inline namespace KCC_LEVEL {

// Items of one kernel are counted in 32 bits, which a GPU divides in a quarter of the time of 64.
static constexpr int64_t kMostItems = (int64_t)1 << 31;
// As many as a kernel had that was not started for having more; the driver asks after each function.
inline thread_local int64_t refused_items = 0;

// Nothing is started: the driver asks a function what it would do.
inline thread_local bool starts_nothing = false;

// Blocks of a kernel over `items`; none where there are too many.
inline int64_t blocks_for(int64_t items, int64_t per_block) {
  if (items > kMostItems) return refused_items = items, 0;
  return blocks_of(items, per_block);
}

// Runs kernel(args) in blocks of `threads`, after whatever `stream` was given before. Nothing to do starts nothing.
template <class Args>
inline void launch(void (*kernel)(const Args), int64_t blocks, int threads, void* stream, const Args& args) {
  if (blocks <= 0 || starts_nothing) return;
#ifdef __CUDACC__
  kernel<<<(unsigned)blocks, (unsigned)threads, 0, (cudaStream_t)stream>>>(args);
#else
  start_on_host(kernel, (unsigned)blocks, (unsigned)threads, stream, args);
#endif
}

}  // namespace KCC_LEVEL
}  // namespace kcc
