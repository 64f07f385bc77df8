// NativeAddon of runtime/contract/native.ts, on top of the kernels linked into the same file.
#include "module.h"

#include "kcc/pool.h"

#include <stdlib.h>

namespace kcc {
namespace {

// Of one environment (the main thread or a worker). Freed with it.
struct Environment {
  kcc_pool* pool = kcc_pool_acquire();
  const kcc_level* level = nullptr;
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

// The first level of the table the CPU supports; an exception when there is none, or it is of another ABI.
const kcc_level* choose_level(Napi::Env env) {
  std::string names;
  for (const kcc_level* level = kcc_levels; level->name; level++) {
    append(&names, level->name);
    if (!level->supported()) continue;
    for (uint32_t i = 0; i < level->module_count; i++)
      if (level->modules[i]->abi != KCC_ABI) {
        fail_error(env, "%s was compiled for version %u of the native interface, this is version %d", level->modules[i]->name,
                   level->modules[i]->abi, KCC_ABI);
        return nullptr;
      }
    return level;
  }
  fail_error(env, "this file holds kernels for %s, and this CPU runs none of them (it has %s)", names.c_str(), cpu_text().c_str());
  return nullptr;
}

Napi::Value open(const Napi::CallbackInfo& info) {
  Environment* self = info.Env().GetInstanceData<Environment>();
  std::string name = info[0].IsString() ? info[0].As<Napi::String>().Utf8Value() : "", known;
  for (uint32_t i = 0; i < self->level->module_count; i++) {
    const kcc_module* module = self->level->modules[i];
    append(&known, module->name);
    if (name != module->name) continue;
    Instance* instance = Instance::open(module, self->pool, self->poison);
    if (!instance) {
      fail_error(info.Env(), "%s: out of memory", name.c_str());
      return info.Env().Undefined();
    }
    Napi::Object object = self->module.New({Napi::External<Instance>::New(info.Env(), instance)});
    instance->release();
    return object;
  }
  fail_error(info.Env(), "there is no module '%s' in this file, only %s", name.c_str(), known.c_str());
  return info.Env().Undefined();
}

Napi::Value set_threads(const Napi::CallbackInfo& info) {
  int64_t count;
  if (!read_integer(info.Env(), info[0], "the number of threads", 0, 256, &count)) return info.Env().Undefined();
  return Napi::Number::New(info.Env(), kcc_pool_set_threads((int32_t)count));
}

void export_names(Napi::Env env, Napi::Object exports, const kcc_level* chosen) {
  Napi::Array levels = Napi::Array::New(env), modules = Napi::Array::New(env);
  for (uint32_t i = 0; kcc_levels[i].name; i++) levels.Set(i, kcc_levels[i].name);
  for (uint32_t i = 0; i < chosen->module_count; i++) modules.Set(i, chosen->modules[i]->name);
  exports.Set("abi", KCC_ABI);
  exports.Set("levels", levels);
  exports.Set("level", chosen->name);
  exports.Set("modules", modules);
}

Napi::Object initialise(Napi::Env env, Napi::Object exports) {
  const kcc_level* level = choose_level(env);
  if (!level) return exports;
  Environment* self = new Environment();
  self->level = level;
  const char* poison = getenv("KCC_POISON");  // for tests: arenas start each call full of signalling NaNs
  self->poison = poison && *poison && *poison != '0';
  self->module = Napi::Persistent(Module::define(env));
  env.SetInstanceData(self);
  export_names(env, exports, level);
  exports.Set("open", Napi::Function::New<open>(env, "open"));
  exports.Set("setThreads", Napi::Function::New<set_threads>(env, "setThreads"));
  return exports;
}

}  // namespace
}  // namespace kcc

static Napi::Object initialise_kcc(Napi::Env env, Napi::Object exports) { return kcc::initialise(env, exports); }
NODE_API_MODULE(kcc, initialise_kcc)
