// CUDA's runtime as a CPU plays it. A stream is a queue of what was given to it; a wait runs as much of it as is waited for,
// and of other streams what that needs.
//
// For tests, two variables:
//   KCC_HOST_GPU        what the GPU is like, as in "capability=75,memory=1000000": `driver` (13000; 0 is none), `gpus` (1),
//                       `capability` (90), `memory` in bytes (16e9), `pinned`, bytes of the host that copies may read (16e9), `graph`,
//                       the start of a recording from 1 on for which there is no memory, and `lost`, the kernel at which it is lost
//   KCC_HOST_GPU_TRACE  a file to which a line is added for everything that is asked of it
#include "host-api.h"
#include "kcc/cuda/host.h"
#include "kcc/cuda/played.h"
#include "kcc/driver.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <atomic>
#include <deque>
#include <vector>

namespace {

// ---- what is played

double played(const char* name, double usual) { return kcc::played_setting(getenv("KCC_HOST_GPU"), name, usual); }

__attribute__((format(printf, 1, 2))) void trace(const char* format, ...) {
  const char* name = getenv("KCC_HOST_GPU_TRACE");
  FILE* file = name && *name ? fopen(name, "a") : nullptr;
  if (!file) return;
  va_list values;
  va_start(values, format);
  vfprintf(file, format, values);
  va_end(values);
  fputc('\n', file);
  fclose(file);
}

std::atomic<bool> is_lost{false};
std::atomic<int64_t> kernels_run{0}, graphs_started{0}, bytes_taken{0}, bytes_pinned{0};
std::atomic<int> streams_made{0};
thread_local char kernel_failure[256];

// A GPU that is lost stays so for the process.
cudaError_t state() { return is_lost ? cudaErrorLaunchFailure : cudaSuccess; }

int64_t now() {
  timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
}

}  // namespace

// ---- streams

struct HostMark {
  HostQueue* queue = nullptr;
  uint64_t at = 0;        // of what was given to the queue
  int64_t reached = 0;    // nanoseconds
};

struct HostOperation {
  enum Kind { kKernel, kCopy, kFill, kMark, kWait } kind = kKernel;
  kcc::HostStream::Run run = nullptr;
  void (*kernel)() = nullptr;
  unsigned blocks = 0, threads = 0;
  std::vector<char> args;
  void* to = nullptr;
  const void* from = nullptr;
  size_t bytes = 0;
  int value = 0;
  HostMark* mark = nullptr;
  HostMark awaited;  // as it was when the wait was given
};
using Operation = HostOperation;

struct HostGraph {
  std::vector<Operation> operations;
};

// The stream kernels know is its first part.
struct HostQueue : kcc::HostStream {
  int number = 0;
  uint64_t given = 0, done = 0;
  std::deque<Operation> waiting;
  HostGraph* recorded = nullptr;
  bool is_spoiled = false;  // what is recorded

  void add(Operation operation) {
    if (recorded) return recorded->operations.push_back(std::move(operation));
    waiting.push_back(std::move(operation));
    given++;
  }
};

