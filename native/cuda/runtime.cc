// The driver's needs on top of CUDA's runtime, which is linked in: a machine needs its GPU's driver and nothing else. Where a
// CPU executes the kernels it plays that runtime as well.
#include "runtime.h"

#ifdef __CUDACC__
#include <cuda_runtime_api.h>
#else
#include "host-api.h"
#endif
#include <stdarg.h>
#include <stdio.h>
#include <atomic>

// Compute capabilities the file holds machine code for, ascending, ending with 0: given by the build. The last is there as
// PTX too, which newer devices compile for themselves.
static const int kArchitectures[] = {KCC_ARCHITECTURES, 0};

namespace kcc {
namespace gpu {

Failure fail(const char* format, ...) {
  static thread_local char text[512];
  va_list values;
  va_start(values, format);
  vsnprintf(text, sizeof text, format, values);
  va_end(values);
  return text;
}

static thread_local int32_t current = 0;            // the device of this thread
static std::atomic<bool> has_worked{false};         // some device, for something

// An error after which every call fails, until the process ends: a kernel that left its memory, a card that fell off the bus.
static bool stays() { return has_worked && cudaFree(nullptr) != cudaSuccess; }

static Failure check(cudaError_t error) {
  if (error == cudaSuccess) return nullptr;
  cudaGetLastError();  // an error that does not stay is over
  if (error == cudaErrorMemoryAllocation) return fail("the GPU is out of memory");
  const char *name = cudaGetErrorName(error), *text = cudaGetErrorString(error);
  if (!stays()) return fail("the GPU reports %s: %s", name, text);
  return fail("cuda:%d was lost (%s: %s). Models on it are lost with it, and this process can use it no more; models on the CPU go on", current, name, text);
}

// ---- devices

static Failure why_no_driver() {
  int driver = 0;
  if (cudaDriverGetVersion(&driver) != cudaSuccess || driver == 0) return fail("there is no NVIDIA driver on this machine");
  return fail("the NVIDIA driver is too old: it runs CUDA %d.%d, this file was built with %d.%d", driver / 1000, driver % 1000 / 10,
              CUDART_VERSION / 1000, CUDART_VERSION % 1000 / 10);
}

Failure count(int32_t* devices) {
  int found = 0;
  const cudaError_t error = cudaGetDeviceCount(&found);
  *devices = error == cudaSuccess ? found : 0;
  if (error == cudaErrorInsufficientDriver) return why_no_driver();
  if (error == cudaErrorNoDevice || (error == cudaSuccess && found == 0)) return fail("there is no NVIDIA GPU on this machine, or none that it shows");
  return check(error);
}

// Machine code runs on devices of its own generation, from its own step on; PTX on all from its own on.
static bool runs_on(int capability) {
  int newest = 0;
  for (const int* at = kArchitectures; *at; newest = *at++)
    if (*at / 10 == capability / 10 && *at <= capability) return true;
  return capability >= newest;
}

static Failure check_architecture(int32_t device) {
  int major = 0, minor = 0;
  if (Failure failure = check(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device))) return failure;
  if (Failure failure = check(cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device))) return failure;
  if (runs_on(major * 10 + minor)) return nullptr;
  char built[128] = "";
  int length = 0;
  for (const int* at = kArchitectures; *at && length < 120; at++) length += snprintf(built + length, sizeof built - (size_t)length, "%s%d", length ? ", " : "", *at);
  return fail("cuda:%d has compute capability %d.%d, and this file was built for %s: build it with --sm %d%d", device, major, minor, built, major, minor);
}

Failure describe(int32_t device, const char** text) {
  cudaDeviceProp properties;
  if (Failure failure = check(cudaGetDeviceProperties(&properties, device))) return failure;
  static thread_local char described[320];
  snprintf(described, sizeof described, "%s, %d.%d", properties.name, properties.major, properties.minor);
  return *text = described, nullptr;
}

Failure use(int32_t device) {
  current = device;
  if (Failure failure = check(cudaSetDevice(device))) return failure;
  static thread_local int32_t checked = -1;
  if (checked == device) return nullptr;
  if (Failure failure = check_architecture(device)) return failure;
  checked = device, has_worked = true;
  return nullptr;
}

// ---- memory

Failure memory(int64_t* free, int64_t* total) {
  size_t bytes_free = 0, bytes = 0;
  const Failure failure = check(cudaMemGetInfo(&bytes_free, &bytes));
  *free = (int64_t)bytes_free, *total = (int64_t)bytes;
  return failure;
}

