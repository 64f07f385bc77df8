// Module "small_mlp": its functions launch kernels in order. Values between kernels live in slots of one arena.
#include "kcc/driver.h"

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

struct loss_dense_2_sum_edf91656_args {
  kcc_pool* pool;
  char* workspace;
  int64_t B;
  const float* in0;
  const float* in1;
  float* out0;
};
void loss_dense_2_sum_edf91656(const loss_dense_2_sum_edf91656_args& args);

struct metrics_accuracy_sum_ead8cf63_args {
  kcc_pool* pool;
  char* workspace;
  int64_t B;
  const float* in0;
  float* out0;
};
void metrics_accuracy_sum_ead8cf63(const metrics_accuracy_sum_ead8cf63_args& args);

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

struct grad_loss_dense_2_mul_46a85ce1_args {
  kcc_pool* pool;
  char* workspace;
  int64_t B;
  const float* in0;
  const float* in1;
  float* out0;
};
void grad_loss_dense_2_mul_46a85ce1(const grad_loss_dense_2_mul_46a85ce1_args& args);

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

namespace {

int64_t small_mlp_predict_arena_bytes(const int64_t* dims) {
  (void)dims;
  [[maybe_unused]] const int64_t B = dims[0];
  return kcc::align64(kcc::larger(524*B+58752, 252*B+20476)) + kcc::align64(128*B);
}

void small_mlp_predict(const kcc_call* call) {
  const kcc::FlushDenormals mode;
  [[maybe_unused]] const int64_t* dims = call->dims;
  [[maybe_unused]] const int64_t B = dims[0];
  char* const slot0 = call->arena;
  char* const slot1 = slot0 + kcc::align64(kcc::larger(524*B+58752, 252*B+20476));
  float* const p_dense_1_input = (float*)call->inputs[0];
  float* const p_dense_1_kernel_0 = (float*)call->variables[0];
  float* const p_dense_1_bias_0 = (float*)call->variables[1];
  float* const p_dense_1_relu = (float*)(slot1 + 0) /* tenant 0 */;
  float* const p_dense_2_kernel_0 = (float*)call->variables[2];
  float* const p_dense_2_bias_0 = (float*)call->variables[3];
  float* const p_dense_2_sigmoid = (float*)call->outputs[0];
  // dense_1_matmul: out0 = relu  model.ts  [dense_1]
  dense_1_matmul_ab0fe6c2({ call->pool, slot0, B, p_dense_1_input, p_dense_1_kernel_0, p_dense_1_bias_0, p_dense_1_relu });
  // dense_2_matmul: out0 = sigmoid  model.ts  [dense_2]
  dense_2_matmul_6e1d12da({ call->pool, slot0, B, p_dense_1_relu, p_dense_2_kernel_0, p_dense_2_bias_0, p_dense_2_sigmoid });
}

int64_t small_mlp_evaluate_arena_bytes(const int64_t* dims) {
  (void)dims;
  [[maybe_unused]] const int64_t B = dims[0];
  return kcc::align64(kcc::larger(524*B+58752, 252*B+20476)) + kcc::align64(128*B) + kcc::align64(4*B) + kcc::align64(4*B);
}

void small_mlp_evaluate(const kcc_call* call) {
  const kcc::FlushDenormals mode;
  [[maybe_unused]] const int64_t* dims = call->dims;
  [[maybe_unused]] const int64_t B = dims[0];
  char* const slot0 = call->arena;
  char* const slot1 = slot0 + kcc::align64(kcc::larger(524*B+58752, 252*B+20476));
  char* const slot2 = slot1 + kcc::align64(128*B);
  char* const slot3 = slot2 + kcc::align64(4*B);
  float* const p_dense_1_input = (float*)call->inputs[0];
  float* const p_dense_1_kernel_0 = (float*)call->variables[0];
  float* const p_dense_1_bias_0 = (float*)call->variables[1];
  float* const p_dense_1_relu = (float*)(slot1 + 0) /* tenant 0 */;
  float* const p_dense_2_kernel_0 = (float*)call->variables[2];
  float* const p_dense_2_bias_0 = (float*)call->variables[3];
  float* const p_target_dense_2 = (float*)call->inputs[1];
  float* const p_loss_dense_2_sub = (float*)(slot2 + 0) /* tenant 0 */;
  float* const p_metrics_accuracy_cast = (float*)(slot3 + 0) /* tenant 0 */;
  float* const p_weight_dense_2 = (float*)call->inputs[2];
  float* const p_loss_dense_2_div = (float*)call->outputs[0];
  float* const p_metrics_accuracy_div = (float*)call->outputs[1];
  // dense_1_matmul: out0 = relu  model.ts  [dense_1]
  dense_1_matmul_ab0fe6c2({ call->pool, slot0, B, p_dense_1_input, p_dense_1_kernel_0, p_dense_1_bias_0, p_dense_1_relu });
  // dense_2_matmul: out0 = sub, out1 = cast  model.ts  [dense_2]
  dense_2_matmul_02ed67fc({ call->pool, slot0, B, p_dense_1_relu, p_dense_2_kernel_0, p_dense_2_bias_0, p_target_dense_2, p_loss_dense_2_sub, p_metrics_accuracy_cast });
  // loss_dense_2_sum: out0 = div  [loss/dense_2]
  loss_dense_2_sum_edf91656({ call->pool, nullptr, B, p_loss_dense_2_sub, p_weight_dense_2, p_loss_dense_2_div });
  // metrics_accuracy_sum: out0 = div  [metrics/accuracy]
  metrics_accuracy_sum_ead8cf63({ call->pool, nullptr, B, p_metrics_accuracy_cast, p_metrics_accuracy_div });
}

int64_t small_mlp_trainStep_arena_bytes(const int64_t* dims) {
  (void)dims;
  [[maybe_unused]] const int64_t B = dims[0];
  return kcc::align64(kcc::larger(kcc::larger(kcc::larger(4, 524*B+58752), 252*B+20476), 848*B+26352)) + kcc::align64(4) + kcc::align64(kcc::larger(kcc::larger(4*B, 128*B+14400), 452*B+14076)) + kcc::align64(128*B) + kcc::align64(32*B) + kcc::align64(kcc::larger(4*B, 128*B)) + kcc::align64(4*B) + kcc::align64(4*B);
}

void small_mlp_trainStep(const kcc_call* call) {
  const kcc::FlushDenormals mode;
  [[maybe_unused]] const int64_t* dims = call->dims;
  [[maybe_unused]] const int64_t B = dims[0];
  char* const slot0 = call->arena;
  char* const slot1 = slot0 + kcc::align64(kcc::larger(kcc::larger(kcc::larger(4, 524*B+58752), 252*B+20476), 848*B+26352));
  char* const slot2 = slot1 + kcc::align64(4);
  char* const slot3 = slot2 + kcc::align64(kcc::larger(kcc::larger(4*B, 128*B+14400), 452*B+14076));
  char* const slot4 = slot3 + kcc::align64(128*B);
  char* const slot5 = slot4 + kcc::align64(32*B);
  char* const slot6 = slot5 + kcc::align64(kcc::larger(4*B, 128*B));
  char* const slot7 = slot6 + kcc::align64(4*B);
  int32_t* const p_RMSprop_iterations_0 = (int32_t*)call->variables[4];
  float* const p_grad_loss_dense_2__div = (float*)(slot0 + 0) /* tenant 0 */;
  float* const p_optimizer_sub = (float*)(slot1 + 0) /* tenant 0 */;
  float* const p_weight_dense_2 = (float*)call->inputs[2];
  float* const p_grad_loss_dense_2__mul = (float*)(slot2 + 0) /* tenant 0 */;
  float* const p_dense_1_input = (float*)call->inputs[0];
  float* const p_dense_1_kernel_0 = (float*)call->variables[0];
  float* const p_dense_1_bias_0 = (float*)call->variables[1];
  float* const p_dense_1_relu = (float*)(slot3 + 0) /* tenant 0 */;
  uint8_t* const p_grad_dense_1__greater = (uint8_t*)(slot4 + 0) /* tenant 0 */;
  float* const p_dense_2_kernel_0 = (float*)call->variables[2];
  float* const p_dense_2_bias_0 = (float*)call->variables[3];
  float* const p_target_dense_2 = (float*)call->inputs[1];
  float* const p_loss_dense_2_sub = (float*)(slot5 + 0) /* tenant 0 */;
  float* const p_metrics_accuracy_cast = (float*)(slot6 + 0) /* tenant 0 */;
  float* const p_grad_loss_dense_2__add = (float*)(slot7 + 0) /* tenant 0 */;
  float* const p_loss_dense_2_div = (float*)call->outputs[0];
  float* const p_metrics_accuracy_div = (float*)call->outputs[1];
  float* const p_training_RMSprop_accumulator_3_1_0 = (float*)call->variables[8];
  float* const p_grad_dense_1__select = (float*)(slot5 + 0) /* tenant 1 */;
  float* const p_training_RMSprop_accumulator_0_1_0 = (float*)call->variables[5];
  float* const p_training_RMSprop_accumulator_1_1_0 = (float*)call->variables[6];
  float* const p_training_RMSprop_accumulator_2_1_0 = (float*)call->variables[7];
  // optimizer_add: in0 = variable, out0 = div, out1 = sub  [optimizer]
  optimizer_add_a4e60ed3({ call->pool, nullptr, B, call->scalars[1], p_RMSprop_iterations_0, p_grad_loss_dense_2__div, p_optimizer_sub });
  // grad_loss_dense_2_mul: out0 = mul  [grad(loss/dense_2)]
  grad_loss_dense_2_mul_46a85ce1({ call->pool, nullptr, B, p_grad_loss_dense_2__div, p_weight_dense_2, p_grad_loss_dense_2__mul });
  // dense_1_matmul: out0 = relu, out1 = greater  model.ts  [dense_1]
  dense_1_matmul_8a4d2fce({ call->pool, slot0, B, p_dense_1_input, p_dense_1_kernel_0, p_dense_1_bias_0, p_dense_1_relu, p_grad_dense_1__greater });
  // dense_2_matmul: out0 = sub, out1 = cast, out2 = add  model.ts  [dense_2]
  dense_2_matmul_804f19e2({ call->pool, slot0, B, p_dense_1_relu, p_dense_2_kernel_0, p_dense_2_bias_0, p_target_dense_2, p_grad_loss_dense_2__mul, p_loss_dense_2_sub, p_metrics_accuracy_cast, p_grad_loss_dense_2__add });
  // loss_dense_2_sum: out0 = div  [loss/dense_2]
  loss_dense_2_sum_edf91656({ call->pool, nullptr, B, p_loss_dense_2_sub, p_weight_dense_2, p_loss_dense_2_div });
  // metrics_accuracy_sum: out0 = div  [metrics/accuracy]
  metrics_accuracy_sum_ead8cf63({ call->pool, nullptr, B, p_metrics_accuracy_cast, p_metrics_accuracy_div });
  // grad_dense_2_sum: in0 = variable, in3 = variable  model.ts  [grad(dense_2)]
  grad_dense_2_sum_bad832f9({ call->pool, nullptr, B, call->scalars[0], call->scalars[1], p_training_RMSprop_accumulator_3_1_0, p_grad_loss_dense_2__add, p_optimizer_sub, p_dense_2_bias_0 });
  // grad_dense_2_matmul: out0 = select  model.ts  [grad(dense_2)]
  grad_dense_2_matmul_964a5761({ call->pool, slot2, B, p_grad_loss_dense_2__add, p_dense_2_kernel_0, p_grad_dense_1__greater, p_grad_dense_1__select });
  // grad_dense_1_matmul: in2 = variable, in4 = variable, in5 = variable, in6 = variable  model.ts  [grad(dense_1)]
  grad_dense_1_matmul_eb07df2c({ call->pool, slot0, B, call->scalars[0], call->scalars[1], p_dense_1_input, p_grad_dense_1__select, p_training_RMSprop_accumulator_0_1_0, p_optimizer_sub, p_dense_1_kernel_0, p_training_RMSprop_accumulator_1_1_0, p_dense_1_bias_0 });
  // grad_dense_2_matmul_2: in2 = variable, in4 = variable  model.ts  [grad(dense_2)]
  grad_dense_2_matmul_2_c1301ee2({ call->pool, slot2, B, call->scalars[0], call->scalars[1], p_dense_1_relu, p_grad_loss_dense_2__add, p_training_RMSprop_accumulator_2_1_0, p_optimizer_sub, p_dense_2_kernel_0 });
}

const kcc_function functions[] = {
    {"predict", &small_mlp_predict, &small_mlp_predict_arena_bytes, 1, 1, 0, 0 },
    {"evaluate", &small_mlp_evaluate, &small_mlp_evaluate_arena_bytes, 3, 2, 0, 0 },
    {"trainStep", &small_mlp_trainStep, &small_mlp_trainStep_arena_bytes, 3, 2, 0, 1 },
};
const int64_t variable_bytes[] = { 12800, 128, 128, 4, 4, 12800, 128, 128, 4, 0};
const int64_t blocked_columns[] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
const float scalar_values[] = { 0.0010000000474974513f, 0.8999999761581421f, 0};

}  // namespace

extern const kcc_module module_small_mlp;
const kcc_module module_small_mlp = {
    KCC_ABI, 3, 9, 2, 1, 0, "small_mlp", functions, variable_bytes, scalar_values,
    blocked_columns,
};

}  // namespace KCC_LEVEL
}  // namespace kcc_kernels
