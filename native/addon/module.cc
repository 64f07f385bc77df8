#include "module.h"

#include "loop-plan.h"

namespace kcc {

Napi::Function Module::define(Napi::Env env) {
  return DefineClass(env, "NativeModule", {
      InstanceMethod<&Module::set_variable>("setVariable"), InstanceMethod<&Module::get_variable>("getVariable"),
      InstanceMethod<&Module::set_scalar>("setScalar"), InstanceMethod<&Module::get_scalar>("getScalar"),
      InstanceMethod<&Module::set_random>("setRandom"), InstanceMethod<&Module::get_random>("getRandom"),
      InstanceMethod<&Module::call>("call"), InstanceMethod<&Module::bind>("bind"), InstanceMethod<&Module::call_bound>("callBound"),
      InstanceMethod<&Module::call_async>("callAsync"),
      InstanceMethod<&Module::loop>("loop"), InstanceMethod<&Module::reserve>("reserve"),
      InstanceMethod<&Module::read_log>("readLog"), InstanceMethod<&Module::forget_log>("forgetLog"), InstanceMethod<&Module::forget_data>("forgetData"), InstanceMethod<&Module::describe>("describe"),
      InstanceMethod<&Module::read_choices>("readChoices"), InstanceMethod<&Module::choices>("choices"), InstanceMethod<&Module::bytes>("bytes"), InstanceMethod<&Module::close>("close")});
}

// The External's data: what `open` wants opened, and the pool of the process.
Module::Module(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Module>(info) {
  if (info.Length() != 1 || !info[0].IsExternal()) {
    fail(info.Env(), "use open() to make a module");
    return;
  }
  instance_ = info[0].As<Napi::External<Instance>>().Data();
  instance_->retain();
}

Module::~Module() { if (instance_) instance_->release(); }

// ---- variables, scalars, random streams

static bool present(Napi::Env env, const Instance* instance) { return instance || fail(env, "not an open module"); }

bool Module::read_variable(const Napi::CallbackInfo& info, uint32_t* index, Bytes* array) {
  if (!present(info.Env(), instance_)) return false;
  const kcc_module* module = instance_->module();
  int64_t number;
  if (!read_integer(info.Env(), info[0], "variable", 0, (double)module->variable_count - 1, &number)) return false;
  *index = (uint32_t)number;
  if (!read_bytes(info.Env(), info[1], "the variable's value", array)) return false;
  if ((int64_t)array->length == module->variable_bytes[number]) return true;
  return fail(info.Env(), "variable %u has %lld bytes, the array %lld", *index, (long long)module->variable_bytes[number], (long long)array->length);
}

void Module::set_variable(const Napi::CallbackInfo& info) {
  uint32_t index;
  Bytes array;
  if (!read_variable(info, &index, &array)) return;
  if (Failure failure = instance_->set_variable(index, array.data)) fail_error(info.Env(), "%s", failure);
}

void Module::get_variable(const Napi::CallbackInfo& info) {
  uint32_t index;
  Bytes array;
  if (!read_variable(info, &index, &array)) return;
  if (Failure failure = instance_->get_variable(index, array.data)) fail_error(info.Env(), "%s", failure);
}

bool Module::read_scalar(const Napi::CallbackInfo& info, uint32_t* index) {
  int64_t number;
  if (!present(info.Env(), instance_)) return false;
  if (!read_integer(info.Env(), info[0], "scalar", 0, (double)instance_->module()->scalar_count - 1, &number)) return false;
  *index = (uint32_t)number;
  return true;
}

void Module::set_scalar(const Napi::CallbackInfo& info) {
  uint32_t index;
  double value;
  if (!read_scalar(info, &index)) return;
  if (napi_get_value_double(info.Env(), info[1], &value) != napi_ok) fail(info.Env(), "a scalar's value must be a number");
  else instance_->set_scalar(index, (float)value);
}

Napi::Value Module::get_scalar(const Napi::CallbackInfo& info) {
  uint32_t index;
  if (!read_scalar(info, &index)) return info.Env().Undefined();
  return Napi::Number::New(info.Env(), instance_->scalar(index));
}

void Module::set_random(const Napi::CallbackInfo& info) {
  int64_t seed, step;
  if (!present(info.Env(), instance_)) return;
  if (!read_integer(info.Env(), info[0], "the seed", 0, kMaxInteger, &seed)) return;
  if (!read_integer(info.Env(), info[1], "the step", 0, kMaxInteger, &step)) return;
  instance_->set_random((uint64_t)seed, (uint64_t)step);
}

Napi::Value Module::get_random(const Napi::CallbackInfo& info) {
  if (!present(info.Env(), instance_)) return info.Env().Undefined();
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("seed", (double)instance_->seed());
  result.Set("step", (double)instance_->step());
  return result;
}

Napi::Value Module::bytes(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), instance_ ? (double)instance_->bytes() : 0);
}

