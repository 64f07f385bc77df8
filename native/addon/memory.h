// Blocks for variables, work space and staging.
#pragma once
#include <stdint.h>

namespace kcc {

// 64-byte aligned; null when there is no memory. Freed by `release_block`, which takes null too.
char* allocate_block(int64_t bytes);
char* allocate_zeroed(int64_t bytes);
void release_block(char* block);

}  // namespace kcc
