// What this machine can do at most, measured: what `kcc bench` compares kernels with.
#pragma once
#include "kcc/abi.h"

namespace kcc {

struct Peak {
  double flops1, flopsAll;          // float32 multiply-adds per second, times two; one thread, and all of the pool
  double bandwidth1, bandwidthAll;  // bytes read plus bytes written per second by a copy far larger than the caches
};

// Takes about half a second. Zeros where memory for the copy could not be had.
Peak measure_peak(kcc_pool* pool);

}  // namespace kcc
