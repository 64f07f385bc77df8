// What the driver of a device needs of CUDA: memory, copies, and launches that are recorded once and repeated (runtime.cc).
// Functions give what went wrong, or null; the text stays until the thread's next failure. Everything given to a stream runs
// later, in its order; memory of the host that it copies from or to belongs to it until then.
#pragma once
#include <stdint.h>

namespace kcc {
namespace gpu {

using Failure = const char*;
using Stream = void*;
// Launches recorded on a stream.
using Graph = void*;
// A place in a stream that another stream or the host can wait for.
using Event = void*;

// A text for `Failure`, kept for the thread.
__attribute__((format(printf, 1, 2))) Failure fail(const char* format, ...);

Failure count(int32_t* devices);
// Can the file's kernels run on this device? Later calls of this thread mean it.
Failure use(int32_t device);

// Name and compute capability; the text stays until the thread's next failure or description.
Failure describe(int32_t device, const char** text);

// Bytes of the device in use.
Failure memory(int64_t* free, int64_t* total);
Failure allocate(void** block, int64_t bytes);
void release(void* block);
// Memory of the host that copies may read while the host goes on.
Failure allocate_pinned(void** block, int64_t bytes);
void release_pinned(void* block);
Failure zero(void* block, int64_t bytes, Stream stream);
Failure copy_in(void* device, const void* host, int64_t bytes, Stream stream);
Failure copy_out(void* host, const void* device, int64_t bytes, Stream stream);

Failure make_stream(Stream* stream);
void release_stream(Stream stream);
// Everything given to the stream has ended; what kernels could not do comes out here.
Failure wait(Stream stream);

Failure make_event(Event* event);
// An event that knows when it was reached.
Failure make_timer(Event* event);
void release_event(Event event);
Failure mark(Event event, Stream stream);
// What is given to the stream from now on waits for the mark.
Failure wait_for(Stream stream, Event event);
// The host waits for the mark.
Failure wait_for(Event event);
// Between two marks of timers that have been reached.
Failure nanoseconds(Event from, Event to, int64_t* between);

// Kernels of this thread could be started so far; what they could not do comes out where they are waited for.
Failure started();

// Between the two, what is started on the stream is recorded instead.
Failure begin_recording(Stream stream);
Failure end_recording(Stream stream, Graph* graph);
// Was something done with a stream that is recorded which no recording can hold? What it holds so far is lost.
bool is_spoiled(Stream stream);
// Starts all that was recorded.
Failure repeat(Graph graph, Stream stream);
void release_graph(Graph graph);

}  // namespace gpu

// Room for values, so that the next ones begin where copies and kernels like them to.
inline int64_t room(int64_t bytes) { return (bytes + 255) & ~(int64_t)255; }

}  // namespace kcc
