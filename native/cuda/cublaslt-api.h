// What is used of cuBLASLt, declared here: its headers are not needed, and its file is looked for when a product asks for it.
// Names and numbers are those of its documentation (https://docs.nvidia.com/cuda/cublas/#using-the-cublaslt-api), the same from
// version 11 to 13.
#pragma once
#include "library.h"

#include <stddef.h>
#include <stdint.h>

namespace kcc {
namespace cublaslt {

using Status = int;
constexpr Status kSuccess = 0, kNotInitialized = 1, kAllocFailed = 3, kInvalidValue = 7, kArchMismatch = 8, kExecutionFailed = 13, kNotSupported = 15;

// cudaDataType_t, cublasComputeType_t, cublasOperation_t
constexpr int kReal32 = 0, kRealBf16 = 14;
constexpr int kCompute32 = 68, kComputeTf32 = 77;
constexpr int32_t kAsIs = 0, kTransposed = 1;

// cublasLtMatmulDescAttributes_t, cublasLtEpilogue_t
constexpr int kTransposeA = 3, kTransposeB = 4, kEpilogue = 7, kBiasPointer = 8;
constexpr uint32_t kRelu = 2, kBias = 4;

// cublasLtMatmulPreferenceAttributes_t, cublasLtReductionScheme_t
constexpr int kMaxWorkspace = 1, kReductionSchemes = 3, kLeastAlignment = 5;  // of A; B, C and D follow
// Parts of sums are added in a pass of its own, in the type that sums have.
constexpr uint32_t kReducedApart = 2;

// cublasLtMatmulHeuristicResult_t, which begins with a cublasLtMatmulAlgo_t.
struct Found {
  Algorithm algorithm;
  size_t workspace;
  Status state;
  float waves;
  int reserved[4];
};

// Handles and descriptions are pointers to what only the library knows.
struct Functions {
  size_t (*GetVersion)();
  Status (*Create)(void** handle);
  Status (*Destroy)(void* handle);
  Status (*MatmulDescCreate)(void** description, int compute, int scale);
  Status (*MatmulDescDestroy)(void* description);
  Status (*MatmulDescSetAttribute)(void* description, int attribute, const void* value, size_t bytes);
  Status (*MatrixLayoutCreate)(void** layout, int type, uint64_t rows, uint64_t columns, int64_t leading);
  Status (*MatrixLayoutDestroy)(void* layout);
  Status (*MatmulPreferenceCreate)(void** preference);
  Status (*MatmulPreferenceDestroy)(void* preference);
  Status (*MatmulPreferenceSetAttribute)(void* preference, int attribute, const void* value, size_t bytes);
  Status (*MatmulAlgoGetHeuristic)(void* handle, void* description, void* a, void* b, void* c, void* d, void* preference, int wanted, Found* found, int* count);
  Status (*MatmulAlgoCheck)(void* handle, void* description, void* a, void* b, void* c, void* d, const Algorithm* algorithm, Found* result);
  Status (*Matmul)(void* handle, void* description, const void* alpha, const void* a, void* a_layout, const void* b, void* b_layout, const void* beta,
                   const void* c, void* c_layout, void* d, void* d_layout, const Algorithm* algorithm, void* workspace, size_t workspace_bytes, void* stream);
};

}  // namespace cublaslt
}  // namespace kcc