namespace {

cudaError_t advance(HostQueue& queue, uint64_t until);

cudaError_t run_kernel(const Operation& operation) {
  const kcc::FlushDenormals mode;
  const double lost = played("lost", 0);
  if (lost > 0 && ++kernels_run >= (int64_t)lost) is_lost = true;
  if (is_lost) return cudaErrorLaunchFailure;
  operation.run(operation.kernel, operation.blocks, operation.threads, operation.args.data());
  if (!kcc::host_failure[0]) return cudaSuccess;
  memcpy(kernel_failure, kcc::host_failure, sizeof kernel_failure);
  kcc::host_failure[0] = 0;
  return cudaErrorAssert;
}

cudaError_t run(const Operation& operation) {
  switch (operation.kind) {
    case Operation::kKernel: return run_kernel(operation);
    case Operation::kCopy: return memcpy(operation.to, operation.from, operation.bytes), state();
    case Operation::kFill: return memset(operation.to, operation.value, operation.bytes), state();
    case Operation::kMark: return operation.mark->reached = now(), state();
    case Operation::kWait: return operation.awaited.queue ? advance(*operation.awaited.queue, operation.awaited.at) : state();
  }
  return cudaErrorInvalidValue;
}

// The first failure counts; what comes after is run all the same.
cudaError_t advance(HostQueue& queue, uint64_t until) {
  cudaError_t first = state();
  while (queue.done < until && !queue.waiting.empty()) {
    const Operation operation = std::move(queue.waiting.front());
    queue.waiting.pop_front();
    queue.done++;
    const cudaError_t error = run(operation);
    if (first == cudaSuccess) first = error;
  }
  return first;
}

// What a library of the vendor's does inside: nothing to run, and where the arguments lie goes how that went.
void wait_inside(HostQueue& queue, const void* result) { *(int*)const_cast<void*>(result) = cudaStreamSynchronize(&queue); }

void launch(kcc::HostStream* stream, kcc::HostStream::Run run, void (*kernel)(), unsigned blocks, unsigned threads, const void* args, size_t bytes) {
  HostQueue& queue = *(HostQueue*)stream;
  if (!run) return wait_inside(queue, args);
  Operation operation;
  operation.run = run, operation.kernel = kernel, operation.blocks = blocks, operation.threads = threads;
  operation.args.assign((const char*)args, (const char*)args + bytes);
  if (!queue.recorded) trace("kernel on %d", queue.number);
  queue.add(std::move(operation));
}

// Before each block lies how large it is. Blocks are filled with a pattern: what is read before it is written shows.
constexpr size_t kBefore = 256;

cudaError_t take(void** block, size_t bytes) {
  char* const whole = (char*)aligned_alloc(kBefore, (bytes + 2 * kBefore - 1) / kBefore * kBefore);
  if (!whole) return cudaErrorMemoryAllocation;
  *(size_t*)whole = bytes;
  *block = memset(whole + kBefore, 0xa5, bytes);
  return state();
}

size_t give_back(void* block) {
  if (!block) return 0;
  char* const whole = (char*)block - kBefore;
  const size_t bytes = *(size_t*)whole;
  free(whole);
  return bytes;
}

}  // namespace

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  HostQueue* const queue = new HostQueue();
  queue->launch = &launch, queue->number = ++streams_made;
  *stream = queue;
  return state();
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  const cudaError_t error = advance(*stream, stream->given);
  delete stream;
  return error;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  if (stream->recorded) return stream->is_spoiled = true, cudaErrorStreamCaptureUnsupported;
  trace("wait for stream %d", stream->number);
  return advance(*stream, stream->given);
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  Operation operation;
  operation.kind = Operation::kWait, operation.awaited = *event;
  stream->add(std::move(operation));
  return state();
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) { return *event = new HostMark(), state(); }
cudaError_t cudaEventDestroy(cudaEvent_t event) { return delete event, state(); }
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  Operation operation;
  operation.kind = Operation::kMark, operation.mark = event;
  stream->add(std::move(operation));
  event->queue = stream, event->at = stream->given;
  return state();
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  if (!event->queue) return state();
  trace("wait for mark on %d", event->queue->number);
  return advance(*event->queue, event->at);
}
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t from, cudaEvent_t to) {
  *milliseconds = (float)(to->reached - from->reached) * 1e-6f;
  return state();
}

// ---- graphs

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) { return stream->is_spoiled = false, stream->recorded = new HostGraph(), state(); }
cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  *status = !stream->recorded ? cudaStreamCaptureStatusNone : stream->is_spoiled ? cudaStreamCaptureStatusInvalidated : cudaStreamCaptureStatusActive;
  return state();
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  *graph = stream->recorded;
  stream->recorded = nullptr;
  if (!stream->is_spoiled) return state();
  delete *graph;
  return *graph = nullptr, cudaErrorStreamCaptureInvalidated;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long) { return *executable = new HostGraph(*graph), state(); }
cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  if (++graphs_started == (int64_t)played("graph", 0)) return cudaErrorMemoryAllocation;
  trace("graph of %zu on %d", executable->operations.size(), stream->number);
  for (const Operation& operation : executable->operations) stream->add(operation);
  return state();
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) { return delete graph, state(); }
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) { return delete executable, state(); }

// ---- memory

cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  *total = (size_t)played("memory", 16e9);
  const size_t taken = (size_t)bytes_taken.load();
  *free = *total > taken ? *total - taken : 0;
  return state();
}
cudaError_t cudaMalloc(void** block, size_t bytes) {
  size_t free, total;
  cudaMemGetInfo(&free, &total);
  if (bytes > free) return cudaErrorMemoryAllocation;
  trace("allocate %zu", bytes);
  bytes_taken += (int64_t)bytes;
  return take(block, bytes);
}
cudaError_t cudaFree(void* block) {
  const size_t bytes = give_back(block);
  if (block) trace("release %zu", bytes);
  bytes_taken -= (int64_t)bytes;
  return state();
}
cudaError_t cudaMallocHost(void** block, size_t bytes) {
  if ((double)bytes_pinned + (double)bytes > played("pinned", 16e9)) return cudaErrorMemoryAllocation;
  bytes_pinned += (int64_t)bytes;
  return take(block, bytes);
}
cudaError_t cudaFreeHost(void* block) { return bytes_pinned -= (int64_t)give_back(block), state(); }

cudaError_t cudaMemsetAsync(void* block, int value, size_t bytes, cudaStream_t stream) {
  Operation operation;
  operation.kind = Operation::kFill, operation.to = block, operation.value = value, operation.bytes = bytes;
  stream->add(std::move(operation));
  return state();
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  trace("copy %s %zu on %d", kind == cudaMemcpyHostToDevice ? "in" : "out", bytes, stream->number);
  Operation operation;
  operation.kind = Operation::kCopy, operation.to = to, operation.from = from, operation.bytes = bytes;
  stream->add(std::move(operation));
  return state();
}

// ---- devices and errors

cudaError_t cudaDriverGetVersion(int* version) { return *version = (int)played("driver", CUDART_VERSION), cudaSuccess; }
cudaError_t cudaGetDeviceCount(int* count) {
  *count = 0;
  if (played("driver", CUDART_VERSION) < CUDART_VERSION) return cudaErrorInsufficientDriver;
  *count = (int)played("gpus", 1);
  return *count == 0 ? cudaErrorNoDevice : state();
}
cudaError_t cudaSetDevice(int device) { return device < (int)played("gpus", 1) ? state() : cudaErrorInvalidDevice; }
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int) {
  const int capability = (int)played("capability", 90);
  *value = attribute == cudaDevAttrComputeCapabilityMajor ? capability / 10 : capability % 10;
  return state();
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
  const int capability = (int)played("capability", 90);
  *properties = {"a CPU that plays a GPU", capability / 10, capability % 10};
  return state();
}

cudaError_t cudaGetLastError() { return state(); }
const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
    case cudaErrorLaunchFailure: return "cudaErrorLaunchFailure";
    case cudaErrorAssert: return "cudaErrorAssert";
    case cudaErrorStreamCaptureInvalidated: return "cudaErrorStreamCaptureInvalidated";
    default: return "an error";
  }
}
const char* cudaGetErrorString(cudaError_t error) {
  switch (error) {
    case cudaErrorLaunchFailure: return "unspecified launch failure";
    case cudaErrorAssert: return kernel_failure;
    case cudaErrorStreamCaptureInvalidated: return "operation failed due to a previous error during capture";
    default: return "which the host does not play";
  }
}
