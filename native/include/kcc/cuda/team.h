// The threads that work on one item together: one thread, a warp, or a block. What they combine is folded as one fixed tree,
// and every thread gets the result, so that results are the same bits in every run.
#pragma once
#include "platform.h"
#include "../scalar.h"

namespace kcc {
inline namespace KCC_LEVEL {

struct Sum {
  static KCC_MEMBER float of(float a, float b) { return a + b; }
  static KCC_MEMBER int32_t of(int32_t a, int32_t b) { return wrap_add(a, b); }
};
struct Product {
  static KCC_MEMBER float of(float a, float b) { return a * b; }
  static KCC_MEMBER int32_t of(int32_t a, int32_t b) { return wrap_mul(a, b); }
};
struct Max { template <class T> static KCC_MEMBER T of(T a, T b) { return max(a, b); } };
struct Min { template <class T> static KCC_MEMBER T of(T a, T b) { return min(a, b); } };

// Lane i with lane i + half, halving until one is left; all lanes get what lane 0 has then.
template <class Op, class T>
KCC_INLINE T fold_warp(T x) {
  for (int half = kWarp / 2; half > 0; half /= 2) x = Op::of(x, __shfl_down_sync(kAllLanes, x, half));
  return __shfl_sync(kAllLanes, x, 0);
}

// Warps first, then what they have found, in their order.
template <class Op, class T>
KCC_INLINE T fold_block(T x) {
  KCC_SHARED(T, of_warps, kBlock / kWarp);
  x = fold_warp<Op>(x);
  if (threadIdx.x % kWarp == 0) of_warps[threadIdx.x / kWarp] = x;
  __syncthreads();
  T all = of_warps[0];
  for (int warp = 1; warp < kBlock / kWarp; warp++) all = Op::of(all, (T)of_warps[warp]);
  __syncthreads();  // before the next fold writes there
  return all;
}

// `Size` threads: 1, kWarp or kBlock.
template <int Size>
struct Team {
  // Which item of the grid is this team's first, and how far on is its next?
  KCC_MEMBER uint32_t first() const { return blockIdx.x * (kBlock / Size) + threadIdx.x / Size; }
  KCC_MEMBER uint32_t stride() const { return gridDim.x * (kBlock / Size); }

  KCC_MEMBER uint32_t rank() const { return threadIdx.x % Size; }
  KCC_MEMBER bool leads() const { return rank() == 0; }
  static KCC_MEMBER uint32_t size() { return Size; }

  // Nobody goes on before all are here, and sees what the others have stored.
  KCC_MEMBER void wait() const {
    if (Size == kBlock) __syncthreads();
    else if (Size == kWarp) __syncwarp(kAllLanes);
  }

  template <class T> KCC_MEMBER T sum(T x) const { return fold<Sum>(x); }
  template <class T> KCC_MEMBER T prod(T x) const { return fold<Product>(x); }
  template <class T> KCC_MEMBER T max(T x) const { return fold<Max>(x); }
  template <class T> KCC_MEMBER T min(T x) const { return fold<Min>(x); }

 private:
  template <class Op, class T>
  KCC_MEMBER T fold(T x) const {
    if (Size == kBlock) return fold_block<Op>(x);
    return Size == kWarp ? fold_warp<Op>(x) : x;
  }
};

}  // namespace KCC_LEVEL
}  // namespace kcc
