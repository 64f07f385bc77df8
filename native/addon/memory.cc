#include "memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

namespace kcc {

// Large blocks begin at huge pages, which saves most TLB misses of big layers.
static const int64_t kHuge = 2 << 20;
// From here on a block is a mapping of its own. Blocks cut from the heap would leave holes no later block fits: a process
// that opens and closes models would grow (glibc does not reuse the gaps that alignment leaves).
static const int64_t kMapped = 128 << 10;

// Stands before every block.
struct alignas(64) Header {
  char* start;
  int64_t mapped;  // bytes to unmap, or 0 for a block of the heap
};

static char* behind(char* start, char* block, int64_t mapped) {
  Header* header = (Header*)block;
  header->start = start;
  header->mapped = mapped;
  return block + sizeof(Header);
}

static char* from_heap(int64_t bytes) {
  char* start = (char*)malloc((size_t)bytes + sizeof(Header) + 63);
  return start ? behind(start, (char*)(((uintptr_t)start + 63) & ~(uintptr_t)63), 0) : nullptr;
}

static char* from_system(int64_t bytes) {
  const bool large = bytes >= 2 * kHuge;
  const int64_t size = bytes + (int64_t)sizeof(Header) + (large ? 2 * kHuge : 0);
  char* start = (char*)mmap(nullptr, (size_t)size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (start == (char*)MAP_FAILED) return nullptr;
  char* block = start;
  if (large) {
    block = (char*)(((uintptr_t)start + kHuge - 1) & ~(uintptr_t)(kHuge - 1));
    madvise(block, (size_t)(start + size - block) & ~(size_t)(kHuge - 1), MADV_HUGEPAGE);
  }
  return behind(start, block, size);
}

char* allocate_block(int64_t bytes) {
  if (bytes < 0 || bytes > INT64_MAX / 2) return nullptr;
  return bytes < kMapped ? from_heap(bytes) : from_system(bytes);
}

char* allocate_zeroed(int64_t bytes) {
  char* block = allocate_block(bytes);
  if (block && bytes < kMapped) memset(block, 0, (size_t)bytes);
  return block;
}

void release_block(char* block) {
  if (!block) return;
  const Header header = ((Header*)block)[-1];
  if (header.mapped) munmap(header.start, (size_t)header.mapped);
  else free(header.start);
}

}  // namespace kcc
