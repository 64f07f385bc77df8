#include "product-check.h"

#include <string.h>

namespace kcc {

namespace {

constexpr uint32_t kSignificand = 0x007fffffu, kOne = 0x3f800000u, kNaN = 0x7fc00000u;

KCC_INLINE uint32_t mixed(uint32_t x) {
  x = (x ^ (x >> 16)) * 0x7feb352du;
  x = (x ^ (x >> 15)) * 0x846ca68bu;
  return x ^ (x >> 16);
}

KCC_INLINE float as_float(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

// From -2 to -1 and from 1 to 2, with all digits of the format.
KCC_INLINE uint32_t pattern(int64_t i, uint32_t seed, Format format) {
  const uint32_t word = mixed((uint32_t)i * 2654435761u + seed), digits = format == Format::kFloat32 ? kSignificand : format == Format::kTFloat32 ? 0x007fe000u : 0x007f0000u;
  return (word & 0x80000000u) | kOne | (word & digits);
}

struct FillArgs {
  void* at;
  int64_t count;
  uint32_t seed;
  Format format;
  int64_t nan_at;  // -1: nowhere
};

__global__ void __launch_bounds__(kBlock) fill_pattern(const FillArgs args) {
  for (int64_t i = (int64_t)blockIdx.x * kBlock + threadIdx.x; i < args.count; i += (int64_t)gridDim.x * kBlock) {
    const uint32_t bits = i == args.nan_at ? kNaN : pattern(i, args.seed, args.format);
    if (args.format == Format::kBFloat16) ((uint16_t*)args.at)[i] = (uint16_t)(bits >> 16);
    else ((uint32_t*)args.at)[i] = bits;
  }
}

void fill(void* at, int64_t count, uint32_t seed, Format format, int64_t nan_at, gpu::Stream stream) {
  const int64_t blocks = blocks_of(count, kBlock);
  launch(fill_pattern, blocks < 1024 ? blocks : 1024, kBlock, stream, FillArgs{at, count, seed, format, nan_at});
}

void fill_operand(const Factor& operand, uint32_t seed, Format multiplied, int64_t nan_at, gpu::Stream stream) {
  fill((void*)operand.at, operand.elements, seed, operand.is_rounded ? Format::kFloat32 : multiplied, nan_at, stream);
}

struct CheckArgs {
  MatrixProduct product;
  const void* result;
  bool is_ended;
  int32_t* wrong;
};

KCC_INLINE double value_at(const void* at, int64_t i, Format format) {
  return format == Format::kBFloat16 ? as_float((uint32_t)((const uint16_t*)at)[i] << 16) : as_float(((const uint32_t*)at)[i]);
}

// What a place of a window holds, or 0 outside of the array.
KCC_INLINE double value_in(const MatrixProduct& p, int64_t window, int64_t place) {
  const Windows& w = p.windows;
  const int64_t channel = place % w.channels, x = window % w.across.count * w.across.stride + place / w.channels % w.across.size * w.across.dilation - w.across.before;
  const int64_t sample = window / w.across.count / w.down.count, y = window / w.across.count % w.down.count * w.down.stride + place / w.channels / w.across.size * w.down.dilation - w.down.before;
  const bool is_inside = x >= 0 && x < w.across.length && y >= 0 && y < w.down.length;
  return is_inside ? value_at(p.left.at, sample * w.sample + y * w.line + x * w.pixel + channel, p.operands) : 0;
}

KCC_INLINE double left_value(const MatrixProduct& p, int64_t row, int64_t term) {
  if (p.over == Over::kMatrices) return value_at(p.left.at, row * p.left.line + term * p.left.term, p.operands);
  return p.over == Over::kWindowsAsRows ? value_in(p, row, term) : value_in(p, term, row);
}

// Sums of float32 in any order differ by some 2^-23 of the sum of sizes; tensor cores drop a bit more of each term. Operands with
// fewer digits than they have would differ by 2^-12 of its root.
KCC_INLINE bool is_right(const MatrixProduct& p, const void* result, bool is_ended, int64_t row, int64_t column) {
  double sum = 0, size = 0;
  for (int64_t k = 0; k < p.terms; k++) {
    const double term = left_value(p, row, k) * value_at(p.right.at, column * p.right.line + k * p.right.term, p.operands);
    sum += term, size += term < 0 ? -term : term;
  }
  if (is_ended && p.bias) sum += p.bias[column], size += 2;
  if (is_ended && p.is_above_zero && sum < 0) sum = 0;
  const Format format = is_ended ? p.result : Format::kFloat32;
  const double found = value_at(result, p.over == Over::kWindowsAsTerms ? column * p.rows + row : row * p.stride + column, format), off = found < sum ? sum - found : found - sum;
  if (sum != sum) return found != found;
  return off <= size * (p.operands == Format::kFloat32 ? 0x1p-20 : 0x1p-18) + (format == Format::kBFloat16 ? (sum < 0 ? -sum : sum) * 0x1p-8 : 0);
}

// The first is the first of the product, which is NaN where any is.
__global__ void __launch_bounds__(kWarp) check_places(const CheckArgs args) {
  const uint32_t i = blockIdx.x * kWarp + threadIdx.x;
  const int64_t row = i == 0 ? 0 : mixed(i) % args.product.rows, column = i == 0 ? 0 : mixed(i + kChecked) % args.product.columns;
  args.wrong[i] = is_right(args.product, args.result, args.is_ended, row, column) ? 0 : 1;
}

// The first place of the first window that lies inside of the array.
int64_t first_inside(const Sliding& along) { return (along.before + along.dilation - 1) / along.dilation * along.dilation - along.before; }

// An element of the left operand that is a factor of the whole first row.
int64_t in_first_row(const MatrixProduct& product) {
  const Windows& w = product.windows;
  return product.over == Over::kMatrices ? 0 : first_inside(w.down) * w.line + first_inside(w.across) * w.pixel;
}

}  // namespace

void fill_operands(const MatrixProduct& product, gpu::Stream stream) {
  // Not all of the product is to be NaN: nothing else could be seen then.
  const bool in_left = product.is_above_zero && product.rows > 1, in_right = product.is_above_zero && !in_left && product.columns > 1;
  fill_operand(product.left, 1, product.operands, in_left ? in_first_row(product) : -1, stream);
  fill_operand(product.right, 2, product.operands, in_right ? 0 : -1, stream);
  if (product.bias) fill((void*)product.bias, product.columns, 3, Format::kFloat32, -1, stream);
}

void check_product(const MatrixProduct& product, bool is_ended, const void* result, int32_t* wrong, gpu::Stream stream) {
  launch(check_places, kChecked / kWarp, kWarp, stream, CheckArgs{product, result, is_ended, wrong});
}

}  // namespace kcc
