// The driver of a device: variables that stay there, one arena that all functions of a module share, and for every function
// and every set of sizes its launches as one graph, recorded at the first call and repeated from then on. What changes from
// call to call (random step, learning rates, inputs) lies at fixed places, so that a recorded launch finds it.
#include "runtime.h"
#include "kcc/abi.h"

#include <pthread.h>
#include <string.h>
#include <vector>

namespace kcc {
namespace {

using gpu::Failure;

int64_t room(int64_t bytes) { return (bytes + 255) & ~(int64_t)255; }

// Memory of the device and of the host beside it, which are copied as one.
struct Staging {
  char* device = nullptr;
  char* host = nullptr;
  int64_t bytes = 0;

  Failure reserve(int64_t wanted) {
    bytes = wanted;
    if (Failure failure = gpu::allocate((void**)&device, wanted)) return failure;
    return gpu::allocate_pinned((void**)&host, wanted);
  }
  void release() { gpu::release(device), gpu::release_pinned(host); }
};

// One function for one set of sizes.
struct Recording {
  const kcc_function* function;
  std::vector<int64_t> dims, tensor_bytes;
  Staging in, out;
  gpu::Graph graph = nullptr;
  uint64_t used = 0;
};

// Recordings kept: sizes of batches come back, but a service may see many lengths.
constexpr size_t kMostRecordings = 16;

class Device {
 public:
  static Failure open(const kcc_module* module, int32_t index, Device** opened);
  ~Device();
  Failure set_variable(uint32_t variable, const void* from);
  Failure get_variable(uint32_t variable, void* into);
  Failure run(const kcc_function& function, const kcc_call& call);
  int64_t bytes() const { return variable_bytes_ + arena_bytes_; }

 private:
  Failure allocate();
  Failure find(const kcc_function& function, const int64_t* dims, Recording** found);
  Failure make(const kcc_function& function, const int64_t* dims, Recording** made);
  Failure reserve_arena(int64_t bytes);
  void stage(Recording& recording, const kcc_call& call);
  Failure record(Recording& recording, const kcc_call& staged);
  Failure start(Recording& recording);
  kcc_call staged_call(Recording& recording, std::vector<const void*>* inputs, std::vector<void*>* outputs);
  void forget(size_t at);
  int64_t parameter_bytes() const { return room((int64_t)(2 * sizeof(uint64_t) + module_->scalar_count * sizeof(float))); }

  const kcc_module* module_ = nullptr;
  int32_t index_ = 0;
  gpu::Stream stream_ = nullptr;
  char* block_ = nullptr;
  std::vector<void*> variables_;
  char* arena_ = nullptr;
  int64_t variable_bytes_ = 0, arena_bytes_ = 0;
  std::vector<Recording*> recordings_;
  uint64_t uses_ = 0;
  pthread_mutex_t lock_ = PTHREAD_MUTEX_INITIALIZER;  // calls share arena and stream
};

class Locked {
 public:
  explicit Locked(pthread_mutex_t* lock) : lock_(lock) { pthread_mutex_lock(lock_); }
  ~Locked() { pthread_mutex_unlock(lock_); }

