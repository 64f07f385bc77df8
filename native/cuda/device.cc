// The driver of a device: variables that stay there, one arena that all functions of a module share, recordings of functions
// for the sizes that came up, and logs: rows of scalars that nobody has asked for yet.
#include "data-sets.h"
#include "libraries.h"
#include "measure.h"
#include "recording.h"
#include "runtime.h"
#include "kcc/device.h"

#include <pthread.h>
#include <stdio.h>

namespace kcc {
namespace {

using gpu::Failure;

// Recordings kept: sizes of batches come back, but a service may see many lengths.
constexpr size_t kMostRecordings = 16;

// Rows of floats on the device. Forgotten logs are used again: making and releasing memory stops a device.
struct Log {
  uint64_t number;  // 0: free
  float* rows;
  int64_t floats;
};

class Device {
 public:
  static Failure open(const kcc_module* module, int32_t index, Device** opened);
  ~Device();
  Failure set_variable(uint32_t variable, const void* from);
  Failure get_variable(uint32_t variable, void* into);
  Failure reserve(const kcc_function& function, const int64_t* dims);
  Failure start(const kcc_function& function, const kcc_call& call, const kcc_batch& batch);
  Failure drain();
  Failure read_log(uint64_t number, int64_t first, int64_t count, float* into);
  void forget_log(uint64_t number);
  void forget_data(uint64_t number);
  Failure read_choices(const char* lines);
  const char* choices(bool measures);
  int64_t bytes() const { return variable_bytes_ + arena_bytes_ + data_.bytes() + libraries_.bytes(); }

 private:
  Failure allocate();
  Failure find(const kcc_function& function, const int64_t* dims, Recording** found);
  Failure make(const kcc_function& function, const int64_t* dims, Recording** made);
  Failure check_memory(const kcc_function& function, int64_t arena, int64_t slots);
  Failure reserve_arena(int64_t bytes);
  Failure ask_libraries(Recording* recording);
  Failure measure(Recording* recording);
  void forget_recordings(const Recording* but);
  Failure find_log(const Recording& recording, const kcc_batch& batch, Log** found);
  Failure finish_all();

  const kcc_module* module_ = nullptr;
  int32_t index_ = 0;
  Streams streams_;
  char* block_ = nullptr;
  std::vector<void*> variables_;
  char* arena_ = nullptr;
  int64_t variable_bytes_ = 0, arena_bytes_ = 0;
  Libraries libraries_;
  std::vector<Recording*> recordings_;
  std::vector<Log> logs_;
  DataSets data_;
  uint64_t uses_ = 0;
  pthread_mutex_t lock_ = PTHREAD_MUTEX_INITIALIZER;  // calls share arena and streams
};

class Locked {
 public:
  explicit Locked(pthread_mutex_t* lock) : lock_(lock) { pthread_mutex_lock(lock_); }
  ~Locked() { pthread_mutex_unlock(lock_); }

