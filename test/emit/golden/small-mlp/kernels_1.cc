#include "kcc/launch.h"
#include "kcc/math.h"
#include "kcc/philox.h"
#include "kcc/gemm.h"
#include "kcc/vec.h"

namespace kcc_kernels {
inline namespace KCC_LEVEL {

struct dense_2_matmul_74bcecde_args {
  kcc_pool* pool;
  char* workspace;
  int64_t B;
  const float* in0;
  const float* in1;
  const float* in2;
  float* out0;
};
void dense_2_matmul_74bcecde(const dense_2_matmul_74bcecde_args& args);

struct metrics_accuracy_sum_ead8cf63_args {
  kcc_pool* pool;
  char* workspace;
  int64_t B;
  const float* in0;
  float* out0;
};
void metrics_accuracy_sum_ead8cf63(const metrics_accuracy_sum_ead8cf63_args& args);

struct grad_loss_dense_2_mul_8895100b_args {
  kcc_pool* pool;
  char* workspace;
  int64_t B;
  const float* in0;
  const float* in1;
  float* out0;
};
void grad_loss_dense_2_mul_8895100b(const grad_loss_dense_2_mul_8895100b_args& args);

struct grad_dense_1_matmul_eb07df2c_args {
  kcc_pool* pool;
  char* workspace;
  int64_t B;
  float scalar_lr;
  float scalar_rho;
  const float* in0;
  const float* in1;
  float* in2;
  const float* in3;
  float* in4;
  float* in5;
  float* in6;
};
void grad_dense_1_matmul_eb07df2c(const grad_dense_1_matmul_eb07df2c_args& args);

static void dense_2_matmul_74bcecde_finish(const kcc::Contraction& self, const float* sums, int64_t stride, int64_t first_row, int64_t first_column, int64_t rows, int64_t columns) {
  [[maybe_unused]] const dense_2_matmul_74bcecde_args& args = *static_cast<const dense_2_matmul_74bcecde_args*>(self.args);
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

void dense_2_matmul_74bcecde(const dense_2_matmul_74bcecde_args& args) {
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
  c.finish = dense_2_matmul_74bcecde_finish;
  c.args = &args;
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

static void grad_loss_dense_2_mul_8895100b_range0(const grad_loss_dense_2_mul_8895100b_args& args, int64_t begin, int64_t end) {
  [[maybe_unused]] int64_t const B = args.B;
  [[maybe_unused]] const float* const in0 = args.in0;
  [[maybe_unused]] const float* const in1 = args.in1;
  [[maybe_unused]] float* const out0 = args.out0;
  {
    int64_t d0 = begin;
    for (; d0 + KCC_VW <= end; d0 += KCC_VW) {
      const kcc::vf v0 = (in0[0] * kcc::load(in1 + d0));
      kcc::store(out0 + d0, v0);
    }
    if (d0 < end) {
      const int64_t lanes = end - d0;
      const kcc::vf v0 = (in0[0] * kcc::load(in1 + d0, lanes));
      kcc::store(out0 + d0, v0, lanes);
    }
  }
}

void grad_loss_dense_2_mul_8895100b(const grad_loss_dense_2_mul_8895100b_args& args) {
  [[maybe_unused]] int64_t const B = args.B;
  [[maybe_unused]] const float* const in0 = args.in0;
  [[maybe_unused]] const float* const in1 = args.in1;
  [[maybe_unused]] float* const out0 = args.out0;
  kcc::run_ranges(args.pool, B, kcc::range_items(4, 32768, 16), args, &grad_loss_dense_2_mul_8895100b_range0);
}

static void grad_dense_1_matmul_eb07df2c_finish(const kcc::Contraction& self, const float* sums, int64_t stride, int64_t first_row, int64_t first_column, int64_t rows, int64_t columns) {
  [[maybe_unused]] const grad_dense_1_matmul_eb07df2c_args& args = *static_cast<const grad_dense_1_matmul_eb07df2c_args*>(self.args);
  [[maybe_unused]] int64_t const B = args.B;
  [[maybe_unused]] float const scalar_lr = args.scalar_lr;
  [[maybe_unused]] float const scalar_rho = args.scalar_rho;
  [[maybe_unused]] const float* const in0 = args.in0;
  [[maybe_unused]] const float* const in1 = args.in1;
  [[maybe_unused]] float* const in2 = args.in2;
  [[maybe_unused]] const float* const in3 = args.in3;
  [[maybe_unused]] float* const in4 = args.in4;
  [[maybe_unused]] float* const in5 = args.in5;
  [[maybe_unused]] float* const in6 = args.in6;
  for (int64_t row = first_row; row < first_row + rows; ++row, sums += stride) {
    [[maybe_unused]] const int64_t d0 = row;
    int64_t column = first_column;
    {
      const int64_t end = first_column + columns;
      for (; column + KCC_VW <= end; column += KCC_VW) {
        [[maybe_unused]] const int64_t d1 = column;
        const kcc::vf accumulator = kcc::load(sums + (column - first_column));
        const kcc::vf v0 = (scalar_rho * kcc::load(in2 + d0 * 32 + d1));
        const kcc::vf v1 = (accumulator * accumulator);
        const kcc::vf v2 = (in3[0] * v1);
        const kcc::vf v3 = (v0 + v2);
        const kcc::vf v4 = (scalar_lr * accumulator);
        const kcc::vf v5 = kcc::sqrt(v3);
        const kcc::vf v6 = (v5 + 1.0000000116860974e-7f);
        const kcc::vf v7 = kcc::div_nr(v4, v6);
        const kcc::vf v8 = (kcc::load(in4 + d0 * 32 + d1) - v7);
        kcc::store(in2 + d0 * 32 + d1, v3);
        kcc::store(in4 + d0 * 32 + d1, v8);
      }
    }
  }
}

static void grad_dense_1_matmul_eb07df2c_totals(const kcc::Contraction& self, const float* sums, int64_t stride, int64_t first_row, int64_t first_column, int64_t rows, int64_t columns) {
  [[maybe_unused]] const grad_dense_1_matmul_eb07df2c_args& args = *static_cast<const grad_dense_1_matmul_eb07df2c_args*>(self.args);
  [[maybe_unused]] int64_t const B = args.B;
  [[maybe_unused]] float const scalar_lr = args.scalar_lr;
  [[maybe_unused]] float const scalar_rho = args.scalar_rho;
  [[maybe_unused]] const float* const in0 = args.in0;
  [[maybe_unused]] const float* const in1 = args.in1;
  [[maybe_unused]] float* const in2 = args.in2;
  [[maybe_unused]] const float* const in3 = args.in3;
  [[maybe_unused]] float* const in4 = args.in4;
  [[maybe_unused]] float* const in5 = args.in5;
  [[maybe_unused]] float* const in6 = args.in6;
  for (int64_t row = first_row; row < first_row + rows; ++row, sums += stride) {
    [[maybe_unused]] const int64_t one_row = row;
    int64_t column = first_column;
    {
      const int64_t end = first_column + columns;
      for (; column + KCC_VW <= end; column += KCC_VW) {
        [[maybe_unused]] const int64_t d1 = column;
        const kcc::vf total = kcc::load(sums + (column - first_column));
        const kcc::vf t0 = (scalar_rho * kcc::load(in5 + d1));
        const kcc::vf t1 = (total * total);
        const kcc::vf t2 = (in3[0] * t1);
        const kcc::vf t3 = (t0 + t2);
        const kcc::vf t4 = (scalar_lr * total);
        const kcc::vf t5 = kcc::sqrt(t3);
        const kcc::vf t6 = (t5 + 1.0000000116860974e-7f);
        const kcc::vf t7 = kcc::div_nr(t4, t6);
        const kcc::vf t8 = (kcc::load(in6 + d1) - t7);
        kcc::store(in5 + d1, t3);
        kcc::store(in6 + d1, t8);
      }
    }
  }
}

void grad_dense_1_matmul_eb07df2c(const grad_dense_1_matmul_eb07df2c_args& args) {
  [[maybe_unused]] int64_t const B = args.B;
  [[maybe_unused]] float const scalar_lr = args.scalar_lr;
  [[maybe_unused]] float const scalar_rho = args.scalar_rho;
  [[maybe_unused]] const float* const in0 = args.in0;
  [[maybe_unused]] const float* const in1 = args.in1;
  [[maybe_unused]] float* const in2 = args.in2;
  [[maybe_unused]] const float* const in3 = args.in3;
  [[maybe_unused]] float* const in4 = args.in4;
  [[maybe_unused]] float* const in5 = args.in5;
  [[maybe_unused]] float* const in6 = args.in6;
  kcc::Contraction c{};
  c.m = 100;
  c.n = 32;
  c.k = B;
  c.lhs = {(in0 + 0), 1, 100, 0};
  c.rhs = {(in1 + 0), 32, 1, 0};
  c.compute_lhs = nullptr;
  c.compute_rhs = nullptr;
  c.lhs_along_row = false;
  c.rhs_along_row = false;
  c.long_sum = false;
  c.split_room = 0;
  c.finish = grad_dense_1_matmul_eb07df2c_finish;
  c.finish_totals = grad_dense_1_matmul_eb07df2c_totals;
  c.args = &args;
  c.touched[0] = {in2, 32, 0};
  c.touched[1] = {in4, 32, 0};
  c.pool = args.pool;
  c.workspace = args.workspace;
  kcc::contract(c);
}

}  // namespace KCC_LEVEL
}  // namespace kcc_kernels
