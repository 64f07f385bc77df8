#include "kcc/launch.h"
#include "kcc/math.h"
#include "kcc/philox.h"
#include "kcc/gemm.h"
#include "kcc/vec.h"

namespace kcc_kernels {
inline namespace KCC_LEVEL {

struct dense_1_matmul_ab0fe6c2_args {
  kcc_pool* pool;
  char* workspace;
  int64_t B;
  const float* in0;
  const float* in1;
  const float* in2;
  float* out0;
};
void dense_1_matmul_ab0fe6c2(const dense_1_matmul_ab0fe6c2_args& args);

struct loss_dense_2_sum_edf91656_args {
  kcc_pool* pool;
  char* workspace;
  int64_t B;
  const float* in0;
  const float* in1;
  float* out0;
};
void loss_dense_2_sum_edf91656(const loss_dense_2_sum_edf91656_args& args);

struct grad_loss_dense_2_mul_46a85ce1_args {
  kcc_pool* pool;
  char* workspace;
  int64_t B;
  const float* in0;
  const float* in1;
  float* out0;
};
void grad_loss_dense_2_mul_46a85ce1(const grad_loss_dense_2_mul_46a85ce1_args& args);

struct grad_dense_2_sum_bad832f9_args {
  kcc_pool* pool;
  char* workspace;
  int64_t B;
  float scalar_lr;
  float scalar_rho;
  float* in0;
  const float* in1;
  const float* in2;
  float* in3;
};
void grad_dense_2_sum_bad832f9(const grad_dense_2_sum_bad832f9_args& args);

struct grad_dense_2_matmul_2_c1301ee2_args {
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
};
void grad_dense_2_matmul_2_c1301ee2(const grad_dense_2_matmul_2_c1301ee2_args& args);

static void dense_1_matmul_ab0fe6c2_finish(const kcc::Contraction& self, const float* sums, int64_t stride, int64_t first_row, int64_t first_column, int64_t rows, int64_t columns) {
  [[maybe_unused]] const dense_1_matmul_ab0fe6c2_args& args = *static_cast<const dense_1_matmul_ab0fe6c2_args*>(self.args);
  [[maybe_unused]] int64_t const B = args.B;
  [[maybe_unused]] const float* const in0 = args.in0;
  [[maybe_unused]] const float* const in1 = args.in1;
  [[maybe_unused]] const float* const in2 = args.in2;
  [[maybe_unused]] float* const out0 = args.out0;
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
        kcc::store(out0 + d0 * 32 + d1, v1);
      }
    }
  }
}

void dense_1_matmul_ab0fe6c2(const dense_1_matmul_ab0fe6c2_args& args) {
  [[maybe_unused]] int64_t const B = args.B;
  [[maybe_unused]] const float* const in0 = args.in0;
  [[maybe_unused]] const float* const in1 = args.in1;
  [[maybe_unused]] const float* const in2 = args.in2;
  [[maybe_unused]] float* const out0 = args.out0;
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
  c.finish = dense_1_matmul_ab0fe6c2_finish;
  c.args = &args;
  c.touched[0] = {out0, 32, 0};
  c.pool = args.pool;
  c.workspace = args.workspace;
  kcc::contract(c);
}

void loss_dense_2_sum_edf91656(const loss_dense_2_sum_edf91656_args& args) {
  [[maybe_unused]] int64_t const B = args.B;
  [[maybe_unused]] const float* const in0 = args.in0;
  [[maybe_unused]] const float* const in1 = args.in1;
  [[maybe_unused]] float* const out0 = args.out0;
  kcc::vf v0_lanes = kcc::bcast(0.f);
  {
    int64_t d0 = 0;
    for (; d0 + KCC_VW <= B; d0 += KCC_VW) {
      const kcc::vf v1 = (kcc::load(in0 + d0) * kcc::load(in1 + d0));
      v0_lanes = v0_lanes + v1;
    }
    if (d0 < B) {
      const int64_t lanes = B - d0;
      const kcc::vf v1 = (kcc::load(in0 + d0, lanes) * kcc::load(in1 + d0, lanes));
      v0_lanes = kcc::select(kcc::first_lanes(lanes), v0_lanes + v1, v0_lanes);
    }
  }
  const float v0 = kcc::hsum(v0_lanes);
  const float v2 = kcc::div(v0, (float)(B));
  out0[0] = v2;
}

