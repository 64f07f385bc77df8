// Starting a kernel: the one place where host code meets the GPU's own syntax.
#pragma once
#include "../sizes.h"
#include "platform.h"

namespace kcc {
inline namespace KCC_LEVEL {

// Blocks that are at work at once on no GPU: more would only wait, so that kernels take several items in turn instead.
static constexpr int64_t kMostBlocks = 1 << 16;

// Blocks for items of which each block takes `per_block` at a time.
inline int64_t blocks_for(int64_t items, int64_t per_block) {
  const int64_t blocks = (items + per_block - 1) / per_block;
  return blocks < kMostBlocks ? blocks : kMostBlocks;
}

// Runs kernel(args) in blocks of `threads`, after whatever `stream` was given before. Nothing to do starts nothing.
template <class Args>
inline void launch(void (*kernel)(const Args), int64_t blocks, int threads, void* stream, const Args& args) {
  if (blocks <= 0) return;
#ifdef __CUDACC__
  kernel<<<(unsigned)blocks, (unsigned)threads, 0, (cudaStream_t)stream>>>(args);
#else
  (void)stream;
  run_grid((unsigned)blocks, (unsigned)threads, [](const void* with) { (*((const Call<Args>*)with)->kernel)(*((const Call<Args>*)with)->args); },
           Call<Args>{kernel, &args});
#endif
}

}  // namespace KCC_LEVEL
}  // namespace kcc