 private:
  pthread_mutex_t* lock_;
};

double megabytes(int64_t bytes) { return (double)bytes / 1e6; }

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
  if (Failure failure = streams_.make()) return failure;
  for (uint32_t i = 0; i < module_->variable_count; i++) variable_bytes_ += room(module_->variable_bytes[i]);
  if (Failure failure = gpu::allocate((void**)&block_, variable_bytes_)) return failure;
  char* next = block_;
  for (uint32_t i = 0; i < module_->variable_count; next += room(module_->variable_bytes[i++])) variables_.push_back(next);
  if (Failure failure = gpu::zero(block_, variable_bytes_, streams_.kernels)) return failure;
  return gpu::wait(streams_.kernels);
}

Device::~Device() {
  gpu::use(index_);
  finish_all();
  for (Recording* recording : recordings_) delete recording;
  for (const Log& log : logs_) gpu::release(log.rows);
  data_.release();
  gpu::release(arena_);
  gpu::release(block_);
  streams_.release();
  pthread_mutex_destroy(&lock_);
}

// ---- variables

Failure Device::set_variable(uint32_t variable, const void* from) {
  const Locked locked(&lock_);
  if (Failure failure = gpu::use(index_)) return failure;
  if (Failure failure = gpu::copy_in(variables_[variable], from, module_->variable_bytes[variable], streams_.kernels)) return failure;
  return gpu::wait(streams_.kernels);
}

Failure Device::get_variable(uint32_t variable, void* into) {
  const Locked locked(&lock_);
  if (Failure failure = gpu::use(index_)) return failure;
  if (Failure failure = gpu::copy_out(into, variables_[variable], module_->variable_bytes[variable], streams_.kernels)) return failure;
  return gpu::wait(streams_.kernels);
}

// ---- calls

Failure Device::reserve(const kcc_function& function, const int64_t* dims) {
  const Locked locked(&lock_);
  if (Failure failure = gpu::use(index_)) return failure;
  Recording* recording = nullptr;
  if (Failure failure = find(function, dims, &recording)) return failure;
  return recording->reserve();
}

Failure Device::start(const kcc_function& function, const kcc_call& call, const kcc_batch& batch) {
  const Locked locked(&lock_);
  if (Failure failure = gpu::use(index_)) return failure;
  Recording* recording = nullptr;
  if (Failure failure = find(function, call.dims, &recording)) return failure;
  Log* log = nullptr;
  if (Failure failure = find_log(*recording, batch, &log)) return failure;
  const DataSet* data = nullptr;
  if (Failure failure = data_.find(batch, function.input_count, streams_.in, &data)) return failure;
  return recording->start(streams_, call, batch, {log ? log->rows + batch.row * recording->output_count() : nullptr, data});
}

Failure Device::drain() {
  const Locked locked(&lock_);
  if (Failure failure = gpu::use(index_)) return failure;
  return finish_all();
}

Failure Device::finish_all() {
  Failure failure = nullptr;
  for (Recording* recording : recordings_) {
    if (!failure) failure = recording->finish();
    if (failure) recording->abandon();
  }
  if (!failure) failure = gpu::wait(streams_.kernels);
  return failure ? failure : streams_.times.write();
}

// ---- logs

// None where the call is not to keep its outputs here, or they are no row of floats.
Failure Device::find_log(const Recording& recording, const kcc_batch& batch, Log** found) {
  *found = nullptr;
  if (!batch.log) return nullptr;
  if (!recording.keeps_rows()) return gpu::fail("results that are no single floats cannot be kept as a row");
  const int64_t floats = batch.rows * recording.output_count();
  Log* spare = nullptr;
  for (Log& log : logs_) {
    if (log.number == batch.log) return *found = &log, nullptr;
    if (!log.number && log.floats >= floats) spare = &log;
  }
  if (!spare) {
    Log made = {0, nullptr, floats};
    if (Failure failure = gpu::allocate((void**)&made.rows, floats * (int64_t)sizeof(float))) return failure;
    logs_.push_back(made);
    spare = &logs_.back();
  }
  spare->number = batch.log;
  return *found = spare, nullptr;
}

Failure Device::read_log(uint64_t number, int64_t first, int64_t count, float* into) {
  const Locked locked(&lock_);
  if (Failure failure = gpu::use(index_)) return failure;
  if (Failure failure = finish_all()) return failure;
  for (const Log& log : logs_) {
    if (log.number != number) continue;
    if (Failure failure = gpu::copy_out(into, log.rows + first, count * (int64_t)sizeof(float), streams_.kernels)) return failure;
    return gpu::wait(streams_.kernels);
  }
  return gpu::fail("there is no log %llu", (unsigned long long)number);
}

void Device::forget_log(uint64_t number) {
  const Locked locked(&lock_);
  for (Log& log : logs_) if (log.number == number) log.number = 0;
}

void Device::forget_data(uint64_t number) {
  const Locked locked(&lock_);
  gpu::use(index_);
  finish_all();
  data_.forget(number);
}

// ---- recordings

Failure Device::find(const kcc_function& function, const int64_t* dims, Recording** found) {
  *found = nullptr;
  for (Recording* known : recordings_) if (known->is_of(function, dims)) *found = known;
  if (!*found)
    if (Failure failure = make(function, dims, found)) return failure;
  (*found)->used = ++uses_;
  return nullptr;
}

// The one used longest ago makes room. The arena comes first: when it moves, all that was recorded over the old one goes.
Failure Device::make(const kcc_function& function, const int64_t* dims, Recording** made) {
  if (Failure failure = finish_all()) return failure;
  const int64_t arena = function.arena_bytes ? function.arena_bytes(dims) : 0;
  if (arena < 0) return gpu::fail("sizes whose memory no number counts");
  const int64_t slots = Recording::kSlots * Recording({module_, nullptr, nullptr, nullptr}, function, dims).slot_bytes();
  if (Failure failure = check_memory(function, arena, slots)) return failure;
  if (Failure failure = reserve_arena(arena)) return failure;
  if (recordings_.size() == kMostRecordings) {
    size_t oldest = 0;
    for (size_t i = 1; i < recordings_.size(); i++) if (recordings_[i]->used < recordings_[oldest]->used) oldest = i;
    delete recordings_[oldest];
    recordings_.erase(recordings_.begin() + (long)oldest);
  }
  recordings_.push_back(*made = new Recording({module_, variables_.data(), arena_, &libraries_}, function, dims));
  return ask_libraries(*made);
}

// Before anything runs or is allocated. The arena at hand is given back when a larger one is needed, with what was recorded
// over it; data sets make room, then libraries.
Failure Device::check_memory(const kcc_function& function, int64_t arena, int64_t slots) {
  int64_t free = 0, total = 0;
  if (Failure failure = gpu::memory(&free, &total)) return failure;
  if (arena > arena_bytes_) {
    free += arena_bytes_;
    for (const Recording* recording : recordings_) free += recording->bytes();
  }
  const int64_t more = (arena > arena_bytes_ ? arena : 0) + slots;
  if (more <= free) return nullptr;
  if (data_.bytes() > 0) return data_.leave(), check_memory(function, arena, slots);
  if (libraries_.bytes() > 0) return forget_recordings(nullptr), libraries_.release(), check_memory(function, arena, slots);
  return gpu::fail("%s needs %.1f MB of the memory of cuda:%d, %.1f between its kernels and %.1f for batches on their way, beside %.1f MB of variables; "
                   "%.1f of %.1f MB are free. Fewer samples in a batch need less", function.name, megabytes(more), index_, megabytes(arena), megabytes(slots),
                   megabytes(variable_bytes_), megabytes(free), megabytes(total));
}

Failure Device::reserve_arena(int64_t bytes) {
  if (bytes <= arena_bytes_) return nullptr;
  forget_recordings(nullptr);
  gpu::release(arena_);
  arena_ = nullptr, arena_bytes_ = 0;
  if (Failure failure = gpu::allocate((void**)&arena_, bytes)) return failure;
  arena_bytes_ = bytes;
  return nullptr;
}

void Device::forget_recordings(const Recording* but) {
  std::vector<Recording*> kept;
  for (Recording* recording : recordings_) recording == but ? kept.push_back(recording) : delete recording;
  recordings_ = kept;
}

// ---- libraries

Failure Device::read_choices(const char* lines) {
  const Locked locked(&lock_);
  if (Failure failure = gpu::use(index_)) return failure;
  if (Failure failure = finish_all()) return failure;
  forget_recordings(nullptr);
  return libraries_.read(lines);
}

const char* Device::choices(bool measures) {
  const Locked locked(&lock_);
  libraries_.measures = measures;
  return libraries_.text();
}

// Memory for those that were chosen, which all functions share: what was recorded over another place of it goes. The recording has its
// own before.
Failure Device::ask_libraries(Recording* recording) {
  if (!libraries_.is_wanted()) return nullptr;
  ProductNeeds needs(&libraries_);
  if (Failure failure = recording->tell(streams_, &needs)) return failure;
  if (needs.unknown > 0 && libraries_.measures) return measure(recording);
  if (needs.chosen == 0) return nullptr;
  if (Failure failure = recording->reserve()) return failure;
  if (libraries_.reserve(needs.bytes)) forget_recordings(recording);
  FirstStarts starts(&libraries_, block_, variable_bytes_);
  if (Failure failure = recording->tell(streams_, &starts)) return failure;
  return gpu::wait(streams_.kernels);
}

// Kernels that are measured change what they write, variables among it.
Failure Device::measure(Recording* recording) {
  std::vector<char> values((size_t)variable_bytes_);
  if (Failure failure = gpu::copy_out(values.data(), block_, variable_bytes_, streams_.kernels)) return failure;
  if (Failure failure = gpu::wait(streams_.kernels)) return failure;
  const int64_t before = libraries_.bytes();
  Failure failure = nullptr;
  {
    Measurer measurer(&libraries_, streams_.kernels);
    failure = recording->tell(streams_, &measurer);
    if (!failure) failure = measurer.failure();
  }
  if (libraries_.bytes() != before) forget_recordings(recording);
  Failure restored = gpu::copy_in(block_, values.data(), variable_bytes_, streams_.kernels);
  if (!restored) restored = gpu::wait(streams_.kernels);
  return failure ? failure : restored;
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
const char* reserve(void* handle, const kcc_function* function, const int64_t* dims) { return ((Device*)handle)->reserve(*function, dims); }
const char* start(void* handle, const kcc_function* function, const kcc_call* call, const kcc_batch* batch) { return ((Device*)handle)->start(*function, *call, *batch); }
const char* drain(void* handle) { return ((Device*)handle)->drain(); }
const char* read_log(void* handle, uint64_t log, int64_t first, int64_t count, float* into) { return ((Device*)handle)->read_log(log, first, count, into); }
void forget_log(void* handle, uint64_t log) { ((Device*)handle)->forget_log(log); }
void forget_data(void* handle, uint64_t data) { ((Device*)handle)->forget_data(data); }
const char* read_choices(void* handle, const char* lines) { return ((Device*)handle)->read_choices(lines); }
const char* choices(void* handle, int32_t measures) { return ((Device*)handle)->choices(measures != 0); }
int64_t bytes(void* handle) { return ((Device*)handle)->bytes(); }
void close(void* handle) { delete (Device*)handle; }

}  // namespace
}  // namespace kcc

extern "C" const kcc_device kcc_cuda_device;
extern "C" const kcc_device kcc_cuda_device = {
    "cuda", kcc::count, kcc::open, kcc::set_variable, kcc::get_variable, kcc::reserve, kcc::start, kcc::drain, kcc::read_log, kcc::forget_log, kcc::forget_data, kcc::gpu::describe, kcc::read_choices, kcc::choices,
    kcc::bytes, kcc::close,
};
