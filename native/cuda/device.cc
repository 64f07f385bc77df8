// The driver of a device: variables that stay there, one arena that all functions of a module share, and for every function
// and every set of sizes its launches as one graph, recorded at the first call and repeated from then on. What changes from
// call to call (random step, learning rates, inputs) lies at fixed places, so that a recorded launch finds it. There are two
// such places for each set of sizes: while one call runs, the next one's inputs are copied to the other.
#include "runtime.h"
#include "kcc/abi.h"
#include "kcc/cuda/launch.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <algorithm>
#include <vector>

namespace kcc {
namespace gpu {

Failure fail(const char* format, ...) {
  static thread_local char text[512];
  va_list values;
  va_start(values, format);
  vsnprintf(text, sizeof text, format, values);
  va_end(values);
  return text;
}

}  // namespace gpu

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

// Where one call's inputs and outputs lie, and its launches over them.
struct Slot {
  Staging in, out;
  gpu::Graph graph = nullptr;
  gpu::Event copied = nullptr, done = nullptr;
  std::vector<void*> results;  // of the host, for the call that is running
  bool is_made = false, is_busy = false;

  void release() {
    gpu::release_graph(graph), gpu::release_event(copied), gpu::release_event(done);
    in.release(), out.release();
  }
};

// One function for one set of sizes.
struct Recording {
  const kcc_function* function;
  std::vector<int64_t> dims, tensor_bytes;
  Slot slots[2];
  int next = 0;
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
  Failure start(const kcc_function& function, const kcc_call& call);
  Failure drain();
  int64_t bytes() const { return variable_bytes_ + arena_bytes_; }

 private:
  Failure allocate();
  Failure find(const kcc_function& function, const int64_t* dims, Recording** found);
  Failure make(const kcc_function& function, const int64_t* dims, Recording** made);
  Failure reserve_arena(int64_t bytes);
  Failure take_slot(Recording& recording, Slot** taken);
  Failure make_slot(const Recording& recording, Slot& slot);
  void stage(const Recording& recording, Slot& slot, const kcc_call& call);
  Failure launch(const Recording& recording, Slot& slot);
  Failure run(const Recording& recording, Slot& slot);
  Failure finish(const Recording& recording, Slot& slot);
  Failure finish_all();
  void forget(size_t at);
  int64_t parameter_bytes() const { return room((int64_t)(2 * sizeof(uint64_t) + module_->scalar_count * sizeof(float))); }