 private:
  pthread_mutex_t* lock_;
};

// ---- life

Failure Device::open(const kcc_module* module, int32_t index, Device** opened) {
  Device* self = new Device();
  self->module_ = module, self->index_ = index;
  const Failure failure = self->allocate();
  if (failure) delete self, self = nullptr;
  *opened = self;
  return failure;
}

Failure Device::allocate() {
  if (Failure failure = gpu::use(index_)) return failure;
  if (Failure failure = gpu::make_stream(&stream_)) return failure;
  for (uint32_t i = 0; i < module_->variable_count; i++) variable_bytes_ += room(module_->variable_bytes[i]);
  if (Failure failure = gpu::allocate((void**)&block_, variable_bytes_)) return failure;
  char* next = block_;
  for (uint32_t i = 0; i < module_->variable_count; next += room(module_->variable_bytes[i++])) variables_.push_back(next);
  if (Failure failure = gpu::zero(block_, variable_bytes_, stream_)) return failure;
  return gpu::wait(stream_);
}

Device::~Device() {
  gpu::use(index_);
  while (!recordings_.empty()) forget(recordings_.size() - 1);
  gpu::release(arena_);
  gpu::release(block_);
  gpu::release_stream(stream_);
  pthread_mutex_destroy(&lock_);
}

void Device::forget(size_t at) {
  Recording* recording = recordings_[at];
  gpu::release_graph(recording->graph);
  recording->in.release(), recording->out.release();
  delete recording;
  recordings_.erase(recordings_.begin() + (long)at);
}

// ---- variables

Failure Device::set_variable(uint32_t variable, const void* from) {
  const Locked locked(&lock_);
  if (Failure failure = gpu::use(index_)) return failure;
  if (Failure failure = gpu::copy_in(variables_[variable], from, module_->variable_bytes[variable], stream_)) return failure;
  return gpu::wait(stream_);
}

Failure Device::get_variable(uint32_t variable, void* into) {
  const Locked locked(&lock_);
  if (Failure failure = gpu::use(index_)) return failure;
  if (Failure failure = gpu::copy_out(into, variables_[variable], module_->variable_bytes[variable], stream_)) return failure;
  return gpu::wait(stream_);
}

// ---- calls

Failure Device::run(const kcc_function& function, const kcc_call& call) {
  const Locked locked(&lock_);
  if (Failure failure = gpu::use(index_)) return failure;
  Recording* recording = nullptr;
  if (Failure failure = find(function, call.dims, &recording)) return failure;
  stage(*recording, call);
  if (Failure failure = start(*recording)) return failure;
  if (Failure failure = gpu::wait(stream_)) return failure;
  const char* next = recording->out.host;
  for (uint32_t i = 0; i < function.output_count; i++) {
    const int64_t bytes = recording->tensor_bytes[function.input_count + i];
    if (bytes) memcpy(call.outputs[i], next, (size_t)bytes);
    next += room(bytes);
  }
  return nullptr;
}

// Parameters, then inputs, in the memory that is copied in.
void Device::stage(Recording& recording, const kcc_call& call) {
  uint64_t* random = (uint64_t*)recording.in.host;
  random[0] = call.seed, random[1] = call.step;
  if (module_->scalar_count) memcpy(random + 2, call.scalars, module_->scalar_count * sizeof(float));
  char* next = recording.in.host + parameter_bytes();
  for (uint32_t i = 0; i < recording.function->input_count; i++) {
    if (recording.tensor_bytes[i]) memcpy(next, call.inputs[i], (size_t)recording.tensor_bytes[i]);
    next += room(recording.tensor_bytes[i]);
  }
}

Failure Device::start(Recording& recording) {
  if (Failure failure = gpu::copy_in(recording.in.device, recording.in.host, recording.in.bytes, stream_)) return failure;
  std::vector<const void*> inputs;
  std::vector<void*> outputs;
  const kcc_call staged = staged_call(recording, &inputs, &outputs);
  if (gpu::starts_at_once()) recording.function->run(&staged);
  else if (!recording.graph)
    if (Failure failure = record(recording, staged)) return failure;
  if (recording.graph)
    if (Failure failure = gpu::repeat(recording.graph, stream_)) return failure;
  return gpu::copy_out(recording.out.host, recording.out.device, recording.out.bytes, stream_);
}

Failure Device::record(Recording& recording, const kcc_call& staged) {
  if (Failure failure = gpu::begin_recording(stream_)) return failure;
  recording.function->run(&staged);
  return gpu::end_recording(stream_, &recording.graph);
}

kcc_call Device::staged_call(Recording& recording, std::vector<const void*>* inputs, std::vector<void*>* outputs) {
  const kcc_function& function = *recording.function;
  const char* in = recording.in.device + parameter_bytes();
  char* out = recording.out.device;
  for (uint32_t i = 0; i < function.input_count; i++) inputs->push_back(in), in += room(recording.tensor_bytes[i]);
  for (uint32_t i = 0; i < function.output_count; i++) outputs->push_back(out), out += room(recording.tensor_bytes[function.input_count + i]);
  kcc_call call = {};
  call.inputs = inputs->data(), call.outputs = outputs->data(), call.variables = variables_.data();
  call.dims = recording.dims.data(), call.arena = arena_, call.stream = stream_;
  call.random = (const uint64_t*)recording.in.device, call.scalars = (const float*)(call.random + 2);
  return call;
}

// ---- recordings

Failure Device::find(const kcc_function& function, const int64_t* dims, Recording** found) {
  for (Recording* known : recordings_) {
    if (known->function != &function || memcmp(known->dims.data(), dims, module_->dim_count * sizeof(int64_t)) != 0) continue;
    known->used = ++uses_;
    return *found = known, nullptr;
  }
  return make(function, dims, found);
}

// The one used longest ago makes room. The arena comes first: when it moves, all that was recorded over the old one goes.
Failure Device::make(const kcc_function& function, const int64_t* dims, Recording** made) {
  if (Failure failure = reserve_arena(function.arena_bytes ? function.arena_bytes(dims) : 0)) return failure;
  if (recordings_.size() == kMostRecordings) {
    size_t oldest = 0;
    for (size_t i = 1; i < recordings_.size(); i++) if (recordings_[i]->used < recordings_[oldest]->used) oldest = i;
    forget(oldest);
  }
  Recording* recording = new Recording();
  recordings_.push_back(recording);
  recording->function = &function, recording->used = ++uses_;
  recording->dims.assign(dims, dims + module_->dim_count);
  recording->tensor_bytes.resize(function.input_count + function.output_count);
  function.tensor_bytes(dims, recording->tensor_bytes.data());
  int64_t in = parameter_bytes(), out = 0;
  for (uint32_t i = 0; i < function.input_count; i++) in += room(recording->tensor_bytes[i]);
  for (uint32_t i = 0; i < function.output_count; i++) out += room(recording->tensor_bytes[function.input_count + i]);
  Failure failure = recording->in.reserve(in);
  if (!failure) failure = recording->out.reserve(out);
  if (failure) forget(recordings_.size() - 1);
  else *made = recording;
  return failure;
}

Failure Device::reserve_arena(int64_t bytes) {
  if (bytes < 0) return gpu::fail("sizes whose memory no number counts");
  if (bytes <= arena_bytes_) return nullptr;
  while (!recordings_.empty()) forget(recordings_.size() - 1);
  gpu::release(arena_);
  arena_ = nullptr, arena_bytes_ = 0;
  if (Failure failure = gpu::allocate((void**)&arena_, bytes)) return failure;
  arena_bytes_ = bytes;
  return nullptr;
}

// ---- the table

int32_t count(const char** why) {
  int32_t devices = 0;
  *why = gpu::count(&devices);
  return devices;
}
const char* open(const kcc_module* module, int32_t index, void** handle) {
  int32_t devices = 0;
  if (Failure failure = gpu::count(&devices)) return failure;
  if (index < 0 || index >= devices) return gpu::fail("there is no cuda:%d on this machine, only %d of them from cuda:0 on", index, devices);
  return Device::open(module, index, (Device**)handle);
}
const char* set_variable(void* handle, uint32_t variable, const void* from) { return ((Device*)handle)->set_variable(variable, from); }
const char* get_variable(void* handle, uint32_t variable, void* into) { return ((Device*)handle)->get_variable(variable, into); }
const char* run(void* handle, const kcc_function* function, const kcc_call* call) { return ((Device*)handle)->run(*function, *call); }
int64_t bytes(void* handle) { return ((Device*)handle)->bytes(); }
void close(void* handle) { delete (Device*)handle; }

}  // namespace
}  // namespace kcc

extern "C" const kcc_device kcc_cuda_device;
extern "C" const kcc_device kcc_cuda_device = {
    "cuda", kcc::count, kcc::open, kcc::set_variable, kcc::get_variable, kcc::run, kcc::bytes, kcc::close,
};
