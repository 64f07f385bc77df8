// NativeModule of runtime/contract/native.ts: the JavaScript object around an Instance.
#pragma once
#include "arguments.h"
#include "instance.h"

// Errors travel as pending JavaScript exceptions; one that a dying environment cannot take is dropped.
#ifndef NAPI_DISABLE_CPP_EXCEPTIONS
#define NAPI_DISABLE_CPP_EXCEPTIONS
#endif
#ifndef NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS
#define NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS
#endif
#include <napi.h>

namespace kcc {

// A call's arguments as the kernel wants them.
struct Arguments {
  std::vector<const void*> inputs;
  std::vector<void*> outputs;
  std::vector<int64_t> dims;
};

// A call prepared once: its arrays are kept alive by `arrays`.
struct Bound {
  const kcc_function* function;
  Arguments arguments;
  Napi::ObjectReference arrays;
};

class Module : public Napi::ObjectWrap<Module> {
 public:
  static Napi::Function define(Napi::Env env);
  // Takes an External of the kcc_module to open.
  explicit Module(const Napi::CallbackInfo& info);
  ~Module() override;

 private:
  void set_variable(const Napi::CallbackInfo& info);
  void get_variable(const Napi::CallbackInfo& info);
  void set_scalar(const Napi::CallbackInfo& info);
  Napi::Value get_scalar(const Napi::CallbackInfo& info);
  void set_random(const Napi::CallbackInfo& info);
  Napi::Value get_random(const Napi::CallbackInfo& info);
  void call(const Napi::CallbackInfo& info);
  Napi::Value bind(const Napi::CallbackInfo& info);
  void call_bound(const Napi::CallbackInfo& info);
  Napi::Value call_async(const Napi::CallbackInfo& info);
  Napi::Value loop(const Napi::CallbackInfo& info);
  Napi::Value bytes(const Napi::CallbackInfo& info);
  void reserve(const Napi::CallbackInfo& info);
  void read_log(const Napi::CallbackInfo& info);
  void forget_log(const Napi::CallbackInfo& info);
  void forget_data(const Napi::CallbackInfo& info);
  Napi::Value describe(const Napi::CallbackInfo& info);
  void read_choices(const Napi::CallbackInfo& info);
  Napi::Value choices(const Napi::CallbackInfo& info);
  void close(const Napi::CallbackInfo& info);

  const kcc_function* read_function(const Napi::CallbackInfo& info, napi_value index);
  bool read_number(const Napi::CallbackInfo& info, const char* name, uint64_t* number);
  bool read_variable(const Napi::CallbackInfo& info, uint32_t* index, Bytes* array);
  bool read_scalar(const Napi::CallbackInfo& info, uint32_t* index);
  // Reads (fn, inputs, outputs, dims) into `into`, which must live as long as the pointers are used.
  const kcc_function* read_call(const Napi::CallbackInfo& info, Arguments* into);

  Instance* instance_ = nullptr;
  std::vector<Bound> bound_;
  Arguments scratch_;  // of the synchronous calls: no JavaScript runs while it is in use
};

// Run off the main thread; both take a reference of the instance and keep `arrays` alive until they settle.
Napi::Value start_call(Napi::Env env, Instance* instance, const kcc_function& function, Arguments arguments, Napi::Object arrays);
Napi::Value start_loop(Napi::Env env, Instance* instance, Loop plan, int64_t first_batch, double budget_ms, Napi::Object arrays);

}  // namespace kcc
