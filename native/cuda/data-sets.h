// Data sets that stay on the device: a training goes over its samples again and again, and a kernel gathers those of each batch
// there in less time than the host takes to gather and copy them. One that would take more than half of the memory that is free
// stays on the host, from where batches are copied as they come.
#pragma once
#include "runtime.h"
#include "kcc/device.h"

#include <stddef.h>
#include <atomic>
#include <vector>

namespace kcc {

// Columns of samples, a row of each for each sample.
struct DataSet {
  uint64_t number;
  char* block;  // of the device; null: it stays on the host
  std::vector<const char*> columns;
  int64_t bytes;
};

class DataSets {
 public:
  // The batch's data set, brought to the device if it was not asked for before; null where the host has its samples.
  gpu::Failure find(const kcc_batch& batch, size_t inputs, gpu::Stream stream, const DataSet** found);
  // The caller has waited for all that reads it.
  void forget(uint64_t number);
  // Gives back the memory of all, whose batches come from the host from now on. The caller has waited likewise.
  void leave();
  void release();
  // Of the device. Any thread may ask, while another brings or forgets some.
  int64_t bytes() const { return bytes_; }

 private:
  gpu::Failure bring(const kcc_batch& batch, gpu::Stream stream, DataSet* set);

  void leave(DataSet* set);

  std::vector<DataSet> sets_;
  std::atomic<int64_t> bytes_{0};
};

// Where rows are put together, how large and how many. With `is_plain` they are those of the column from its beginning.
struct Gathered {
  char* to;
  int64_t row_bytes, count;
  bool is_plain;
};

// Starts the kernel that puts together rows of each column. `columns` and the numbers of `rows` are read on the device, when it runs.
gpu::Failure gather_rows(const std::vector<Gathered>& parts, const char* const* columns, const int32_t* rows, gpu::Stream stream);

}  // namespace kcc
