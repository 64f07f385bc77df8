// Many calls of one function over the batches of a data set. On the host, rows are gathered into buffers of the loop; on a
// device into the memory that it copies from, while it computes the batches before.
#include "instance.h"
#include "memory.h"
#include "rows.h"

namespace kcc {

static const Failure kPartial = "the batch size of this function is fixed, and the last batch is smaller";

// The part of the samples one batch covers, with the places its rows are read from and written to.
struct Batch {
  int64_t index = 0, first = 0, count = 0;
  std::vector<const void*> inputs;
  std::vector<void*> outputs;
};

namespace {

// Buffers for rows in an order, one for each column; none without an order. A device has its own for inputs.
class Staging {
 public:
  ~Staging() { for (char* block : blocks_) release_block(block); }
  bool reserve(const Loop& plan, bool gathers) {
    if (!plan.order) return true;
    for (size_t i = 0; i < plan.inputs.size() && gathers; i++) if (!add(plan.inputs[i].row_bytes, plan.batch_size)) return false;
    first_output_ = blocks_.size();
    for (const Column& column : plan.outputs) if (!add(column.row_bytes, plan.batch_size)) return false;
    return true;
  }
  char* input(size_t i) const { return blocks_[i]; }
  char* output(size_t i) const { return blocks_[first_output_ + i]; }

 private:
  bool add(int64_t row_bytes, int64_t rows) {
    int64_t bytes = 0;
    char* block = __builtin_mul_overflow(row_bytes, rows, &bytes) ? nullptr : allocate_block(bytes);
    if (block) blocks_.push_back(block);
    return block;
  }
  std::vector<char*> blocks_;
  size_t first_output_ = 0;
};

RowCopy rows_of(const Loop& plan, const Column& column, const Batch& batch, void* rows, bool gather) {
  if (!plan.order) return {column.data + batch.first * column.row_bytes, (char*)rows, column.row_bytes, batch.count, nullptr, 0, gather};
  return {column.data, (char*)rows, column.row_bytes, batch.count, plan.order + batch.first, gather ? plan.samples - batch.first : 0, gather};
}

void begin_batch(const Loop& plan, kcc_pool* pool, const Staging& staging, bool gathers, Batch* batch) {
  for (size_t i = 0; i < plan.inputs.size() && gathers; i++) {
    const Column& column = plan.inputs[i];
    if (plan.order) copy_rows(pool, rows_of(plan, column, *batch, staging.input(i), true));
    batch->inputs[i] = plan.order ? staging.input(i) : column.data + batch->first * column.row_bytes;
  }
  for (size_t i = 0; i < plan.outputs.size(); i++)
    batch->outputs[i] = plan.order ? staging.output(i) : plan.outputs[i].data + batch->first * plan.outputs[i].row_bytes;
  for (int64_t k = 0; k < plan.scalar_outputs; k++)
    batch->outputs[plan.outputs.size() + (size_t)k] = plan.logs + batch->index * plan.scalar_outputs + k;
}

void end_batch(const Loop& plan, kcc_pool* pool, const Staging& staging, const Batch& batch) {
  for (size_t i = 0; plan.order && i < plan.outputs.size(); i++)
    copy_rows(pool, rows_of(plan, plan.outputs[i], batch, staging.output(i), false));
}

// The samples of batch `index`; false for a smaller one than the function takes.
bool place_batch(const Loop& plan, int64_t index, Batch* batch, std::vector<int64_t>* dims) {
  batch->index = index;
  batch->first = index * plan.batch_size;
  batch->count = plan.samples - batch->first < plan.batch_size ? plan.samples - batch->first : plan.batch_size;
  if (plan.batch_dim >= 0) (*dims)[(size_t)plan.batch_dim] = batch->count;
  return plan.batch_dim >= 0 || batch->count == plan.batch_size;
}

// A batch that a device takes where it wants to copy it from.
struct Filling {
  const Loop* plan;
  const Batch* batch;
  kcc_pool* pool;
};

void fill(void* context, void* const* inputs) {
  const Filling& from = *(const Filling*)context;
  for (size_t i = 0; i < from.plan->inputs.size(); i++) copy_rows(from.pool, rows_of(*from.plan, from.plan->inputs[i], *from.batch, inputs[i], true));
}

}  // namespace

Failure Instance::loop(const Loop& plan, int64_t* next, double deadline_ms) {
  Staging staging;
  if (!staging.reserve(plan, !device_)) return kMemory;
  Batch batch;
  batch.inputs.resize(plan.inputs.size());
  batch.outputs.resize(plan.outputs.size() + (size_t)plan.scalar_outputs);
  std::vector<int64_t> dims = plan.dims;
  Arena* arena = take_arena();
  Failure failure = nullptr;
  while (!failure && *next < plan.last_batch) {
    if (!place_batch(plan, *next, &batch, &dims)) { failure = kPartial; break; }
    begin_batch(plan, pool_, staging, !device_, &batch);
    plan.function->updates_variables ? pthread_rwlock_wrlock(&lock_) : pthread_rwlock_rdlock(&lock_);
    failure = run_batch(plan, batch, dims.data(), arena);
    pthread_rwlock_unlock(&lock_);
    if (failure) break;
    end_batch(plan, pool_, staging, batch);
    (*next)++;
    if (monotonic_ms() >= deadline_ms) break;
  }
  pthread_rwlock_rdlock(&lock_);
  const Failure last = failure || !plan.log || *next == plan.last_batch ? end_loop(plan, *next) : nullptr;
  if (!failure) failure = last;
  if (closed_) free_arena(arena);
  else return_arena(arena);
  pthread_rwlock_unlock(&lock_);
  return failure;
}

// The caller holds `lock_` as the function needs it.
Failure Instance::run_batch(const Loop& plan, const Batch& batch, const int64_t* dims, Arena* arena) {
  Filling filling = {&plan, &batch, pool_};
  const int64_t rows = (plan.samples + plan.batch_size - 1) / plan.batch_size;
  const int32_t* const order = plan.order ? plan.order + batch.first : nullptr;
  const kcc_batch more = {fill, &filling, plan.log, batch.index, rows, plan.data, plan.inputs.data(), plan.samples, batch.first, batch.count, order};
  const Failure failure = run(*plan.function, batch.inputs.data(), batch.outputs.data(), dims, arena, more);
  // Results that are put into an order are wanted at once; others may come while later batches run.
  return !failure && plan.order && !plan.outputs.empty() ? drain() : failure;
}

// A device may still be at work, and what it has kept is wanted when the last batch has run. The caller holds `lock_`.
Failure Instance::end_loop(const Loop& plan, int64_t next) {
  if (!handle_) return nullptr;
  if (!plan.log || next < plan.last_batch) return drain();
  return device_->read_log(handle_, plan.log, 0, plan.last_batch * plan.scalar_outputs, plan.logs);
}

}  // namespace kcc