void Module::close(const Napi::CallbackInfo&) { if (instance_) instance_->close(); }

// ---- calls

const kcc_function* Module::read_function(const Napi::CallbackInfo& info, napi_value index) {
  int64_t number;
  if (!present(info.Env(), instance_)) return nullptr;
  const kcc_module* module = instance_->module();
  return read_integer(info.Env(), index, "function", 0, (double)module->function_count - 1, &number) ? &module->functions[number] : nullptr;
}

// All elements are fetched before the first is looked into: fetching can run JavaScript, looking cannot.
const kcc_function* Module::read_call(const Napi::CallbackInfo& info, Arguments* into) {
  napi_env env = info.Env();
  const kcc_function* function = read_function(info, info[0]);
  if (!function) return nullptr;
  uint32_t in = function->input_count, out = function->output_count, symbols = instance_->module()->dim_count;
  Values values(in + out + symbols);
  napi_value* v = values.data();
  if (!read_elements(env, info[1], "inputs", in, v) || !read_elements(env, info[2], "outputs", out, v + in) ||
      !read_elements(env, info[3], "dims", symbols, v + in + out))
    return nullptr;
  into->inputs.resize(in), into->outputs.resize(out), into->dims.resize(symbols);
  Bytes bytes;
  for (uint32_t i = 0; i < in; i++) {
    if (!read_bytes(env, v[i], "an input", &bytes)) return nullptr;
    into->inputs[i] = bytes.data;
  }
  for (uint32_t i = 0; i < out; i++) {
    if (!read_bytes(env, v[in + i], "an output", &bytes)) return nullptr;
    into->outputs[i] = bytes.data;
  }
  for (uint32_t i = 0; i < symbols; i++)
    if (!read_integer(env, v[in + out + i], "a dimension", 0, kMaxDim, &into->dims[i])) return nullptr;
  return function;
}

void Module::call(const Napi::CallbackInfo& info) {
  const kcc_function* function = read_call(info, &scratch_);
  if (!function) return;
  Failure failure = instance_->call(*function, scratch_.inputs.data(), scratch_.outputs.data(), scratch_.dims.data());
  if (failure) fail_error(info.Env(), "%s.%s: %s", instance_->module()->name, function->name, failure);
}

// One object that keeps two others alive.
static Napi::Object kept(napi_env env, napi_value a, napi_value b) {
  napi_value both;
  napi_create_array_with_length(env, 2, &both);
  napi_set_element(env, both, 0, a);
  napi_set_element(env, both, 1, b);
  return Napi::Object(env, both);
}

Napi::Value Module::bind(const Napi::CallbackInfo& info) {
  Bound bound;
  bound.function = read_call(info, &bound.arguments);
  if (!bound.function) return info.Env().Undefined();
  bound.arrays = Napi::Persistent(kept(info.Env(), info[1], info[2]));
  bound_.push_back(std::move(bound));
  return Napi::Number::New(info.Env(), (double)(bound_.size() - 1));
}

void Module::call_bound(const Napi::CallbackInfo& info) {
  uint32_t index = UINT32_MAX;
  napi_get_value_uint32(info.Env(), info[0], &index);
  if (!present(info.Env(), instance_)) return;
  if (index >= bound_.size()) {
    fail(info.Env(), "no call was bound under this number");
    return;
  }
  Bound& bound = bound_[index];
  Arguments& a = bound.arguments;
  Failure failure = instance_->call(*bound.function, a.inputs.data(), a.outputs.data(), a.dims.data());
  if (failure) fail_error(info.Env(), "%s.%s: %s", instance_->module()->name, bound.function->name, failure);
}

