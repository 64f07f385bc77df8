// Work off the main thread, on libuv's pool. When an environment ends, Node waits for work that is running and then
// completes it with JavaScript forbidden; so a loop runs in slices, and nothing here minds that a promise cannot settle.
#include "module.h"

#include <memory>

namespace kcc {
namespace {

constexpr double kSliceMs = 50;

class Task : public Napi::AsyncWorker {
 public:
  Task(Napi::Env env, Instance* instance, const kcc_function& function, napi_deferred deferred, Napi::Object arrays)
      : Napi::AsyncWorker(env, "kcc"), instance_(instance), function_(function), deferred_(deferred), arrays_(Napi::Persistent(arrays)) {
    instance_->retain();
  }
  ~Task() override { instance_->release(); }

 protected:
  void set_failure(Failure failure) { SetError(std::string(instance_->module()->name) + "." + function_.name + ": " + failure); }
  void settle(napi_value value) { napi_resolve_deferred(Env(), deferred_, value); }
  void OnOK() override { settle(Env().Undefined()); }
  void OnError(const Napi::Error& error) override { napi_reject_deferred(Env(), deferred_, error.Value()); }

  Instance* instance_;
  const kcc_function& function_;
  napi_deferred deferred_;
  Napi::ObjectReference arrays_;  // keeps what the pointers point to
};

class CallTask : public Task {
 public:
  CallTask(Napi::Env env, Instance* instance, const kcc_function& function, napi_deferred deferred, Napi::Object arrays, Arguments arguments)
      : Task(env, instance, function, deferred, arrays), arguments_(std::move(arguments)) {}

 protected:
  void Execute() override {
    Failure failure = instance_->call(function_, arguments_.inputs.data(), arguments_.outputs.data(), arguments_.dims.data());
    if (failure) set_failure(failure);
  }

 private:
  Arguments arguments_;
};

struct LoopState {
  Loop plan;
  int64_t next;
  double deadline_ms;
};

class LoopTask : public Task {
 public:
  LoopTask(Napi::Env env, Instance* instance, napi_deferred deferred, Napi::Object arrays, std::unique_ptr<LoopState> state)
      : Task(env, instance, *state->plan.function, deferred, arrays), state_(std::move(state)) {}

 protected:
  void Execute() override {
    double slice = monotonic_ms() + kSliceMs;
    Failure failure = instance_->loop(state_->plan, &state_->next, slice < state_->deadline_ms ? slice : state_->deadline_ms);
    if (failure) set_failure(failure);
  }
  void OnOK() override {
    if (state_->next >= state_->plan.last_batch || monotonic_ms() >= state_->deadline_ms) settle(Napi::Number::New(Env(), (double)state_->next));
    else if (may_run_javascript()) (new LoopTask(Env(), instance_, deferred_, arrays_.Value(), std::move(state_)))->Queue();
  }

 private:
  // False when the environment is being torn down; then the loop just ends.
  bool may_run_javascript() {
    napi_value global, value;
    return napi_get_global(Env(), &global) == napi_ok && napi_get_named_property(Env(), global, "Object", &value) == napi_ok;
  }
  std::unique_ptr<LoopState> state_;
};

}  // namespace

Napi::Value start_call(Napi::Env env, Instance* instance, const kcc_function& function, Arguments arguments, Napi::Object arrays) {
  napi_deferred deferred;
  napi_value promise;
  if (napi_create_promise(env, &deferred, &promise) != napi_ok) return env.Undefined();
  (new CallTask(env, instance, function, deferred, arrays, std::move(arguments)))->Queue();
  return Napi::Value(env, promise);
}

Napi::Value start_loop(Napi::Env env, Instance* instance, Loop plan, int64_t first_batch, double budget_ms, Napi::Object arrays) {
  napi_deferred deferred;
  napi_value promise;
  if (napi_create_promise(env, &deferred, &promise) != napi_ok) return env.Undefined();
  std::unique_ptr<LoopState> state(new LoopState{std::move(plan), first_batch, monotonic_ms() + budget_ms});
  (new LoopTask(env, instance, deferred, arrays, std::move(state)))->Queue();
  return Napi::Value(env, promise);
}

}  // namespace kcc
