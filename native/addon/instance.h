// One set of variables of one compiled module, and the running of its functions: everything about the addon that has
// nothing to do with JavaScript. Safe to use from several threads.
#pragma once
#include "kcc/device.h"

#include <pthread.h>
#include <vector>

namespace kcc {

// What went wrong, or null. Static texts: nothing is allocated on the way to reporting that memory ran out.
using Failure = const char*;
inline constexpr Failure kMemory = "out of memory";

using Column = kcc_column;

// LoopPlan of runtime/contract/native.ts, checked, with raw pointers.
struct Loop {
  const kcc_function* function;
  std::vector<Column> inputs, outputs;
  float* logs;
  uint64_t log;  // not 0: scalars may stay on a device, in the log of this number, until the last batch has run
  uint64_t data; // not 0: a device may keep the inputs under this number
  int64_t scalar_outputs;
  const int32_t* order;
  int64_t samples, batch_size, last_batch;
  std::vector<int64_t> dims;
  int64_t batch_dim;  // index into dims, or -1 when the module's batch size is fixed
};

// Work space of calls, kept from one to the next.
struct Arena {
  char* data;
  int64_t capacity;
};

struct Batch;

class Instance {
 public:
  // The caller holds the one reference. On a device its variables are there; without one on the host.
  static Failure open(const kcc_module* module, const kcc_device* device, int32_t index, kcc_pool* pool, bool poison, Instance** opened);
  void retain() { __atomic_fetch_add(&references_, 1, __ATOMIC_RELAXED); }
  void release();

  const kcc_module* module() const { return module_; }
  // `bytes` must be the variable's size.
  Failure set_variable(uint32_t index, const void* from);
  Failure get_variable(uint32_t index, void* into);
  void set_scalar(uint32_t index, float value) { __atomic_store(&scalars_[index], &value, __ATOMIC_RELAXED); }
  float scalar(uint32_t index) const { return scalars_[index]; }
  void set_random(uint64_t seed, uint64_t step);
  uint64_t seed() const { return __atomic_load_n(&seed_, __ATOMIC_RELAXED); }
  uint64_t step() const { return __atomic_load_n(&step_, __ATOMIC_RELAXED); }
  int64_t bytes() const { return __atomic_load_n(&bytes_, __ATOMIC_RELAXED) + (handle_ ? device_->bytes(handle_) : 0); }

  Failure call(const kcc_function& function, const void* const* inputs, void* const* outputs, const int64_t* dims);
  // Runs batches from *next on until last_batch, or until `deadline_ms` of monotonic time at a batch boundary (after at
  // least one batch); leaves the first batch not run in *next.
  Failure loop(const Loop& plan, int64_t* next, double deadline_ms);
  // Makes room on a device for calls of these sizes; the host makes it when it runs them.
  Failure reserve(const kcc_function& function, const int64_t* dims);
  // Floats [first, first + count) of what a device has kept in a log. On the host they are in the loop's `logs` already.
  Failure read_log(uint64_t log, int64_t first, int64_t count, float* into);
  void forget_log(uint64_t log);
  // The same of inputs, which only a device keeps.
  void forget_data(uint64_t data);
  // Name and compute capability of the device; null on the host.
  Failure describe(const char** text) const;
  // What computes products on a device (device.h): nothing is to be chosen on the host.
  Failure read_choices(const char* lines);
  const char* choices(bool measures);
  // Frees everything after the calls in progress; later calls fail.
  void close();

 private:
  Instance() = default;
  ~Instance() = default;
  Failure allocate();
  bool allocate_variables();
  // Values by rows, however the variable is stored.
  void copy_variable(uint32_t index, void* values, bool into_variable);
  Failure run(const kcc_function& function, const void* const* inputs, void* const* outputs, const int64_t* dims, Arena* arena, const kcc_batch& batch);
  Failure run_batch(const Loop& plan, const Batch& batch, const int64_t* dims, Arena* arena);
  Failure end_loop(const Loop& plan, int64_t next);
  Failure drain();
  Arena* take_arena();
  void return_arena(Arena* arena);
  bool fit_arena(Arena* arena, int64_t bytes);
  void free_arena(Arena* arena);

  const kcc_module* module_ = nullptr;
  kcc_pool* pool_ = nullptr;
  const kcc_device* device_ = nullptr;
  int32_t device_index_ = 0;
  void* handle_ = nullptr;  // of the device; null on the host
  char** variables_ = nullptr;
  char* variable_block_ = nullptr;
  float* scalars_ = nullptr;
  uint64_t seed_ = 0, step_ = 0;
  int64_t bytes_ = 0;
  int32_t references_ = 1;
  bool poison_ = false, closed_ = false;
  // Held exclusively by functions that update variables, shared by the others; protects variables and closed_.
  pthread_rwlock_t lock_;
  Arena* hot_ = nullptr;  // the arena returned last, swapped in and out without a lock
  pthread_mutex_t arenas_lock_;
  std::vector<Arena*> arenas_;
};

double monotonic_ms();

}  // namespace kcc
