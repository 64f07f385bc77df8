// A module as the compiler would emit it, small enough to read: for the tests of the addon.
//   scale: y[B,4] = x[B,4] * w[4] * factor      train: w += mean of x; loss = sum of w      noise: u[B], random
//   huge: wants more memory than there is       slow: sleeps B milliseconds, returns the arena's first word
#include "kcc/abi.h"
#include "kcc/philox.h"

#include <stdlib.h>
#include <unistd.h>

namespace {

struct Rows { const float* x; const float* w; float* y; float factor; int64_t rows, chunk; };

void scale_chunk(void* context, int64_t i) {
  Rows* rows = (Rows*)context;
  int64_t end = (i + 1) * rows->chunk < rows->rows ? (i + 1) * rows->chunk : rows->rows;
  for (int64_t r = i * rows->chunk; r < end; r++)
    for (int k = 0; k < 4; k++) rows->y[r * 4 + k] = rows->x[r * 4 + k] * rows->w[k] * rows->factor;
}

void scale(const kcc_call* call) {
  Rows rows = {(const float*)call->inputs[0], (const float*)call->variables[0], (float*)call->outputs[0], call->scalars[0], call->dims[0], 64};
  int64_t chunks = (rows.rows + rows.chunk - 1) / rows.chunk;
  if (call->pool && chunks > 1) call->pool->run(call->pool, chunks, scale_chunk, &rows);
  else for (int64_t i = 0; i < chunks; i++) scale_chunk(&rows, i);
}

void train(const kcc_call* call) {
  const float* x = (const float*)call->inputs[0];
  float* w = (float*)call->variables[0];
  float* sums = (float*)call->arena;
  float loss = 0;
  for (int k = 0; k < 4; k++) sums[k] = 0;
  for (int64_t r = 0; r < call->dims[0]; r++) for (int k = 0; k < 4; k++) sums[k] += x[r * 4 + k];
  for (int k = 0; k < 4; k++) loss += w[k] += sums[k] / (float)call->dims[0];
  ((float*)call->outputs[0])[0] = loss;
}

void noise(const kcc_call* call) {
  kcc::RandomStream random(call->seed, 7, call->step);
  for (int64_t i = 0; i < call->dims[0]; i++) ((float*)call->outputs[0])[i] = random.scalar(i);
}

void slow(const kcc_call* call) {
  ((uint32_t*)call->outputs[0])[0] = ((uint32_t*)call->arena)[0];
  usleep((useconds_t)call->dims[0] * 1000);
}

int64_t no_arena(const int64_t*) { return 0; }
int64_t small_arena(const int64_t* dims) { return 16 * dims[0] + 16; }
int64_t huge_arena(const int64_t*) { return 1ll << 60; }

const kcc_function functions[] = {
    {"scale", scale, no_arena, 1, 1, 0, 0, nullptr}, {"train", train, small_arena, 1, 1, 0, 1, nullptr}, {"noise", noise, no_arena, 0, 1, 1, 0, nullptr},
    {"huge", scale, huge_arena, 1, 1, 0, 0, nullptr}, {"slow", slow, small_arena, 0, 1, 0, 0, nullptr}};
const int64_t variable_bytes[] = {16, 8};
const float scalar_values[] = {2, 0.5f};
const kcc_module demo = {KCC_ABI, 5, 2, 2, 1, 0, "demo", functions, variable_bytes, scalar_values, nullptr};
const kcc_module* const modules[] = {&demo};
int32_t no(void) { return 0; }
int32_t yes(void) { return getenv("KCC_DEMO_UNSUPPORTED") == nullptr; }

}  // namespace

const kcc_level kcc_levels[] = {{"x86-64-v9", no, modules, 1, 0, nullptr}, {"x86-64-v2", yes, modules, 1, 0, nullptr}, {nullptr, nullptr, nullptr, 0, 0, nullptr}};
