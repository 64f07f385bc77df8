// NativeAddon of runtime/contract/native.ts, on top of the kernels linked into the same file.
#include "module.h"

#include "kcc/pool.h"

#include <stdlib.h>

namespace kcc {
namespace {

// Of one environment (the main thread or a worker). Freed with it.
struct Environment {
  kcc_pool* pool = kcc_pool_acquire();
  const kcc_level* level = nullptr;   // of the CPU
  const kcc_level* device = nullptr;  // of a GPU; null when the file has none
  bool poison = false;
  Napi::FunctionReference module;
  ~Environment() { kcc_pool_release(); }
};

// Appends to a list in words.
void append(std::string* list, const char* name) {
  if (!list->empty()) list->append(", ");
  list->append(name);
}

std::string cpu_text() {
  std::string has;
#define KCC_HAS(NAME) if (__builtin_cpu_supports(NAME)) append(&has, NAME);
  KCC_HAS("sse4.2") KCC_HAS("avx") KCC_HAS("avx2") KCC_HAS("fma") KCC_HAS("avx512f") KCC_HAS("avx512bw") KCC_HAS("avx512dq") KCC_HAS("avx512vl")
#undef KCC_HAS
  return has.empty() ? "none of SSE4.2, AVX, AVX2, FMA, AVX-512" : has;
}

// An exception when a module is of another ABI.
bool check_abi(Napi::Env env, const kcc_level* level) {
  for (uint32_t i = 0; i < level->module_count; i++)
    if (level->modules[i]->abi != KCC_ABI)
      return fail_error(env, "%s was compiled for version %u of the native interface, this is version %d", level->modules[i]->name,
                        level->modules[i]->abi, KCC_ABI);
  return true;
}

// The first level of the table the CPU supports; an exception when there is none, or it is of another ABI.
const kcc_level* choose_level(Napi::Env env) {
  std::string names;
  for (const kcc_level* level = kcc_levels; level->name; level++) {
    if (level->device) continue;
    append(&names, level->name);
    if (level->supported()) return check_abi(env, level) ? level : nullptr;
  }
  fail_error(env, "this file holds kernels for %s, and this CPU runs none of them (it has %s)", names.c_str(), cpu_text().c_str());
  return nullptr;
}

// The level that holds code for GPUs, or null.
const kcc_level* device_level() {
  for (const kcc_level* level = kcc_levels; level->name; level++) if (level->device) return level;
  return nullptr;
}

// "cpu" or "cuda:1": whose code it is, and which of its devices; an exception for what is neither or not in the file.
const kcc_level* read_device(Napi::Env env, const Environment& self, const Napi::Value& value, int32_t* index) {
  const std::string name = value.IsString() ? value.As<Napi::String>().Utf8Value() : self.level ? "cpu" : std::string(self.device->device->kind) + ":0";
  *index = 0;
  if (name == "cpu" && self.level) return self.level;
  const size_t colon = name.find(':');
  if (self.device && name.substr(0, colon) == self.device->device->kind) {
    *index = colon == std::string::npos ? 0 : atoi(name.c_str() + colon + 1);
    return self.device;
  }
  fail_error(env, "this file has no code for the device '%s'", name.c_str());
  return nullptr;
}

const kcc_module* find_module(Napi::Env env, const kcc_level* level, const std::string& name) {
  std::string known;
  for (uint32_t i = 0; i < level->module_count; i++) {
    append(&known, level->modules[i]->name);
    if (name == level->modules[i]->name) return level->modules[i];
  }
  fail_error(env, "there is no module '%s' in this file, only %s", name.c_str(), known.c_str());
  return nullptr;
}

Napi::Value open(const Napi::CallbackInfo& info) {
  Environment* self = info.Env().GetInstanceData<Environment>();
  const std::string name = info[0].IsString() ? info[0].As<Napi::String>().Utf8Value() : "";
  int32_t index;
  const kcc_level* level = read_device(info.Env(), *self, info[1], &index);
  const kcc_module* module = level ? find_module(info.Env(), level, name) : nullptr;
  if (!module) return info.Env().Undefined();
  Instance* instance = nullptr;
  if (Failure failure = Instance::open(module, level->device, index, self->pool, self->poison, &instance)) {
    fail_error(info.Env(), "%s: %s", name.c_str(), failure);
    return info.Env().Undefined();
  }
  Napi::Object object = self->module.New({Napi::External<Instance>::New(info.Env(), instance)});
  instance->release();
  return object;
}

// How many GPUs can run this file, and why none can.
Napi::Value gpus(const Napi::CallbackInfo& info) {
  const kcc_level* level = info.Env().GetInstanceData<Environment>()->device;
  const char* why = "this file has no code for GPUs";
  const int32_t count = level ? level->device->count(&why) : 0;
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("count", count);
  result.Set("why", count > 0 ? info.Env().Null() : Napi::Value(Napi::String::New(info.Env(), why)));
  return result;
}

Napi::Value set_threads(const Napi::CallbackInfo& info) {
  int64_t count;
  if (!read_integer(info.Env(), info[0], "the number of threads", 0, 256, &count)) return info.Env().Undefined();
  return Napi::Number::New(info.Env(), kcc_pool_set_threads((int32_t)count));
}

void export_names(Napi::Env env, Napi::Object exports, const kcc_level* chosen) {
  Napi::Array levels = Napi::Array::New(env), modules = Napi::Array::New(env);
  for (uint32_t i = 0; kcc_levels[i].name; i++) if (!kcc_levels[i].device) levels.Set(levels.Length(), kcc_levels[i].name);
  for (uint32_t i = 0; i < chosen->module_count; i++) modules.Set(i, chosen->modules[i]->name);
  exports.Set("abi", KCC_ABI);
  exports.Set("levels", levels);
  exports.Set("level", chosen->name);
  exports.Set("modules", modules);
}

// Tests build files for GPUs alone.
bool has_cpu_level() {
  for (const kcc_level* level = kcc_levels; level->name; level++) if (!level->device) return true;
  return false;
}

Napi::Object initialise(Napi::Env env, Napi::Object exports) {
  const kcc_level *level = has_cpu_level() ? choose_level(env) : nullptr, *device = device_level();
  if ((has_cpu_level() && !level) || (device && !check_abi(env, device))) return exports;
  Environment* self = new Environment();
  self->level = level;
  self->device = device;
  const char* poison = getenv("KCC_POISON");  // for tests: arenas start each call full of signalling NaNs
  self->poison = poison && *poison && *poison != '0';
  self->module = Napi::Persistent(Module::define(env));
  env.SetInstanceData(self);
  export_names(env, exports, level ? level : device);
  exports.Set("open", Napi::Function::New<open>(env, "open"));
  exports.Set("gpus", Napi::Function::New<gpus>(env, "gpus"));
  exports.Set("setThreads", Napi::Function::New<set_threads>(env, "setThreads"));
  return exports;
}

}  // namespace
}  // namespace kcc

static Napi::Object initialise_kcc(Napi::Env env, Napi::Object exports) { return kcc::initialise(env, exports); }
NODE_API_MODULE(kcc, initialise_kcc)
