#include "rows.h"

#include <string.h>

namespace kcc {
namespace {

struct Share {
  const RowCopy* copy;
  int64_t per_chunk;
};

// Rows ahead that are fetched into the cache while one is copied: about 24 KB, at most two batches of 32.
int64_t rows_ahead(int64_t row_bytes) {
  int64_t rows = 24576 / (row_bytes + 1);
  return rows < 2 ? 2 : rows > 64 ? 64 : rows;
}

void fetch_row(const char* row, int64_t bytes) {
  for (int64_t at = 0; at < bytes; at += 64) __builtin_prefetch(row + at);
}

void move(const RowCopy& copy, char* far, char* near, int64_t bytes) { copy.gather ? memcpy(near, far, (size_t)bytes) : memcpy(far, near, (size_t)bytes); }

void copy_chunk(void* context, int64_t chunk) {
  const RowCopy& copy = *((const Share*)context)->copy;
  const int64_t begin = chunk * ((const Share*)context)->per_chunk, end_of = begin + ((const Share*)context)->per_chunk, end = end_of < copy.count ? end_of : copy.count;
  if (!copy.order) return move(copy, copy.column + begin * copy.row_bytes, copy.rows + begin * copy.row_bytes, (end - begin) * copy.row_bytes);
  const int64_t ahead = rows_ahead(copy.row_bytes);
  for (int64_t i = begin; i < end; i++) {
    if (i + ahead < copy.ordered) fetch_row(copy.column + copy.order[i + ahead] * copy.row_bytes, copy.row_bytes);
    move(copy, copy.column + copy.order[i] * copy.row_bytes, copy.rows + i * copy.row_bytes, copy.row_bytes);
  }
}

}  // namespace

void copy_rows(kcc_pool* pool, const RowCopy& copy) {
  const int64_t per_chunk = copy.row_bytes ? (32768 + copy.row_bytes - 1) / copy.row_bytes : copy.count;
  const int64_t chunks = per_chunk ? (copy.count + per_chunk - 1) / per_chunk : 0;
  Share share = {&copy, per_chunk};
  if (pool && chunks > 2) return pool->run(pool, chunks, copy_chunk, &share);
  for (int64_t i = 0; i < chunks; i++) copy_chunk(&share, i);
}

}  // namespace kcc
