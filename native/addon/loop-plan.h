// Reads a LoopPlan (runtime/contract/native.ts).
#pragma once
#include "arguments.h"
#include "instance.h"

namespace kcc {

// False with an exception pending when the plan is malformed or would read or write outside its arrays.
bool read_loop(napi_env env, const Instance& instance, napi_value from, Loop* plan, int64_t* first_batch, double* budget_ms);

}  // namespace kcc
