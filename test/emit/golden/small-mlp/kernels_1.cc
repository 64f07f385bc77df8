#include "kcc/launch.h"
#include "kcc/math.h"
#include "kcc/philox.h"
#include "kcc/gemm.h"
#include "kcc/vec.h"

namespace kcc_kernels {
inline namespace KCC_LEVEL {

struct dense_2_matmul_6e1d12da_args {
  kcc_pool* pool;
  char* workspace;
  int64_t B;
  const float* in0;
  const float* in1;
  const float* in2;
  float* out0;
};
void dense_2_matmul_6e1d12da(const dense_2_matmul_6e1d12da_args& args);

struct metrics_accuracy_sum_ead8cf63_args {
  kcc_pool* pool;
  char* workspace;
  int64_t B;
  const float* in0;
  float* out0;
};
void metrics_accuracy_sum_ead8cf63(const metrics_accuracy_sum_ead8cf63_args& args);

struct dense_1_matmul_8a4d2fce_args {
  kcc_pool* pool;
  char* workspace;
  int64_t B;
  const float* in0;
  const float* in1;
  const float* in2;
  float* out0;
  uint8_t* out1;
};
void dense_1_matmul_8a4d2fce(const dense_1_matmul_8a4d2fce_args& args);

struct grad_dense_2_matmul_964a5761_args {
  kcc_pool* pool;
  char* workspace;
  int64_t B;
  const float* in0;
  const float* in1;
  const uint8_t* in2;
  float* out0;
};
void grad_dense_2_matmul_964a5761(const grad_dense_2_matmul_964a5761_args& args);

static void dense_2_matmul_6e1d12da_finish(const kcc::Contraction& self, const float* sums, int64_t stride, int64_t first_row, int64_t first_column, int64_t rows, int64_t columns) {
  [[maybe_unused]] const dense_2_matmul_6e1d12da_args& args = *static_cast<const dense_2_matmul_6e1d12da_args*>(self.args);
  [[maybe_unused]] int64_t const B = args.B;
  [[maybe_unused]] const float* const in0 = args.in0;
  [[maybe_unused]] const float* const in1 = args.in1;
  [[maybe_unused]] const float* const in2 = args.in2;
  [[maybe_unused]] float* const out0 = args.out0;
  for (int64_t row = first_row; row < first_row + rows; ++row, sums += stride) {
    [[maybe_unused]] const int64_t d1 = row;
    int64_t column = first_column;
    {
      const int64_t end = first_column + columns;
      for (; column + KCC_VW <= end; column += KCC_VW) {
        [[maybe_unused]] const int64_t d0 = column;
        const kcc::vf accumulator = kcc::load(sums + (column - first_column));
        const kcc::vf v0 = (accumulator + in2[0]);
        const kcc::vf v1 = kcc::sigmoid(v0);
        kcc::store(out0 + d0 + d1, v1);
      }
      if (column < end) {
        [[maybe_unused]] const int64_t d0 = column;
        const int lanes = (int)(end - column);
        const kcc::vf accumulator = kcc::load(sums + (column - first_column), lanes);
        const kcc::vf v0 = (accumulator + in2[0]);
        const kcc::vf v1 = kcc::sigmoid(v0);
        kcc::store(out0 + d0 + d1, v1, lanes);
      }
    }
  }
}

void dense_2_matmul_6e1d12da(const dense_2_matmul_6e1d12da_args& args) {
  [[maybe_unused]] int64_t const B = args.B;
  [[maybe_unused]] const float* const in0 = args.in0;
  [[maybe_unused]] const float* const in1 = args.in1;
  [[maybe_unused]] const float* const in2 = args.in2;
  [[maybe_unused]] float* const out0 = args.out0;
  kcc::Contraction c{};
  c.m = 1;
  c.n = B;
  c.k = 32;
  c.lhs = {(in1 + 0), 1, 1, 0};
  c.rhs = {(in0 + 0), 1, 32, 0};
  c.compute_lhs = nullptr;
  c.compute_rhs = nullptr;
  c.lhs_along_row = false;
  c.rhs_along_row = false;
  c.long_sum = false;
  c.split_room = 0;
  c.finish = dense_2_matmul_6e1d12da_finish;
  c.args = &args;
  c.touched[0] = {out0, 1, 0};
  c.pool = args.pool;
  c.workspace = args.workspace;
  kcc::contract(c);
}

void metrics_accuracy_sum_ead8cf63(const metrics_accuracy_sum_ead8cf63_args& args) {
  [[maybe_unused]] int64_t const B = args.B;
  [[maybe_unused]] const float* const in0 = args.in0;
  [[maybe_unused]] float* const out0 = args.out0;
  kcc::vf v0_lanes = kcc::bcast(0.f);
  {
    int64_t d0 = 0;
    for (; d0 + KCC_VW <= B; d0 += KCC_VW) {
      v0_lanes = v0_lanes + kcc::load(in0 + d0);
    }
    if (d0 < B) {
      const int64_t lanes = B - d0;
      v0_lanes = kcc::select(kcc::first_lanes(lanes), v0_lanes + kcc::load(in0 + d0, lanes), v0_lanes);
    }
  }
  const float v0 = kcc::hsum(v0_lanes);
  const float v1 = kcc::div(v0, (float)(B));
  out0[0] = v1;
}

static void dense_1_matmul_8a4d2fce_finish(const kcc::Contraction& self, const float* sums, int64_t stride, int64_t first_row, int64_t first_column, int64_t rows, int64_t columns) {
  [[maybe_unused]] const dense_1_matmul_8a4d2fce_args& args = *static_cast<const dense_1_matmul_8a4d2fce_args*>(self.args);
  [[maybe_unused]] int64_t const B = args.B;
  [[maybe_unused]] const float* const in0 = args.in0;
  [[maybe_unused]] const float* const in1 = args.in1;
  [[maybe_unused]] const float* const in2 = args.in2;
  [[maybe_unused]] float* const out0 = args.out0;
  [[maybe_unused]] uint8_t* const out1 = args.out1;
  for (int64_t row = first_row; row < first_row + rows; ++row, sums += stride) {
    [[maybe_unused]] const int64_t d0 = row;
    int64_t column = first_column;
    {
      const int64_t end = first_column + columns;
      for (; column + KCC_VW <= end; column += KCC_VW) {
        [[maybe_unused]] const int64_t d1 = column;
        const kcc::vf accumulator = kcc::load(sums + (column - first_column));
        const kcc::vf v0 = (accumulator + kcc::load(in2 + d1));
        const kcc::vf v1 = kcc::max(kcc::bcast(0.f), v0);
        const kcc::vi v2 = (v1 > 0.f);
        kcc::store(out0 + d0 * 32 + d1, v1);
        kcc::store_bool(out1 + d0 * 32 + d1, v2);
      }
    }
  }
}

void dense_1_matmul_8a4d2fce(const dense_1_matmul_8a4d2fce_args& args) {
  [[maybe_unused]] int64_t const B = args.B;
  [[maybe_unused]] const float* const in0 = args.in0;
  [[maybe_unused]] const float* const in1 = args.in1;
  [[maybe_unused]] const float* const in2 = args.in2;
  [[maybe_unused]] float* const out0 = args.out0;
  [[maybe_unused]] uint8_t* const out1 = args.out1;
  kcc::Contraction c{};
  c.m = B;
  c.n = 32;
  c.k = 100;
  c.lhs = {(in0 + 0), 100, 1, 0};
  c.rhs = {(in1 + 0), 32, 1, 0};
  c.compute_lhs = nullptr;
  c.compute_rhs = nullptr;
  c.lhs_along_row = false;
  c.rhs_along_row = false;
  c.long_sum = false;
  c.split_room = 0;
  c.finish = dense_1_matmul_8a4d2fce_finish;
  c.args = &args;
  c.touched[0] = {out0, 32, 0};
  c.pool = args.pool;
  c.workspace = args.workspace;
  kcc::contract(c);
}

static void grad_dense_2_matmul_964a5761_finish(const kcc::Contraction& self, const float* sums, int64_t stride, int64_t first_row, int64_t first_column, int64_t rows, int64_t columns) {
  [[maybe_unused]] const grad_dense_2_matmul_964a5761_args& args = *static_cast<const grad_dense_2_matmul_964a5761_args*>(self.args);
  [[maybe_unused]] int64_t const B = args.B;
  [[maybe_unused]] const float* const in0 = args.in0;
  [[maybe_unused]] const float* const in1 = args.in1;
  [[maybe_unused]] const uint8_t* const in2 = args.in2;
  [[maybe_unused]] float* const out0 = args.out0;
  for (int64_t row = first_row; row < first_row + rows; ++row, sums += stride) {
    [[maybe_unused]] const int64_t d0 = row;
    int64_t column = first_column;
    {
      const int64_t end = first_column + columns;
      for (; column + KCC_VW <= end; column += KCC_VW) {
        [[maybe_unused]] const int64_t d1 = column;
        const kcc::vf accumulator = kcc::load(sums + (column - first_column));
        const kcc::vf v0 = kcc::select(kcc::load_bool(in2 + d0 * 32 + d1), accumulator, kcc::bcast(0.f));
        kcc::store(out0 + d0 * 32 + d1, v0);
      }
    }
  }
}

void grad_dense_2_matmul_964a5761(const grad_dense_2_matmul_964a5761_args& args) {
  [[maybe_unused]] int64_t const B = args.B;
  [[maybe_unused]] const float* const in0 = args.in0;
  [[maybe_unused]] const float* const in1 = args.in1;
  [[maybe_unused]] const uint8_t* const in2 = args.in2;
  [[maybe_unused]] float* const out0 = args.out0;
  kcc::Contraction c{};
  c.m = B;
  c.n = 32;
  c.k = 1;
  c.lhs = {(in0 + 0), 1, 1, 0};
  c.rhs = {(in1 + 0), 1, 1, 0};
  c.compute_lhs = nullptr;
  c.compute_rhs = nullptr;
  c.lhs_along_row = false;
  c.rhs_along_row = false;
  c.long_sum = false;
  c.split_room = 0;
  c.finish = grad_dense_2_matmul_964a5761_finish;
  c.args = &args;
  c.touched[0] = {out0, 32, 0};
  c.pool = args.pool;
  c.workspace = args.workspace;
  kcc::contract(c);
}

}  // namespace KCC_LEVEL
}  // namespace kcc_kernels