Failure allocate(void** block, int64_t bytes) {
  *block = nullptr;
  if (bytes == 0) return nullptr;
  int64_t free = 0, total = 0;
  if (Failure failure = memory(&free, &total)) return failure;
  if (bytes <= free && cudaMalloc(block, (size_t)bytes) == cudaSuccess) return nullptr;
  cudaGetLastError();
  return fail("%.1f MB of the memory of cuda:%d are needed at once, and %.1f of %.1f MB are free", (double)bytes / 1e6, current, (double)free / 1e6, (double)total / 1e6);
}
void release(void* block) { if (block) cudaFree(block); }
Failure allocate_pinned(void** block, int64_t bytes) {
  *block = nullptr;
  const cudaError_t error = bytes == 0 ? cudaSuccess : cudaMallocHost(block, (size_t)bytes);
  if (error != cudaErrorMemoryAllocation) return check(error);
  cudaGetLastError();
  return fail("%.1f MB of this machine's own memory are needed at once for copies to and from cuda:%d, and the system does not give them", (double)bytes / 1e6, current);
}
void release_pinned(void* block) { if (block) cudaFreeHost(block); }
Failure zero(void* block, int64_t bytes, Stream stream) { return bytes == 0 ? nullptr : check(cudaMemsetAsync(block, 0, (size_t)bytes, (cudaStream_t)stream)); }
Failure copy_in(void* device, const void* host, int64_t bytes, Stream stream) {
  return bytes == 0 ? nullptr : check(cudaMemcpyAsync(device, host, (size_t)bytes, cudaMemcpyHostToDevice, (cudaStream_t)stream));
}
Failure copy_out(void* host, const void* device, int64_t bytes, Stream stream) {
  return bytes == 0 ? nullptr : check(cudaMemcpyAsync(host, device, (size_t)bytes, cudaMemcpyDeviceToHost, (cudaStream_t)stream));
}

// ---- streams and what is recorded on them

Failure make_stream(Stream* stream) { return check(cudaStreamCreateWithFlags((cudaStream_t*)stream, cudaStreamNonBlocking)); }
void release_stream(Stream stream) { if (stream) cudaStreamDestroy((cudaStream_t)stream); }
Failure wait(Stream stream) { return stream ? check(cudaStreamSynchronize((cudaStream_t)stream)) : nullptr; }

Failure make_event(Event* event) { return check(cudaEventCreateWithFlags((cudaEvent_t*)event, cudaEventDisableTiming)); }
Failure make_timer(Event* event) { return check(cudaEventCreateWithFlags((cudaEvent_t*)event, cudaEventDefault)); }
void release_event(Event event) { if (event) cudaEventDestroy((cudaEvent_t)event); }
Failure mark(Event event, Stream stream) { return check(cudaEventRecord((cudaEvent_t)event, (cudaStream_t)stream)); }
Failure wait_for(Stream stream, Event event) { return check(cudaStreamWaitEvent((cudaStream_t)stream, (cudaEvent_t)event, 0)); }
Failure wait_for(Event event) { return check(cudaEventSynchronize((cudaEvent_t)event)); }

Failure nanoseconds(Event from, Event to, int64_t* between) {
  float milliseconds = 0;
  const Failure failure = check(cudaEventElapsedTime(&milliseconds, (cudaEvent_t)from, (cudaEvent_t)to));
  *between = (int64_t)((double)milliseconds * 1e6);
  return failure;
}

Failure started() { return check(cudaGetLastError()); }

// Of this thread alone: other models may allocate meanwhile.
Failure begin_recording(Stream stream) { return check(cudaStreamBeginCapture((cudaStream_t)stream, cudaStreamCaptureModeThreadLocal)); }
Failure end_recording(Stream stream, Graph* graph) {
  cudaGraph_t recorded = nullptr;
  const cudaError_t launched = cudaGetLastError();  // of launches, which give nothing back themselves
  const Failure ended = check(cudaStreamEndCapture((cudaStream_t)stream, &recorded));
  Failure failure = launched != cudaSuccess ? check(launched) : ended;
  if (!failure) failure = check(cudaGraphInstantiate((cudaGraphExec_t*)graph, recorded, 0));
  if (recorded) cudaGraphDestroy(recorded);
  return failure;
}
bool is_spoiled(Stream stream) {
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  return cudaStreamIsCapturing((cudaStream_t)stream, &status) == cudaSuccess && status == cudaStreamCaptureStatusInvalidated;
}
Failure repeat(Graph graph, Stream stream) { return check(cudaGraphLaunch((cudaGraphExec_t)graph, (cudaStream_t)stream)); }
void release_graph(Graph graph) { if (graph) cudaGraphExecDestroy((cudaGraphExec_t)graph); }

}  // namespace gpu
}  // namespace kcc