static void grad_loss_dense_2_mul_46a85ce1_range0(const grad_loss_dense_2_mul_46a85ce1_args& args, int64_t begin, int64_t end) {
  [[maybe_unused]] int64_t const B = args.B;
  [[maybe_unused]] const float* const in0 = args.in0;
  [[maybe_unused]] const float* const in1 = args.in1;
  [[maybe_unused]] float* const out0 = args.out0;
  [[maybe_unused]] const auto* const out0_end = out0 + end;
  {
    int64_t d0 = begin;
    for (; d0 + KCC_VW <= end; d0 += KCC_VW) {
      const kcc::vf v0 = (in0[0] * kcc::load(in1 + d0));
      kcc::store_ahead(out0 + d0, v0, out0_end);
    }
    if (d0 < end) {
      const int64_t lanes = end - d0;
      const kcc::vf v0 = (in0[0] * kcc::load(in1 + d0, lanes));
      kcc::store(out0 + d0, v0, lanes);
    }
  }
}

void grad_loss_dense_2_mul_46a85ce1(const grad_loss_dense_2_mul_46a85ce1_args& args) {
  [[maybe_unused]] int64_t const B = args.B;
  [[maybe_unused]] const float* const in0 = args.in0;
  [[maybe_unused]] const float* const in1 = args.in1;
  [[maybe_unused]] float* const out0 = args.out0;
  kcc::run_ranges(args.pool, B, kcc::range_items(4, 32768, 16), args, &grad_loss_dense_2_mul_46a85ce1_range0);
}

static void grad_dense_2_sum_bad832f9_range0(const grad_dense_2_sum_bad832f9_args& args, int64_t begin, int64_t end) {
  [[maybe_unused]] int64_t const B = args.B;
  [[maybe_unused]] float const scalar_lr = args.scalar_lr;
  [[maybe_unused]] float const scalar_rho = args.scalar_rho;
  [[maybe_unused]] float* const in0 = args.in0;
  [[maybe_unused]] const float* const in1 = args.in1;
  [[maybe_unused]] const float* const in2 = args.in2;
  [[maybe_unused]] float* const in3 = args.in3;
  for (int64_t d1 = begin; d1 < end; d1++) {
    const float v0 = (scalar_rho * in0[0]);
    kcc::vf v1_lanes = kcc::bcast(0.f);
    {
      int64_t d0 = 0;
      for (; d0 + KCC_VW <= B; d0 += KCC_VW) {
        v1_lanes = v1_lanes + kcc::load(in1 + d0 + d1);
      }
      if (d0 < B) {
        const int64_t lanes = B - d0;
        v1_lanes = kcc::select(kcc::first_lanes(lanes), v1_lanes + kcc::load(in1 + d0 + d1, lanes), v1_lanes);
      }
    }
    const float v1 = kcc::hsum(v1_lanes);
    const float v2 = (v1 * v1);
    const float v3 = (in2[0] * v2);
    const float v4 = (v0 + v3);
    const float v5 = (scalar_lr * v1);
    const float v6 = kcc::sqrt(v4);
    const float v7 = (v6 + 1.0000000116860974e-7f);
    const float v8 = kcc::div_nr(v5, v7);
    const float v9 = (in3[0] - v8);
    in0[0] = v4;
    in3[0] = v9;
  }
}

