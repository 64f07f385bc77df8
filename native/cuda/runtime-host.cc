// The driver's needs for kernels that a CPU executes (kcc/cuda/host.h): one device, whose memory is the host's. Blocks are
// filled with a pattern, so that what is read before it is written shows.
#include "runtime.h"
#include "kcc/cuda/host.h"

#include <stdlib.h>
#include <string.h>

namespace kcc {
namespace gpu {

Failure count(int32_t* devices) { return *devices = 1, nullptr; }
Failure use(int32_t) { return nullptr; }

static Failure filled(void** block, int64_t bytes) {
  *block = bytes == 0 ? nullptr : aligned_alloc(256, (size_t)(bytes + 255) & ~(size_t)255);
  if (bytes && !*block) return fail("%.1f MB of the GPU's memory are needed at once, and there are none", (double)bytes / 1e6);
  if (bytes) memset(*block, 0xa5, (size_t)bytes);
  return nullptr;
}
Failure allocate(void** block, int64_t bytes) { return filled(block, bytes); }
void release(void* block) { free(block); }
Failure allocate_pinned(void** block, int64_t bytes) { return filled(block, bytes); }
void release_pinned(void* block) { free(block); }
Failure zero(void* block, int64_t bytes, Stream) {
  if (bytes) memset(block, 0, (size_t)bytes);
  return nullptr;
}
Failure copy_in(void* device, const void* host, int64_t bytes, Stream) {
  if (bytes) memcpy(device, host, (size_t)bytes);
  return nullptr;
}
Failure copy_out(void* host, const void* device, int64_t bytes, Stream) {
  if (bytes) memcpy(host, device, (size_t)bytes);
  return nullptr;
}

Failure make_stream(Stream* stream) { return *stream = nullptr, nullptr; }
void release_stream(Stream) {}
Failure wait(Stream) {
  if (!host_failure[0]) return nullptr;
  const Failure failure = fail("%s", host_failure);
  host_failure[0] = 0;
  return failure;
}

Failure make_event(Event* event) { return *event = nullptr, nullptr; }
void release_event(Event) {}
Failure mark(Event, Stream) { return nullptr; }
Failure wait_for(Stream, Event) { return nullptr; }
Failure wait_for(Event) { return nullptr; }

Failure begin_recording(Stream) { return nullptr; }
Failure end_recording(Stream, Graph* graph) { return *graph = nullptr, nullptr; }
Failure repeat(Graph, Stream) { return nullptr; }
void release_graph(Graph) {}

}  // namespace gpu
}  // namespace kcc
