// The C interface between generated code and its host (the N-API addon, C, Python through ctypes).
// Flat structs, no C++ types, nothing allocated by generated code. Raise KCC_ABI with every incompatible change.
#pragma once
#include <stdint.h>

#define KCC_ABI 6
// Columns of one block of a matrix that is stored in blocks.
#define KCC_BLOCK_COLUMNS 64

#ifdef __cplusplus
extern "C" {
#endif

// The host's thread pool. `run` calls body(context, i) once for every i in [0, count), in any order, and returns when
// all are done. `threads` is a hint for how finely to divide work; no result may depend on it.
typedef struct kcc_pool {
  void (*run)(struct kcc_pool* pool, int64_t count, void (*body)(void* context, int64_t i), void* context);
  int32_t threads;
  int32_t reserved;
} kcc_pool;

// Everything one call of a compiled function reads and writes. For a function of a device (device.h) all pointers to
// values, `scalars` and `arena` among them, are the device's own.
typedef struct kcc_call {
  const void* const* inputs;   // in the manifest's order
  void* const* outputs;        // in the manifest's order
  void* const* variables;      // the module's table, 64-byte aligned each
  const float* scalars;        // the module's run-time scalars
  const int64_t* dims;         // values of the module's symbols
  char* arena;                 // arena_bytes(dims) bytes, 64-byte aligned
  kcc_pool* pool;              // NULL: run on the calling thread only
  uint64_t seed, step;         // key and counter of the random streams
  void* stream;                // of a device: what kernels are started on
  const uint64_t* random;      // of a device: where seed and step lie
} kcc_call;

typedef struct kcc_function {
  const char* name;
  void (*run)(const kcc_call* call);
  int64_t (*arena_bytes)(const int64_t* dims);
  uint32_t input_count, output_count;
  uint32_t uses_random;        // 1 when the host must advance `step` after the call
  uint32_t updates_variables;  // 1 when calls of one instance must not overlap
  // Sizes in bytes of all inputs, then of all outputs. NULL where nothing is copied to or from a device.
  void (*tensor_bytes)(const int64_t* dims, int64_t* bytes);
} kcc_function;

typedef struct kcc_module {
  uint32_t abi;
  uint32_t function_count, variable_count, scalar_count, dim_count;
  uint32_t reserved;
  const char* name;
  const kcc_function* functions;
  const int64_t* variable_bytes;
  const float* scalar_values;
  // For every variable 0, or the columns of a float matrix stored in blocks of KCC_BLOCK_COLUMNS columns: blocks lie one
  // after another, each by rows. NULL: none is. Hosts give and take values by rows.
  const int64_t* blocked_columns;
} kcc_module;

struct kcc_device;

// One CPU level of the file, or its code for a device. The table is ordered best first and ends with an entry whose name is NULL.
typedef struct kcc_level {
  const char* name;                       // "x86-64-v4", "x86-64-v3", "x86-64-v2", or "native"
  int32_t (*supported)(void);             // by CPUID, at load
  const kcc_module* const* modules;
  uint32_t module_count;
  uint32_t reserved;
  const struct kcc_device* device;        // where it runs (device.h); NULL: the CPU
} kcc_level;

extern const kcc_level kcc_levels[];

#ifdef __cplusplus
}
#endif