void grad_dense_2_sum_bad832f9(const grad_dense_2_sum_bad832f9_args& args) {
  [[maybe_unused]] int64_t const B = args.B;
  [[maybe_unused]] float const scalar_lr = args.scalar_lr;
  [[maybe_unused]] float const scalar_rho = args.scalar_rho;
  [[maybe_unused]] float* const in0 = args.in0;
  [[maybe_unused]] const float* const in1 = args.in1;
  [[maybe_unused]] const float* const in2 = args.in2;
  [[maybe_unused]] float* const in3 = args.in3;
  kcc::run_ranges(args.pool, 1, kcc::range_items(B+14, 32768, 1), args, &grad_dense_2_sum_bad832f9_range0);
}

static void grad_dense_2_matmul_2_c1301ee2_finish(const kcc::Contraction& self, const float* sums, int64_t stride, int64_t first_row, int64_t first_column, int64_t rows, int64_t columns) {
  [[maybe_unused]] const grad_dense_2_matmul_2_c1301ee2_args& args = *static_cast<const grad_dense_2_matmul_2_c1301ee2_args*>(self.args);
  [[maybe_unused]] int64_t const B = args.B;
  [[maybe_unused]] float const scalar_lr = args.scalar_lr;
  [[maybe_unused]] float const scalar_rho = args.scalar_rho;
  [[maybe_unused]] const float* const in0 = args.in0;
  [[maybe_unused]] const float* const in1 = args.in1;
  [[maybe_unused]] float* const in2 = args.in2;
  [[maybe_unused]] const float* const in3 = args.in3;
  [[maybe_unused]] float* const in4 = args.in4;
  for (int64_t row = first_row; row < first_row + rows; ++row, sums += stride) {
    [[maybe_unused]] const int64_t d1 = row;
    int64_t column = first_column;
    {
      const int64_t end = first_column + columns;
      for (; column + KCC_VW <= end; column += KCC_VW) {
        [[maybe_unused]] const int64_t d0 = column;
        const kcc::vf accumulator = kcc::load(sums + (column - first_column));
        const kcc::vf v0 = (scalar_rho * kcc::load(in2 + d0 + d1));
        const kcc::vf v1 = (accumulator * accumulator);
        const kcc::vf v2 = (in3[0] * v1);
        const kcc::vf v3 = (v0 + v2);
        const kcc::vf v4 = (scalar_lr * accumulator);
        const kcc::vf v5 = kcc::sqrt(v3);
        const kcc::vf v6 = (v5 + 1.0000000116860974e-7f);
        const kcc::vf v7 = kcc::div_nr(v4, v6);
        const kcc::vf v8 = (kcc::load(in4 + d0 + d1) - v7);
        kcc::store(in2 + d0 + d1, v3);
        kcc::store(in4 + d0 + d1, v8);
      }
    }
  }
}

void grad_dense_2_matmul_2_c1301ee2(const grad_dense_2_matmul_2_c1301ee2_args& args) {
  [[maybe_unused]] int64_t const B = args.B;
  [[maybe_unused]] float const scalar_lr = args.scalar_lr;
  [[maybe_unused]] float const scalar_rho = args.scalar_rho;
  [[maybe_unused]] const float* const in0 = args.in0;
  [[maybe_unused]] const float* const in1 = args.in1;
  [[maybe_unused]] float* const in2 = args.in2;
  [[maybe_unused]] const float* const in3 = args.in3;
  [[maybe_unused]] float* const in4 = args.in4;
  kcc::Contraction c{};
  c.m = 1;
  c.n = 32;
  c.k = B;
  c.lhs = {(in1 + 0), 1, 1, 0};
  c.rhs = {(in0 + 0), 32, 1, 0};
  c.compute_lhs = nullptr;
  c.compute_rhs = nullptr;
  c.lhs_along_row = false;
  c.rhs_along_row = false;
  c.long_sum = false;
  c.split_room = 0;
  c.finish = grad_dense_2_matmul_2_c1301ee2_finish;
  c.args = &args;
  c.touched[0] = {in2, 1, 0};
  c.touched[1] = {in4, 1, 0};
  c.pool = args.pool;
  c.workspace = args.workspace;
  kcc::contract(c);
}

}  // namespace KCC_LEVEL
}  // namespace kcc_kernels
