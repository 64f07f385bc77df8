// Rows of a data set on their way to and from consecutive rows of memory.
#pragma once
#include "kcc/abi.h"

namespace kcc {

struct RowCopy {
  char* column;
  char* rows;
  int64_t row_bytes, count;
  const int32_t* order;  // of rows in the column; null: one after another
  int64_t ordered;       // entries of `order` from here on, those of later batches included
  bool gather;           // from the column to the rows, or back
};

// Shared between the threads of a pool from 64 KB on.
void copy_rows(kcc_pool* pool, const RowCopy& copy);

}  // namespace kcc
