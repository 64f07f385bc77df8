#include "data-sets.h"
#include "kcc/cuda/launch.h"

#include <algorithm>

namespace kcc {

using gpu::Failure;

namespace {

// ---- gathering

// Columns of one kernel; with more there are several.
constexpr int kMostParts = 8;

struct alignas(16) Four { uint32_t words[4]; };

// One column: its blocks are those from `first_block` on, its rows have `words` of `word` bytes.
struct Part {
  char* to;
  int64_t row_bytes;
  uint32_t first_block, count, words, word;
  bool is_plain;
};

struct GatherArgs {
  const char* const* columns;
  const int32_t* rows;
  int32_t parts;
  Part part[kMostParts];
};

template <class Word>
__device__ void copy_word(char* to, const char* from) { *(Word*)to = *(const Word*)from; }

// Each thread copies one word.
__global__ void __launch_bounds__(kBlock) gather(const GatherArgs args) {
  int at = 0;
  while (at + 1 < args.parts && blockIdx.x >= args.part[at + 1].first_block) at++;
  const Part part = args.part[at];
  const uint32_t item = (blockIdx.x - part.first_block) * kBlock + threadIdx.x;
  const uint32_t row = item / part.words;
  if (row >= part.count) return;
  char* const to = part.to + (int64_t)item * part.word;
  const char* const from = args.columns[at] + (part.is_plain ? row : args.rows[row]) * part.row_bytes + (int64_t)(item - row * part.words) * part.word;
  switch (part.word) {
    case 16: return copy_word<Four>(to, from);
    case 4: return copy_word<uint32_t>(to, from);
    default: return copy_word<char>(to, from);
  }
}

uint32_t word_of(int64_t row_bytes) { return row_bytes % 16 == 0 ? 16 : row_bytes % 4 == 0 ? 4 : 1; }

}  // namespace

Failure gather_rows(const std::vector<Gathered>& parts, const char* const* columns, const int32_t* rows, gpu::Stream stream) {
  refused_items = 0;
  for (size_t first = 0; first < parts.size(); first += kMostParts) {
    GatherArgs args = {columns + first, rows, (int32_t)std::min(parts.size() - first, (size_t)kMostParts), {}};
    int64_t blocks = 0;
    for (int i = 0; i < args.parts; i++) {
      const auto [to, row_bytes, count, is_plain] = parts[first + (size_t)i];
      const uint32_t word = word_of(row_bytes);
      // Rows of nothing have no blocks, and divide by one.
      args.part[i] = {to, row_bytes, (uint32_t)blocks, (uint32_t)count, std::max((uint32_t)(row_bytes / word), 1u), word, is_plain};
      blocks += blocks_for(count * (row_bytes / word), kBlock);
    }
    launch(gather, blocks, kBlock, stream, args);
  }
  return refused_items ? gpu::fail("a batch of %lld words to gather", (long long)refused_items) : gpu::started();
}

// ---- data sets

Failure DataSets::find(const kcc_batch& batch, size_t inputs, gpu::Stream stream, const DataSet** found) {
  *found = nullptr;
  if (!batch.data) return nullptr;
  for (const DataSet& set : sets_)
    if (set.number == batch.data) return *found = set.block ? &set : nullptr, nullptr;
  DataSet set = {batch.data, nullptr, std::vector<const char*>(inputs), 0};
  for (size_t i = 0; i < inputs; i++) set.bytes += room(batch.columns[i].row_bytes * batch.samples);
  if (Failure failure = bring(batch, stream, &set)) return failure;
  sets_.push_back(set);
  if (set.block) bytes_ += set.bytes;
  *found = set.block ? &sets_.back() : nullptr;
  return nullptr;
}

Failure DataSets::bring(const kcc_batch& batch, gpu::Stream stream, DataSet* set) {
  int64_t free = 0, total = 0;
  if (Failure failure = gpu::memory(&free, &total)) return failure;
  if (set->bytes == 0 || set->bytes > free / 2) return nullptr;
  if (gpu::allocate((void**)&set->block, set->bytes)) return set->block = nullptr, nullptr;
  char* next = set->block;
  Failure failure = nullptr;
  for (size_t i = 0; i < set->columns.size() && !failure; i++) {
    const int64_t bytes = batch.columns[i].row_bytes * batch.samples;
    set->columns[i] = next;
    failure = gpu::copy_in(next, batch.columns[i].data, bytes, stream);
    next += room(bytes);
  }
  if (!failure) failure = gpu::wait(stream);
  if (failure) gpu::release(set->block);
  return failure;
}

void DataSets::forget(uint64_t number) {
  for (DataSet& set : sets_) if (set.number == number) leave(&set);
  sets_.erase(std::remove_if(sets_.begin(), sets_.end(), [&](const DataSet& set) { return set.number == number; }), sets_.end());
}

void DataSets::leave(DataSet* set) {
  if (set->block) bytes_ -= set->bytes;
  gpu::release(set->block), set->block = nullptr;
}

void DataSets::leave() {
  for (DataSet& set : sets_) leave(&set);
}

void DataSets::release() { leave(), sets_.clear(); }

}  // namespace kcc
