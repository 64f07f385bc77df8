// A product as a library of the GPU's vendor could compute it, beside the launches of our own that do. The driver knows which of
// them is to (native/cuda/libraries.h); with no libraries those of our own are started, by a call and nothing more.
#pragma once
#include "launch.h"

namespace kcc {
inline namespace KCC_LEVEL {

// Of operands and results. A tfloat32 lies in memory as a float without its last 13 bits.
enum class Format : int32_t { kFloat32, kTFloat32, kBFloat16 };

// Elements from one line to the next and from one term of the sums to the next; one of the two is 1. One that is to be rounded is float32,
// and lies without gaps when a kernel of our own has rounded and copied it.
struct Factor {
  const void* at;
  int64_t line, term;
  bool is_rounded;
};

// into[row * stride + column] = sum over terms of left(row, term) * right(column, term)
struct MatrixProduct {
  const char* kernel;
  int64_t rows, columns, terms;
  Factor left, right;
  Format operands;
  Format result;       // of `into`
  void* into;          // null: in memory of the libraries' own
  int64_t stride;
  bool is_ended;       // a bias of each column, and 0 as the least, are all that follows; else the kernel's own end does
  const float* bias;   // null: none
  bool is_above_zero;
};

// What starts the kernels of our own: the whole product, its end over sums that lie at `product`, or what rounds an operand.
struct OwnLaunches {
  void (*whole)(const void* with);
  void (*end)(const void* with, const float* product);
  void (*copy)(const void* with, bool is_left, void* into);
  const void* with;
};

}  // namespace KCC_LEVEL
}  // namespace kcc

extern "C" void kcc_cuda_product(const kcc::MatrixProduct* product, void* stream, const kcc::OwnLaunches* own);

namespace kcc {
inline namespace KCC_LEVEL {

template <class Whole, class End, class Copy>
inline void start_product(const MatrixProduct& product, void* stream, const Whole& whole, const End& end, const Copy& copy) {
  struct With { const Whole& whole; const End& end; const Copy& copy; } with = {whole, end, copy};
  const OwnLaunches own = {[](const void* with) { ((const With*)with)->whole(); },
                           [](const void* with, const float* sums) { ((const With*)with)->end(sums); },
                           [](const void* with, bool is_left, void* into) { ((const With*)with)->copy(is_left, into); }, &with};
  kcc_cuda_product(&product, stream, &own);
}

}  // namespace KCC_LEVEL
}  // namespace kcc
