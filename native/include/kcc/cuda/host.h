// CUDA's words for a CPU: a grid is executed block after block, and the threads of a block as fibers that take turns where
// they wait for each other. Slow, exact and strict: what a GPU would leave to chance is a failure here, with its place:
//
//   - a barrier that some threads of a block never reach, or lanes that exchange values without all that were named;
//   - shared memory that is read before the block has written it, or that two threads touch, one of them writing, with no
//     barrier between.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "fibers.h"

#define __global__ static
#define __device__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)

namespace kcc {
inline namespace KCC_LEVEL {

struct Place { unsigned x = 0; };

// What the thread that runs now knows of itself, and its block.
inline thread_local Place host_thread, host_block, host_grid;
inline thread_local Block* host_threads = nullptr;

#define threadIdx kcc::host_thread
#define blockIdx kcc::host_block
#define gridDim kcc::host_grid

// ---- failures: the first is kept until the host asks

inline thread_local char host_failure[256] = {0};

template <class... Values>
inline void host_fail(const char* format, Values... values) {
  if (host_failure[0]) return;
  const int length = snprintf(host_failure, sizeof host_failure, "block %u, thread %u: ", host_block.x, host_thread.x);
  snprintf(host_failure + length, sizeof host_failure - (size_t)length, format, values...);
}

// ---- shared memory that knows who touched it when

struct Touch {
  int32_t thread = -1;
  uint64_t block_time = 0, warp_time = 0;
};

template <class T>
struct SharedCell {
  T value;
  uint64_t block = 0;  // that wrote it
  Touch written, read;
};

// One element, as the thread that runs now reads or writes it. Knows its block, which costs a call to find.
template <class T>
class SharedElement {
 public:
  SharedElement(SharedCell<T>& cell, const Block& block) : cell_(cell), block_(block) {}

  operator T() const {
    if (cell_.block != block_.serial()) host_fail("shared memory is read that the block has not written");
    if (!is_ordered(cell_.written)) host_fail("shared memory is read that thread %d writes, with no barrier between", cell_.written.thread);
    // Of several readers any one stands for those of other warps; the thread's own warp may be ordered by less.
    if (is_ordered(cell_.read)) cell_.read = now();
    return cell_.value;
  }
  void operator=(T value) {
    if (cell_.block == block_.serial()) {
      if (!is_ordered(cell_.written)) host_fail("shared memory is written that thread %d writes too, with no barrier between", cell_.written.thread);
      if (!is_ordered(cell_.read)) host_fail("shared memory is written that thread %d reads, with no barrier between", cell_.read.thread);
    }
    cell_ = {value, block_.serial(), now(), {}};
  }

 private:
  // May the thread that runs now come after this touch? Its own come in order; others' after a barrier, which for lanes of one
  // warp may be the warp's.
  bool is_ordered(const Touch& touch) const {
    const int32_t me = block_.current();
    if (touch.thread < 0 || touch.thread == me || touch.block_time < block_.time()) return true;
    return touch.thread / 32 == me / 32 && touch.warp_time < block_.warp_time((unsigned)me / 32);
  }
  Touch now() const { return {block_.current(), block_.time(), block_.warp_time((unsigned)block_.current() / 32)}; }

  SharedCell<T>& cell_;
  const Block& block_;
};

template <class T, int Count>
struct SharedCells {
  SharedCell<T> cells[Count];
};

// The array as one thread sees it.
template <class T, int Count>
class SharedArray {
 public:
  explicit SharedArray(SharedCells<T, Count>& all) : cells_(all.cells), block_(*host_threads) {}
  SharedElement<T> operator[](int64_t at) const {
    if (at >= 0 && at < Count) return {cells_[at], block_};
    host_fail("element %lld of %d in shared memory", (long long)at, Count);
    return {cells_[0], block_};
  }

 private:
  SharedCell<T>* cells_;
  const Block& block_;
};

// ---- running a grid

template <class Args>
struct Call {
  void (*kernel)(const Args);
  const Args* args;
};

// Calls body(with) for every thread of every block; nothing more after a failure.
template <class With>
inline void run_grid(unsigned blocks, unsigned threads, void (*body)(const void* with), const With& with) {
  Block block(threads);
  host_threads = &block;
  host_grid.x = blocks;
  for (unsigned i = 0; i < blocks && !host_failure[0]; i++) {
    host_block.x = i;
    if (const char* failure = block.run(body, &with, &host_thread.x)) host_fail("%s", failure);
  }
  host_threads = nullptr;
}

// A stream of the host's (native/cuda/host-api.cc): takes a kernel with a copy of its arguments, and runs it when its turn comes.
struct HostStream {
  using Run = void (*)(void (*kernel)(), unsigned blocks, unsigned threads, const void* args);
  void (*launch)(HostStream* stream, Run run, void (*kernel)(), unsigned blocks, unsigned threads, const void* args, size_t bytes);
};

template <class Args>
inline void run_kernel(void (*kernel)(), unsigned blocks, unsigned threads, const void* args) {
  run_grid(blocks, threads, [](const void* with) { (*((const Call<Args>*)with)->kernel)(*((const Call<Args>*)with)->args); },
           Call<Args>{(void (*)(const Args))kernel, (const Args*)args});
}

// Without a stream at once.
template <class Args>
inline void start_on_host(void (*kernel)(const Args), unsigned blocks, unsigned threads, void* stream, const Args& args) {
  if (!stream) return run_kernel<Args>((void (*)())kernel, blocks, threads, &args);
  HostStream* const on = (HostStream*)stream;
  on->launch(on, &run_kernel<Args>, (void (*)())kernel, blocks, threads, &args, sizeof args);
}

}  // namespace KCC_LEVEL
}  // namespace kcc

// ---- barriers and exchanges

inline void __syncthreads() { kcc::host_threads->wait_for_block(); }
inline void __syncwarp(unsigned lanes) { kcc::host_threads->wait_for_lanes(lanes); }

template <class T>
inline T kcc_exchange(unsigned lanes, T value, unsigned from) {
  static_assert(sizeof(T) == 4, "words are exchanged");
  uint32_t word;
  __builtin_memcpy(&word, &value, 4);
  word = kcc::host_threads->exchange(lanes, word, from);
  __builtin_memcpy(&value, &word, 4);
  return value;
}
inline unsigned kcc_lane() { return kcc::host_thread.x % 32; }

template <class T>
inline T __shfl_sync(unsigned lanes, T value, int from) { return kcc_exchange(lanes, value, (unsigned)from % 32); }
template <class T>
inline T __shfl_xor_sync(unsigned lanes, T value, int mask) { return kcc_exchange(lanes, value, kcc_lane() ^ (unsigned)mask); }
// Past the last lane a lane gets its own value.
template <class T>
inline T __shfl_down_sync(unsigned lanes, T value, unsigned by) { return kcc_exchange(lanes, value, kcc_lane() + by < 32 ? kcc_lane() + by : kcc_lane()); }

// The lanes that hold the same value.
inline unsigned __match_any_sync(unsigned lanes, int32_t value) {
  unsigned same = 0;
  for (unsigned lane = 0; lane < 32; lane++) same |= (unsigned)(kcc_exchange(lanes, value, lane) == value && (lanes >> lane & 1u)) << lane;
  return same;
}
inline int __ffs(unsigned x) { return __builtin_ffs((int)x); }
inline int __clz(unsigned x) { return x ? __builtin_clz(x) : 32; }