  const kcc_module* module_ = nullptr;
  int32_t index_ = 0;
  gpu::Stream stream_ = nullptr, copies_ = nullptr;  // of kernels; of inputs on their way
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
  if (Failure failure = gpu::make_stream(&copies_)) return failure;
  for (uint32_t i = 0; i < module_->variable_count; i++) variable_bytes_ += room(module_->variable_bytes[i]);
  if (Failure failure = gpu::allocate((void**)&block_, variable_bytes_)) return failure;
  char* next = block_;
  for (uint32_t i = 0; i < module_->variable_count; next += room(module_->variable_bytes[i++])) variables_.push_back(next);
  if (Failure failure = gpu::zero(block_, variable_bytes_, stream_)) return failure;
  return gpu::wait(stream_);
}

Device::~Device() {
  gpu::use(index_);
  finish_all();
  while (!recordings_.empty()) forget(recordings_.size() - 1);
  gpu::release(arena_);
  gpu::release(block_);
  gpu::release_stream(stream_), gpu::release_stream(copies_);
  pthread_mutex_destroy(&lock_);
}

void Device::forget(size_t at) {
  Recording* recording = recordings_[at];
  for (Slot& slot : recording->slots) slot.release();
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

Failure Device::start(const kcc_function& function, const kcc_call& call) {
  const Locked locked(&lock_);
  if (Failure failure = gpu::use(index_)) return failure;
  Recording* recording = nullptr;
  Slot* slot = nullptr;
  if (Failure failure = find(function, call.dims, &recording)) return failure;
  if (Failure failure = take_slot(*recording, &slot)) return failure;
  stage(*recording, *slot, call);
  if (Failure failure = launch(*recording, *slot)) return failure;
  slot->results.assign(call.outputs, call.outputs + function.output_count);
  slot->is_busy = true;
  return nullptr;
}

Failure Device::drain() {
  const Locked locked(&lock_);
  if (Failure failure = gpu::use(index_)) return failure;
  return finish_all();
}

Failure Device::finish_all() {
  Failure first = nullptr;
  for (Recording* recording : recordings_)
    for (Slot& slot : recording->slots)
      if (Failure failure = finish(*recording, slot)) first = first ? first : failure;
  const Failure last = gpu::wait(stream_);
  return first ? first : last;
}

// A free one; the second only where calls follow each other without a wait.
Failure Device::take_slot(Recording& recording, Slot** taken) {
  if (recording.slots[recording.next].is_busy) recording.next ^= 1;
  Slot& slot = recording.slots[recording.next];
  if (Failure failure = finish(recording, slot)) return failure;
  *taken = &slot;
  return slot.is_made ? nullptr : make_slot(recording, slot);
}

Failure Device::make_slot(const Recording& recording, Slot& slot) {
  const uint32_t inputs = recording.function->input_count, tensors = (uint32_t)recording.tensor_bytes.size();
  int64_t in = parameter_bytes(), out = 0;
  for (uint32_t i = 0; i < tensors; i++) (i < inputs ? in : out) += room(recording.tensor_bytes[i]);
  if (Failure failure = slot.in.reserve(in)) return failure;
  if (Failure failure = slot.out.reserve(out)) return failure;
  if (Failure failure = gpu::make_event(&slot.copied)) return failure;
  if (Failure failure = gpu::make_event(&slot.done)) return failure;
  slot.is_made = true;
  return nullptr;
}

// Parameters, then inputs, in the memory that is copied in.
void Device::stage(const Recording& recording, Slot& slot, const kcc_call& call) {
  uint64_t* random = (uint64_t*)slot.in.host;
  random[0] = call.seed, random[1] = call.step;
  if (module_->scalar_count) memcpy(random + 2, call.scalars, module_->scalar_count * sizeof(float));
  char* next = slot.in.host + parameter_bytes();
  for (uint32_t i = 0; i < recording.function->input_count; i++) {
    if (recording.tensor_bytes[i]) memcpy(next, call.inputs[i], (size_t)recording.tensor_bytes[i]);
    next += room(recording.tensor_bytes[i]);
  }
}

// Inputs go in beside the kernels of the call before; the kernels wait for both.
Failure Device::launch(const Recording& recording, Slot& slot) {
  if (Failure failure = gpu::copy_in(slot.in.device, slot.in.host, slot.in.bytes, copies_)) return failure;
  if (Failure failure = gpu::mark(slot.copied, copies_)) return failure;
  if (Failure failure = gpu::wait_for(stream_, slot.copied)) return failure;
  if (Failure failure = run(recording, slot)) return failure;
  if (Failure failure = gpu::copy_out(slot.out.host, slot.out.device, slot.out.bytes, stream_)) return failure;
  return gpu::mark(slot.done, stream_);
}

// The launches of the function: recorded when there is no recording yet, and repeated.
Failure Device::run(const Recording& recording, Slot& slot) {
  const kcc_function& function = *recording.function;
  if (!slot.graph) {
    std::vector<const void*> inputs;
    std::vector<void*> outputs;
    const char* in = slot.in.device + parameter_bytes();
    char* out = slot.out.device;
    for (uint32_t i = 0; i < function.input_count; i++) inputs.push_back(in), in += room(recording.tensor_bytes[i]);
    for (uint32_t i = 0; i < function.output_count; i++) outputs.push_back(out), out += room(recording.tensor_bytes[function.input_count + i]);
    kcc_call call = {};
    call.inputs = inputs.data(), call.outputs = outputs.data(), call.variables = variables_.data();
    call.dims = recording.dims.data(), call.arena = arena_, call.stream = stream_;
    call.random = (const uint64_t*)slot.in.device, call.scalars = (const float*)(call.random + 2);
    if (Failure failure = gpu::begin_recording(stream_)) return failure;
    refused_items = 0;
    function.run(&call);
    if (Failure failure = gpu::end_recording(stream_, &slot.graph)) return failure;
    if (refused_items) return gpu::release_graph(slot.graph), slot.graph = nullptr, gpu::fail("a kernel over %lld elements, more than the %lld that one may have", (long long)refused_items, (long long)kMostItems);
  }
  return slot.graph ? gpu::repeat(slot.graph, stream_) : nullptr;
}

// The call in the slot has ended, and its results are where they were wanted.
Failure Device::finish(const Recording& recording, Slot& slot) {
  if (!slot.is_busy) return nullptr;
  slot.is_busy = false;
  if (Failure failure = gpu::wait_for(slot.done)) return failure;
  const char* next = slot.out.host;
  for (size_t i = 0; i < slot.results.size(); i++) {
    const int64_t bytes = recording.tensor_bytes[recording.function->input_count + i];
    if (bytes) memcpy(slot.results[i], next, (size_t)bytes);
    next += room(bytes);
  }
  return nullptr;
}

// ---- recordings

Failure Device::find(const kcc_function& function, const int64_t* dims, Recording** found) {
  for (Recording* known : recordings_) {
    if (known->function != &function || !std::equal(known->dims.begin(), known->dims.end(), dims)) continue;
    known->used = ++uses_;
    return *found = known, nullptr;
  }
  return make(function, dims, found);
}

// The one used longest ago makes room. The arena comes first: when it moves, all that was recorded over the old one goes.
Failure Device::make(const kcc_function& function, const int64_t* dims, Recording** made) {
  if (Failure failure = finish_all()) return failure;
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
  *made = recording;
  return nullptr;
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
const char* start(void* handle, const kcc_function* function, const kcc_call* call) { return ((Device*)handle)->start(*function, *call); }
const char* drain(void* handle) { return ((Device*)handle)->drain(); }
int64_t bytes(void* handle) { return ((Device*)handle)->bytes(); }
void close(void* handle) { delete (Device*)handle; }

}  // namespace
}  // namespace kcc

extern "C" const kcc_device kcc_cuda_device;
extern "C" const kcc_device kcc_cuda_device = {
    "cuda", kcc::count, kcc::open, kcc::set_variable, kcc::get_variable, kcc::start, kcc::drain, kcc::bytes, kcc::close,
};