Napi::Value Module::call_async(const Napi::CallbackInfo& info) {
  Arguments arguments;
  const kcc_function* function = read_call(info, &arguments);
  if (!function) return info.Env().Undefined();
  return start_call(info.Env(), instance_, *function, std::move(arguments), kept(info.Env(), info[1], info[2]));
}

Napi::Value Module::loop(const Napi::CallbackInfo& info) {
  if (!present(info.Env(), instance_)) return info.Env().Undefined();
  if (!info[0].IsObject()) {
    fail(info.Env(), "loop takes a plan");
    return info.Env().Undefined();
  }
  Loop plan;
  int64_t first_batch;
  double budget_ms;
  Napi::Object from = info[0].As<Napi::Object>();
  if (!read_loop(info.Env(), *instance_, from, &plan, &first_batch, &budget_ms)) return info.Env().Undefined();
  return start_loop(info.Env(), instance_, std::move(plan), first_batch, budget_ms, from);
}

void Module::reserve(const Napi::CallbackInfo& info) {
  const kcc_function* function = read_function(info, info[0]);
  if (!function) return;
  const uint32_t symbols = instance_->module()->dim_count;
  Values values(symbols);
  std::vector<int64_t> dims(symbols);
  if (!read_elements(info.Env(), info[1], "dims", symbols, values.data())) return;
  for (uint32_t i = 0; i < symbols; i++) if (!read_integer(info.Env(), values.data()[i], "a dimension", 0, kMaxDim, &dims[i])) return;
  if (Failure failure = instance_->reserve(*function, dims.data())) fail_error(info.Env(), "%s", failure);
}

bool Module::read_number(const Napi::CallbackInfo& info, const char* name, uint64_t* number) {
  int64_t read;
  if (!present(info.Env(), instance_) || !read_integer(info.Env(), info[0], name, 1, kMaxInteger, &read)) return false;
  *number = (uint64_t)read;
  return true;
}

void Module::read_log(const Napi::CallbackInfo& info) {
  uint64_t log;
  Bytes into;
  napi_typedarray_type type;
  int64_t floats;
  if (!read_number(info, "log", &log) || !read_bytes(info.Env(), info[1], "logs", &into, &type)) return;
  if (type != napi_float32_array) { fail(info.Env(), "logs must be a Float32Array"); return; }
  if (!read_integer(info.Env(), info[2], "count", 0, (double)(into.length / sizeof(float)), &floats)) return;
  if (Failure failure = instance_->read_log(log, 0, floats, (float*)into.data)) fail_error(info.Env(), "%s", failure);
}

void Module::forget_log(const Napi::CallbackInfo& info) {
  uint64_t log;
  if (read_number(info, "log", &log)) instance_->forget_log(log);
}

void Module::forget_data(const Napi::CallbackInfo& info) {
  uint64_t data;
  if (read_number(info, "data", &data)) instance_->forget_data(data);
}

// ---- what computes products

Napi::Value Module::describe(const Napi::CallbackInfo& info) {
  const char* text = nullptr;
  if (!present(info.Env(), instance_)) return info.Env().Undefined();
  if (Failure failure = instance_->describe(&text)) return fail_error(info.Env(), "%s", failure), info.Env().Undefined();
  return text ? Napi::Value(Napi::String::New(info.Env(), text)) : info.Env().Null();
}

void Module::read_choices(const Napi::CallbackInfo& info) {
  if (!present(info.Env(), instance_)) return;
  if (!info[0].IsString()) { fail(info.Env(), "choices are text"); return; }
  if (Failure failure = instance_->read_choices(info[0].As<Napi::String>().Utf8Value().c_str())) fail_error(info.Env(), "%s", failure);
}

Napi::Value Module::choices(const Napi::CallbackInfo& info) {
  if (!present(info.Env(), instance_)) return info.Env().Undefined();
  return Napi::String::New(info.Env(), instance_->choices(info[0].IsBoolean() && info[0].As<Napi::Boolean>().Value()));
}

}  // namespace kcc
