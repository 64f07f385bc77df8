// A product as a library of the GPU's vendor could compute it, beside the launches of our own that do. The driver knows which of
// them is to (native/cuda/libraries.h); with no libraries those of our own are started, by a call and nothing more.
#pragma once
#include "launch.h"

namespace kcc {
inline namespace KCC_LEVEL {

// Of operands and results. A tfloat32 lies in memory as a float without its last 13 bits.
enum class Format : int32_t { kFloat32, kTFloat32, kBFloat16 };

// A matrix has elements from one line to the next and from one term of the sums to the next; one of the two is 1. Whatever it is, it
// lies in `elements` from `at` on. One that is to be rounded is float32 there. One that is copied by a kernel of our own, rounded or
// not, lies without gaps then.
struct Factor {
  const void* at;
  int64_t line, term, elements;
  bool is_rounded, is_copied;
};

// Windows along one axis of an array: `count` of `size` places that are `dilation` apart, each `stride` after the one before. The first
// begins `before` the first of `length`; what lies outside of these is 0. No window begins behind the last, though as much is added there.
struct Sliding {
  int64_t length, count;
  int32_t size, stride, dilation, before;
};

// Samples of lines of pixels of channels, by the elements from one to the next; channels lie side by side.
struct Windows {
  int64_t samples, channels, sample, line, pixel;
  Sliding down, across;
};

// What the left operand is. With windows as rows, rows are samples, windows down and across, and terms are places down and across and
// channels, and the right operand is a filter that is copied first: columns of terms. With windows as terms it is the other way
// around, and the product of the library comes as a filter too: columns of rows.
enum class Over : int32_t { kMatrices, kWindowsAsRows, kWindowsAsTerms };

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
  Over over;
  Windows windows;     // of the left operand, if it has them
};

// What starts the kernels of our own: the whole product, its end over sums that lie at `product`, or what copies an operand.
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
