// CUDA's words for a CPU: a grid is executed block after block, and the threads of a block as fibers that take turns where
// they wait for each other. Slow, exact and strict: what a GPU would leave to chance is a failure here, with its place:
//
//   - a barrier that some threads of a block never reach, or lanes that exchange values without all that were named;
//   - shared memory that is read before the block has written it, or that two threads touch, one of them writing, with no
//     barrier between.
#pragma once
#include <stdint.h>
#include <stdio.h>
#include "fibers.h"

#define __global__ static
#define __device__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(threads)

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

// May the thread that runs now come after this touch? Its own come in order; others' after a barrier, which for lanes of one
// warp may be the warp's.
inline bool is_ordered(const Touch& touch) {
  if (touch.thread < 0 || touch.thread == (int32_t)host_thread.x) return true;
  if (touch.block_time < host_threads->time()) return true;
  return touch.thread / 32 == (int32_t)host_thread.x / 32 && touch.warp_time < host_threads->warp_time(host_thread.x / 32);
}
inline Touch touch_now() { return {(int32_t)host_thread.x, host_threads->time(), host_threads->warp_time(host_thread.x / 32)}; }

template <class T>
class SharedCell {
 public:
  operator T() const {
    if (block_ != host_threads->serial()) host_fail("shared memory is read that the block has not written");
    if (!is_ordered(written_)) host_fail("shared memory is read that thread %d writes, with no barrier between", written_.thread);
    // Of several readers any one stands for those of other warps; the thread's own warp may be ordered by less.
    if (is_ordered(read_)) read_ = touch_now();
    return value_;
  }
  void operator=(T value) {
    if (block_ == host_threads->serial()) {
      if (!is_ordered(written_)) host_fail("shared memory is written that thread %d writes too, with no barrier between", written_.thread);
      if (!is_ordered(read_)) host_fail("shared memory is written that thread %d reads, with no barrier between", read_.thread);
    }
    block_ = host_threads->serial();
    written_ = touch_now();
    read_ = {};
    value_ = value;
  }

 private:
  T value_;
  uint64_t block_ = 0;
  Touch written_;
  mutable Touch read_;
};

template <class T, int Count>
class SharedArray {
 public:
  SharedCell<T>& operator[](int64_t at) {
    if (at >= 0 && at < Count) return cells_[at];
    host_fail("element %lld of %d in shared memory", (long long)at, Count);
    return cells_[0];
  }

 private:
  SharedCell<T> cells_[Count];
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
