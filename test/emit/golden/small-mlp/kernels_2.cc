#include "kcc/launch.h"
#include "kcc/math.h"
#include "kcc/philox.h"
#include "kcc/gemm.h"
#include "kcc/vec.h"

namespace kcc_kernels {
inline namespace KCC_LEVEL {

struct dense_2_matmul_02ed67fc_args {
  kcc_pool* pool;
  char* workspace;
  int64_t B;
  const float* in0;
  const float* in1;
  const float* in2;
  const float* in3;
  float* out0;
  float* out1;
};
void dense_2_matmul_02ed67fc(const dense_2_matmul_02ed67fc_args& args);

struct optimizer_add_a4e60ed3_args {
  kcc_pool* pool;
  char* workspace;
  int64_t B;
  float scalar_rho;
  int32_t* in0;
  float* out0;
  float* out1;
};
void optimizer_add_a4e60ed3(const optimizer_add_a4e60ed3_args& args);

struct dense_2_matmul_804f19e2_args {
  kcc_pool* pool;
  char* workspace;
  int64_t B;
  const float* in0;
  const float* in1;
  const float* in2;
  const float* in3;
  const float* in4;
  float* out0;
  float* out1;
  float* out2;
};
void dense_2_matmul_804f19e2(const dense_2_matmul_804f19e2_args& args);

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

static void dense_2_matmul_02ed67fc_finish(const kcc::Contraction& self, const float* sums, int64_t stride, int64_t first_row, int64_t first_column, int64_t rows, int64_t columns) {
  [[maybe_unused]] const dense_2_matmul_02ed67fc_args& args = *static_cast<const dense_2_matmul_02ed67fc_args*>(self.args);
  [[maybe_unused]] int64_t const B = args.B;
  [[maybe_unused]] const float* const in0 = args.in0;
  [[maybe_unused]] const float* const in1 = args.in1;
  [[maybe_unused]] const float* const in2 = args.in2;
  [[maybe_unused]] const float* const in3 = args.in3;
  [[maybe_unused]] float* const out0 = args.out0;
  [[maybe_unused]] float* const out1 = args.out1;
  for (int64_t row = first_row; row < first_row + rows; ++row, sums += stride) {
    [[maybe_unused]] const int64_t d1 = row;
    int64_t column = first_column;
    {
      const int64_t end = first_column + columns;
      for (; column + KCC_VW <= end; column += KCC_VW) {
        [[maybe_unused]] const int64_t d0 = column;
        const kcc::vf accumulator = kcc::load(sums + (column - first_column));
        const kcc::vf v0 = (accumulator + in2[0]);
        const kcc::vi v1 = (v0 >= 0.f);
        const kcc::vf v2 = kcc::select(v1, v0, kcc::bcast(0.f));
        const kcc::vf v3 = kcc::neg(v0);
        const kcc::vf v4 = kcc::select(v1, v3, v0);
        const kcc::vf v5 = kcc::exp(v4);
        const kcc::vf v6 = kcc::log1p(v5);
        const kcc::vf v7 = (v2 + v6);
        const kcc::vf v8 = (v0 * kcc::load(in3 + d0 + d1));
        const kcc::vf v9 = (v7 - v8);
        const kcc::vf v10 = kcc::sigmoid(v0);
        const kcc::vf v11 = kcc::floor(v10);
        const kcc::vf v12 = (v10 - v11);
        const kcc::vi v13 = (v12 > 0.5f);
        const kcc::vi v14 = (v12 == 0.5f);
        const kcc::vf v15 = (v11 * 0.5f);
        const kcc::vf v16 = kcc::floor(v15);
        const kcc::vf v17 = (v16 * 2.f);
        const kcc::vi v18 = (v11 != v17);
        const kcc::vi v19 = kcc::mask_and(v14, v18);
        const kcc::vi v20 = kcc::mask_or(v13, v19);
        const kcc::vf v21 = kcc::mask_float(v20);
        const kcc::vf v22 = (v11 + v21);
        const kcc::vi v23 = (kcc::load(in3 + d0 + d1) == v22);
        const kcc::vf v24 = kcc::mask_float(v23);
        kcc::store(out0 + d0 + d1, v9);
        kcc::store(out1 + d0 + d1, v24);
      }
      if (column < end) {
        [[maybe_unused]] const int64_t d0 = column;
        const int lanes = (int)(end - column);
        const kcc::vf accumulator = kcc::load(sums + (column - first_column), lanes);
        const kcc::vf v0 = (accumulator + in2[0]);
        const kcc::vi v1 = (v0 >= 0.f);
        const kcc::vf v2 = kcc::select(v1, v0, kcc::bcast(0.f));
        const kcc::vf v3 = kcc::neg(v0);
        const kcc::vf v4 = kcc::select(v1, v3, v0);
        const kcc::vf v5 = kcc::exp(v4);
        const kcc::vf v6 = kcc::log1p(v5);
        const kcc::vf v7 = (v2 + v6);
        const kcc::vf v8 = (v0 * kcc::load(in3 + d0 + d1, lanes));
        const kcc::vf v9 = (v7 - v8);
        const kcc::vf v10 = kcc::sigmoid(v0);
        const kcc::vf v11 = kcc::floor(v10);
        const kcc::vf v12 = (v10 - v11);
        const kcc::vi v13 = (v12 > 0.5f);
        const kcc::vi v14 = (v12 == 0.5f);
        const kcc::vf v15 = (v11 * 0.5f);
        const kcc::vf v16 = kcc::floor(v15);
        const kcc::vf v17 = (v16 * 2.f);
        const kcc::vi v18 = (v11 != v17);
        const kcc::vi v19 = kcc::mask_and(v14, v18);
        const kcc::vi v20 = kcc::mask_or(v13, v19);
        const kcc::vf v21 = kcc::mask_float(v20);
        const kcc::vf v22 = (v11 + v21);
        const kcc::vi v23 = (kcc::load(in3 + d0 + d1, lanes) == v22);
        const kcc::vf v24 = kcc::mask_float(v23);
        kcc::store(out0 + d0 + d1, v9, lanes);
        kcc::store(out1 + d0 + d1, v24, lanes);
      }
    }
  }
}

void dense_2_matmul_02ed67fc(const dense_2_matmul_02ed67fc_args& args) {
  [[maybe_unused]] int64_t const B = args.B;
  [[maybe_unused]] const float* const in0 = args.in0;
  [[maybe_unused]] const float* const in1 = args.in1;
  [[maybe_unused]] const float* const in2 = args.in2;
  [[maybe_unused]] const float* const in3 = args.in3;
  [[maybe_unused]] float* const out0 = args.out0;
  [[maybe_unused]] float* const out1 = args.out1;
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
  c.finish = dense_2_matmul_02ed67fc_finish;
  c.args = &args;
  c.touched[0] = {in3, 1, 0};
  c.touched[1] = {out0, 1, 0};
  c.touched[2] = {out1, 1, 0};
  c.pool = args.pool;
  c.workspace = args.workspace;
  kcc::contract(c);
}

void optimizer_add_a4e60ed3(const optimizer_add_a4e60ed3_args& args) {
  [[maybe_unused]] int64_t const B = args.B;
  [[maybe_unused]] float const scalar_rho = args.scalar_rho;
  [[maybe_unused]] int32_t* const in0 = args.in0;
  [[maybe_unused]] float* const out0 = args.out0;
  [[maybe_unused]] float* const out1 = args.out1;
  const float v0 = kcc::div(1.f, (float)(B));
  const float v1 = (1.f - scalar_rho);
  const int32_t v2 = kcc::wrap_add(in0[0], 1);
  out0[0] = v0;
  out1[0] = v1;
  in0[0] = v2;
}

static void dense_2_matmul_804f19e2_finish(const kcc::Contraction& self, const float* sums, int64_t stride, int64_t first_row, int64_t first_column, int64_t rows, int64_t columns) {
  [[maybe_unused]] const dense_2_matmul_804f19e2_args& args = *static_cast<const dense_2_matmul_804f19e2_args*>(self.args);
  [[maybe_unused]] int64_t const B = args.B;
  [[maybe_unused]] const float* const in0 = args.in0;
  [[maybe_unused]] const float* const in1 = args.in1;
  [[maybe_unused]] const float* const in2 = args.in2;
  [[maybe_unused]] const float* const in3 = args.in3;
  [[maybe_unused]] const float* const in4 = args.in4;
  [[maybe_unused]] float* const out0 = args.out0;
  [[maybe_unused]] float* const out1 = args.out1;
  [[maybe_unused]] float* const out2 = args.out2;
  for (int64_t row = first_row; row < first_row + rows; ++row, sums += stride) {
    [[maybe_unused]] const int64_t d1 = row;
    int64_t column = first_column;
    {
      const int64_t end = first_column + columns;
      for (; column + KCC_VW <= end; column += KCC_VW) {
        [[maybe_unused]] const int64_t d0 = column;
        const kcc::vf accumulator = kcc::load(sums + (column - first_column));
        const kcc::vf v0 = (accumulator + in2[0]);
        const kcc::vi v1 = (v0 >= 0.f);
        const kcc::vf v2 = kcc::select(v1, v0, kcc::bcast(0.f));
        const kcc::vf v3 = kcc::neg(v0);
        const kcc::vf v4 = kcc::select(v1, v3, v0);
        const kcc::vf v5 = kcc::exp(v4);
        const kcc::vf v6 = kcc::log1p(v5);
        const kcc::vf v7 = (v2 + v6);
        const kcc::vf v8 = (v0 * kcc::load(in3 + d0 + d1));
        const kcc::vf v9 = (v7 - v8);
        const kcc::vf v10 = kcc::sigmoid(v0);
        const kcc::vf v11 = kcc::floor(v10);
        const kcc::vf v12 = (v10 - v11);
        const kcc::vi v13 = (v12 > 0.5f);
        const kcc::vi v14 = (v12 == 0.5f);
        const kcc::vf v15 = (v11 * 0.5f);
        const kcc::vf v16 = kcc::floor(v15);
        const kcc::vf v17 = (v16 * 2.f);
        const kcc::vi v18 = (v11 != v17);
        const kcc::vi v19 = kcc::mask_and(v14, v18);
        const kcc::vi v20 = kcc::mask_or(v13, v19);
        const kcc::vf v21 = kcc::mask_float(v20);
        const kcc::vf v22 = (v11 + v21);
        const kcc::vi v23 = (kcc::load(in3 + d0 + d1) == v22);
        const kcc::vf v24 = kcc::mask_float(v23);
        const kcc::vf v25 = kcc::neg(kcc::load(in4 + d0));
        const kcc::vf v26 = (v25 * kcc::load(in3 + d0 + d1));
        const kcc::vf v27 = (v5 + 1.f);
        const kcc::vf v28 = kcc::div(kcc::load(in4 + d0), v27);
        const kcc::vf v29 = (v28 * v5);
        const kcc::vf v30 = kcc::select(v1, kcc::bcast(0.f), v29);
        const kcc::vf v31 = (v26 + v30);
        const kcc::vf v32 = kcc::select(v1, v29, kcc::bcast(0.f));
        const kcc::vf v33 = (v31 - v32);
        const kcc::vf v34 = kcc::select(v1, kcc::load(in4 + d0), kcc::bcast(0.f));
        const kcc::vf v35 = (v33 + v34);
        kcc::store(out0 + d0 + d1, v9);
        kcc::store(out1 + d0 + d1, v24);
        kcc::store(out2 + d0 + d1, v35);
      }
      if (column < end) {
        [[maybe_unused]] const int64_t d0 = column;
        const int lanes = (int)(end - column);
        const kcc::vf accumulator = kcc::load(sums + (column - first_column), lanes);
        const kcc::vf v0 = (accumulator + in2[0]);
        const kcc::vi v1 = (v0 >= 0.f);
        const kcc::vf v2 = kcc::select(v1, v0, kcc::bcast(0.f));
        const kcc::vf v3 = kcc::neg(v0);
        const kcc::vf v4 = kcc::select(v1, v3, v0);
        const kcc::vf v5 = kcc::exp(v4);
        const kcc::vf v6 = kcc::log1p(v5);
        const kcc::vf v7 = (v2 + v6);
        const kcc::vf v8 = (v0 * kcc::load(in3 + d0 + d1, lanes));
        const kcc::vf v9 = (v7 - v8);
        const kcc::vf v10 = kcc::sigmoid(v0);
        const kcc::vf v11 = kcc::floor(v10);
        const kcc::vf v12 = (v10 - v11);
        const kcc::vi v13 = (v12 > 0.5f);
        const kcc::vi v14 = (v12 == 0.5f);
        const kcc::vf v15 = (v11 * 0.5f);
        const kcc::vf v16 = kcc::floor(v15);
        const kcc::vf v17 = (v16 * 2.f);
        const kcc::vi v18 = (v11 != v17);
        const kcc::vi v19 = kcc::mask_and(v14, v18);
        const kcc::vi v20 = kcc::mask_or(v13, v19);
        const kcc::vf v21 = kcc::mask_float(v20);
        const kcc::vf v22 = (v11 + v21);
        const kcc::vi v23 = (kcc::load(in3 + d0 + d1, lanes) == v22);
        const kcc::vf v24 = kcc::mask_float(v23);
        const kcc::vf v25 = kcc::neg(kcc::load(in4 + d0, lanes));
        const kcc::vf v26 = (v25 * kcc::load(in3 + d0 + d1, lanes));
        const kcc::vf v27 = (v5 + 1.f);
        const kcc::vf v28 = kcc::div(kcc::load(in4 + d0, lanes), v27);
        const kcc::vf v29 = (v28 * v5);
        const kcc::vf v30 = kcc::select(v1, kcc::bcast(0.f), v29);
        const kcc::vf v31 = (v26 + v30);
        const kcc::vf v32 = kcc::select(v1, v29, kcc::bcast(0.f));
        const kcc::vf v33 = (v31 - v32);
        const kcc::vf v34 = kcc::select(v1, kcc::load(in4 + d0, lanes), kcc::bcast(0.f));
        const kcc::vf v35 = (v33 + v34);
        kcc::store(out0 + d0 + d1, v9, lanes);
        kcc::store(out1 + d0 + d1, v24, lanes);
        kcc::store(out2 + d0 + d1, v35, lanes);
      }
    }
  }
}

void dense_2_matmul_804f19e2(const dense_2_matmul_804f19e2_args& args) {
  [[maybe_unused]] int64_t const B = args.B;
  [[maybe_unused]] const float* const in0 = args.in0;
  [[maybe_unused]] const float* const in1 = args.in1;
  [[maybe_unused]] const float* const in2 = args.in2;
  [[maybe_unused]] const float* const in3 = args.in3;
  [[maybe_unused]] const float* const in4 = args.in4;
  [[maybe_unused]] float* const out0 = args.out0;
  [[maybe_unused]] float* const out1 = args.out1;
  [[maybe_unused]] float* const out2 = args.out2;
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
  c.finish = dense_2_matmul_804f19e2_finish;
  c.args = &args;
  c.touched[0] = {in3, 1, 0};
  c.touched[1] = {out0, 1, 0};
  c.touched[2] = {out1, 1, 0};
  c.touched[3] = {out2, 1, 0};
  c.pool = args.pool;
  c.workspace = args.workspace;
  kcc::contract(c);
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
