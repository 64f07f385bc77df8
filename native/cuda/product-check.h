// Whether a product that somebody else has computed is the one that was meant: operands are filled with numbers of all their digits,
// and some results are compared with the sum by its definition. A library that leaves digits out, reads a matrix the other way
// or gives 0 for the larger of NaN and 0 is found out by it.
#pragma once
#include "runtime.h"
#include "kcc/cuda/product.h"

namespace kcc {

// Fills operands and bias. Where 0 is to be the least, NaN makes the first row NaN, or of a single row its first column.
void fill_operands(const MatrixProduct& product, gpu::Stream stream);

constexpr int kChecked = 256;

// Results at kChecked places of `result`, of which `wrong`, that many words of the device, tells each.
void check_product(const MatrixProduct& product, bool is_ended, const void* result, int32_t* wrong, gpu::Stream stream);

}  // namespace kcc
