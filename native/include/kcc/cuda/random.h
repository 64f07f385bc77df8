// Random numbers of kernels: the same numbers as on CPUs, each computed where it is needed.
#pragma once
#include "four.h"
#include "../philox-core.h"

namespace kcc {
inline namespace KCC_LEVEL {

// One stream at one step.
struct RandomStream {
  uint64_t seed, step;
  uint32_t stream;

  KCC_MEMBER RandomStream(uint64_t seed_, uint32_t stream_, uint64_t step_) : seed(seed_), step(step_), stream(stream_) {}
  KCC_MEMBER float scalar(int64_t element) const { return random_uniform(seed, stream, step, element); }
  // Elements first, first + stride, and so on.
  KCC_MEMBER vf vector(int64_t first, int64_t stride) const { return each_lane<vf>([&](int i) { return scalar(first + i * stride); }); }
};

}  // namespace KCC_LEVEL
}  // namespace kcc
