#include "instance.h"
#include "memory.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

namespace kcc {

static const Failure kClosed = "the module is closed";

double monotonic_ms() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

// ---- life

Failure Instance::open(const kcc_module* module, const kcc_device* device, int32_t index, kcc_pool* pool, bool poison, Instance** opened) {
  Instance* self = new Instance();
  self->module_ = module;
  self->device_ = device;
  self->device_index_ = index;
  self->pool_ = pool;
  self->poison_ = poison;
  pthread_rwlock_init(&self->lock_, nullptr);
  pthread_mutex_init(&self->arenas_lock_, nullptr);
  const Failure failure = self->allocate();
  if (failure) self->release();
  *opened = failure ? nullptr : self;
  return failure;
}

Failure Instance::allocate() {
  if (!(scalars_ = (float*)calloc(module_->scalar_count + 1, sizeof(float)))) return kMemory;
  if (module_->scalar_count) memcpy(scalars_, module_->scalar_values, module_->scalar_count * sizeof(float));
  if (device_) return device_->open(module_, device_index_, &handle_);
  return allocate_variables() ? nullptr : kMemory;
}

// All variables are in one block, so that the system can back it with large pages. Each starts a line of its own; a
// further line keeps equal matrices from falling into the same cache sets.
static int64_t room(int64_t bytes) { return (bytes + 127) & ~(int64_t)63; }

bool Instance::allocate_variables() {
  variables_ = (char**)calloc(module_->variable_count + 1, sizeof(char*));
  if (!variables_) return false;
  int64_t total = 0;
  for (uint32_t i = 0; i < module_->variable_count; i++) total += room(module_->variable_bytes[i]);
  if (!(variable_block_ = allocate_zeroed(total))) return false;
  char* next = variable_block_;
  for (uint32_t i = 0; i < module_->variable_count; i++) {
    variables_[i] = next;
    next += room(module_->variable_bytes[i]);
    bytes_ += module_->variable_bytes[i];
  }
  return true;
}

void Instance::close() {
  pthread_rwlock_wrlock(&lock_);
  if (!closed_) {
    closed_ = true;
    if (handle_) device_->close(handle_);
    handle_ = nullptr;
    release_block(variable_block_);
    free(variables_);
    variable_block_ = nullptr;
    variables_ = nullptr;
    if (Arena* hot = __atomic_exchange_n(&hot_, nullptr, __ATOMIC_ACQ_REL)) free_arena(hot);
    pthread_mutex_lock(&arenas_lock_);
    for (Arena* arena : arenas_) free_arena(arena);
    arenas_.clear();
    pthread_mutex_unlock(&arenas_lock_);
    __atomic_store_n(&bytes_, 0, __ATOMIC_RELAXED);
  }
  pthread_rwlock_unlock(&lock_);
}

void Instance::release() {
  if (__atomic_sub_fetch(&references_, 1, __ATOMIC_ACQ_REL)) return;
  close();
  free(scalars_);
  pthread_rwlock_destroy(&lock_);
  pthread_mutex_destroy(&arenas_lock_);
  delete this;
}

// ---- variables

// Copies a matrix by rows into blocks of columns, or back.
static void copy_blocks(float* blocks, float* rows, int64_t floats, int64_t columns, bool into_blocks) {
  const int64_t width = KCC_BLOCK_COLUMNS, height = floats / columns;
  for (int64_t column = 0; column < columns; column += width)
    for (int64_t row = 0; row < height; row++, blocks += width) {
      float* const line = rows + row * columns + column;
      memcpy(into_blocks ? blocks : line, into_blocks ? line : blocks, (size_t)width * sizeof(float));
    }
}

void Instance::copy_variable(uint32_t index, void* values, bool into_variable) {
  const int64_t bytes = module_->variable_bytes[index], columns = module_->blocked_columns ? module_->blocked_columns[index] : 0;
  char* const stored = variables_[index];
  if (columns) copy_blocks((float*)stored, (float*)values, bytes / (int64_t)sizeof(float), columns, into_variable);
  else if (bytes) memcpy(into_variable ? stored : values, into_variable ? values : stored, (size_t)bytes);
}

Failure Instance::set_variable(uint32_t index, const void* from) {
  pthread_rwlock_wrlock(&lock_);
  Failure failure = closed_ ? kClosed : nullptr;
  if (!failure && handle_) failure = device_->set_variable(handle_, index, from);
  else if (!failure) copy_variable(index, const_cast<void*>(from), true);
  pthread_rwlock_unlock(&lock_);
  return failure;
}

Failure Instance::get_variable(uint32_t index, void* into) {
  pthread_rwlock_rdlock(&lock_);
  Failure failure = closed_ ? kClosed : nullptr;
  if (!failure && handle_) failure = device_->get_variable(handle_, index, into);
  else if (!failure) copy_variable(index, into, false);
  pthread_rwlock_unlock(&lock_);
  return failure;
}

void Instance::set_random(uint64_t seed, uint64_t step) {
  __atomic_store_n(&seed_, seed, __ATOMIC_RELAXED);
  __atomic_store_n(&step_, step, __ATOMIC_RELAXED);
}

// ---- arenas

Arena* Instance::take_arena() {
  if (Arena* hot = __atomic_exchange_n(&hot_, nullptr, __ATOMIC_ACQ_REL)) return hot;
  Arena* arena = nullptr;
  pthread_mutex_lock(&arenas_lock_);
  if (!arenas_.empty()) {
    arena = arenas_.back();
    arenas_.pop_back();
  }
  pthread_mutex_unlock(&arenas_lock_);
  return arena ? arena : new Arena{nullptr, 0};
}

void Instance::return_arena(Arena* arena) {
  arena = __atomic_exchange_n(&hot_, arena, __ATOMIC_ACQ_REL);
  if (!arena) return;
  pthread_mutex_lock(&arenas_lock_);
  arenas_.push_back(arena);
  pthread_mutex_unlock(&arenas_lock_);
}

bool Instance::fit_arena(Arena* arena, int64_t bytes) {
  if (bytes < 0) return false;
  if (arena->capacity < bytes) {
    release_block(arena->data);
    __atomic_fetch_sub(&bytes_, arena->capacity, __ATOMIC_RELAXED);
    arena->data = allocate_block(bytes);
    arena->capacity = arena->data ? bytes : 0;
    __atomic_fetch_add(&bytes_, arena->capacity, __ATOMIC_RELAXED);
  }
  if (poison_ && arena->data)  // signalling NaNs: what reads unwritten memory shows it
    for (int64_t i = 0; i < bytes / 4; i++) ((uint32_t*)arena->data)[i] = 0x7fa00000u;
  return bytes == 0 || arena->data;
}

void Instance::free_arena(Arena* arena) {
  release_block(arena->data);
  delete arena;
}

// ---- running

// The caller holds `lock_` as the function needs it.
Failure Instance::run(const kcc_function& function, const void* const* inputs, void* const* outputs, const int64_t* dims, Arena* arena, const kcc_batch& batch) {
  if (closed_) return kClosed;
  if (!handle_ && !fit_arena(arena, function.arena_bytes ? function.arena_bytes(dims) : 0)) return kMemory;
  kcc_call call;
  call.stream = nullptr;
  call.random = nullptr;
  call.inputs = inputs;
  call.outputs = outputs;
  call.variables = (void* const*)variables_;
  call.scalars = scalars_;
  call.dims = dims;
  call.arena = arena->data;
  call.pool = pool_;
  call.seed = seed();
  call.step = function.uses_random ? __atomic_fetch_add(&step_, 1, __ATOMIC_RELAXED) : step();
  if (handle_) return device_->start(handle_, &function, &call, &batch);
  function.run(&call);
  return nullptr;
}

Failure Instance::call(const kcc_function& function, const void* const* inputs, void* const* outputs, const int64_t* dims) {
  function.updates_variables ? pthread_rwlock_wrlock(&lock_) : pthread_rwlock_rdlock(&lock_);
  Failure failure = kClosed;
  if (!closed_) {
    Arena* arena = take_arena();
    failure = run(function, inputs, outputs, dims, arena, {});
    if (!failure) failure = drain();
    return_arena(arena);
  }
  pthread_rwlock_unlock(&lock_);
  return failure;
}

Failure Instance::reserve(const kcc_function& function, const int64_t* dims) {
  pthread_rwlock_rdlock(&lock_);
  const Failure failure = closed_ ? kClosed : handle_ ? device_->reserve(handle_, &function, dims) : nullptr;
  pthread_rwlock_unlock(&lock_);
  return failure;
}

Failure Instance::read_log(uint64_t log, int64_t first, int64_t count, float* into) {
  pthread_rwlock_rdlock(&lock_);
  const Failure failure = handle_ ? device_->read_log(handle_, log, first, count, into) : device_ ? kClosed : nullptr;
  pthread_rwlock_unlock(&lock_);
  return failure;
}

void Instance::forget_log(uint64_t log) {
  pthread_rwlock_rdlock(&lock_);
  if (handle_) device_->forget_log(handle_, log);
  pthread_rwlock_unlock(&lock_);
}

void Instance::forget_data(uint64_t data) {
  pthread_rwlock_rdlock(&lock_);
  if (handle_) device_->forget_data(handle_, data);
  pthread_rwlock_unlock(&lock_);
}

Failure Instance::describe(const char** text) const { return device_ ? device_->describe(device_index_, text) : (*text = nullptr, nullptr); }

Failure Instance::read_choices(const char* lines) {
  pthread_rwlock_wrlock(&lock_);
  const Failure failure = handle_ ? device_->read_choices(handle_, lines) : nullptr;
  pthread_rwlock_unlock(&lock_);
  return failure;
}

const char* Instance::choices(bool measures) {
  pthread_rwlock_wrlock(&lock_);
  const char* const text = handle_ ? device_->choices(handle_, measures) : "";
  pthread_rwlock_unlock(&lock_);
  return text;
}

// A device goes on by itself: its results are there when it has come to rest. The caller holds `lock_`.
Failure Instance::drain() { return handle_ ? device_->drain(handle_) : nullptr; }

}  // namespace kcc
