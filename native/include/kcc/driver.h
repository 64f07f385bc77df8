// What the functions of a module need besides their kernels: sizes in the arena, and the mode of the floating-point unit.
// Kept free of the vector headers, which cost half a second to compile.
#pragma once
#include <xmmintrin.h>
#include "abi.h"
#include "sizes.h"

namespace kcc {
inline namespace KCC_LEVEL {

// While one exists, this thread takes and gives denormals as zero: arithmetic on them is up to a hundred times slower,
// and decaying averages of optimizers are full of them. The host's own mode comes back at the end. Pool workers are
// always in this mode.
class FlushDenormals {
 public:
  FlushDenormals() : saved_(_mm_getcsr()) { _mm_setcsr(saved_ | 0x8040); }
  ~FlushDenormals() { _mm_setcsr(saved_); }
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
  unsigned saved_;
};

}  // namespace KCC_LEVEL
}  // namespace kcc
