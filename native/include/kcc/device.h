// Where functions run whose memory is not the host's: a table of C functions, so that the host needs none of a vendor's own.
// Calls of one handle are started in their order and run one after another; `start` returns while a call may still run.
#pragma once
#include "abi.h"

#ifdef __cplusplus
extern "C" {
#endif

// Samples of one input, one row after another.
typedef struct kcc_column {
  char* data;
  int64_t row_bytes;
} kcc_column;

// One call among many over a data set. All zero: a call by itself.
typedef struct kcc_batch {
  // Writes all inputs to these places of the host, from which the device copies. NULL: they are copied from call->inputs.
  void (*fill)(void* context, void* const* inputs);
  void* context;
  // Not 0: the outputs, each one float, stay on the device, as row `row` of `rows` of the log of this number (read_log).
  uint64_t log;
  int64_t row, rows;
  // Not 0: number of the data set that the samples are from, of which the device may keep a copy until forget_data. Its
  // `columns`, one for each input, have `samples` rows; the batch has `count` of them, those that `order` names or, NULL, those from `first` on.
  uint64_t data;
  const kcc_column* columns;
  int64_t samples, first, count;
  const int32_t* order;
} kcc_batch;

// Whatever fails gives a text, which stays as it is until the thread's next call; NULL is success.
typedef struct kcc_device {
  const char* kind;            // "cuda"
  // How many there are. None: `why` says why, in the same way.
  int32_t (*count)(const char** why);
  // Variables of a module on device `index`, all zero; the handle of the calls below.
  const char* (*open)(const kcc_module* module, int32_t index, void** handle);
  const char* (*set_variable)(void* handle, uint32_t variable, const void* from);
  const char* (*get_variable)(void* handle, uint32_t variable, void* into);
  // Makes room for calls of these sizes, without running anything; fails when the device has too little memory.
  const char* (*reserve)(void* handle, const kcc_function* function, const int64_t* dims);
  // Takes a call's inputs and starts it after those before. Pointers of the call are the host's (`arena`, `stream` and
  // `random` are found here); outputs without a log are written until `drain` at the latest.
  const char* (*start)(void* handle, const kcc_function* function, const kcc_call* call, const kcc_batch* batch);
  // Waits for all calls started, and writes what they have left to write.
  const char* (*drain)(void* handle);
  // Waits likewise, and copies rows [first, first + count) of a log.
  const char* (*read_log)(void* handle, uint64_t log, int64_t first, int64_t count, float* into);
  // No more rows of it are wanted; unknown logs are none.
  void (*forget_log)(void* handle, uint64_t log);
  // No more batches of it will come; unknown ones are none.
  void (*forget_data)(void* handle, uint64_t data);
  // Name and compute capability of device `index`, as in "NVIDIA H200, 9.0"; results may differ between those whose texts do.
  const char* (*describe)(int32_t index, const char** text);
  // What computes each product where libraries of the vendor's could, as text that `choices` gave: before it is given, and where it
  // says nothing, kernels of our own do.
  const char* (*read_choices)(void* handle, const char* lines);
  // The text of all choices, which stays as it is until the next call. `measures`: from now on products without one are measured, in
  // `reserve` or before they first run, and what is fastest is chosen.
  const char* (*choices)(void* handle, int32_t measures);
  int64_t (*bytes)(void* handle);
  void (*close)(void* handle);
} kcc_device;

#ifdef __cplusplus
}
#endif
