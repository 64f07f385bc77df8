// What kernels are written in: CUDA where nvcc reads this, and otherwise the same words for a CPU, where blocks and threads
// are executed one after another (host.h), so that kernels can be tested on any machine.
#pragma once
#include <stdint.h>

#ifdef __CUDACC__
// An array that the threads of a block share. Declared in the function that uses it.
#define KCC_SHARED(type, name, count) __shared__ __align__(16) type name[count]
// The loop that follows is written out.
#define KCC_UNROLL _Pragma("unroll")
#else
#define KCC_UNROLL
#include "host.h"
#define KCC_SHARED(type, name, count)                          \
  static thread_local kcc::SharedCells<type, count> name##_all; \
  const kcc::SharedArray<type, count> name(name##_all)
#endif

#define KCC_INLINE static __device__ __forceinline__
#define KCC_MEMBER __device__ __forceinline__

namespace kcc {
inline namespace KCC_LEVEL {

// Threads that run in step and exchange values without memory.
static constexpr int kWarp = 32;
static constexpr unsigned kAllLanes = 0xffffffffu;
// Threads of a block, of every kernel that says nothing else.
static constexpr int kBlock = 256;

}  // namespace KCC_LEVEL
}  // namespace kcc
