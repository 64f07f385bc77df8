// cuBLASLt as a CPU plays it: the functions that kcc's driver asks for, by NVIDIA's documentation and without its headers, nor with
// kcc's own declarations of them, so that numbers and layouts that kcc has wrong show. Matrices lie by columns; what is started
// waits in the stream, as kernels do.
//
// KCC_PLAYED_CUBLASLT, a list such as "matmul=15,ways=1":
//   version     130101
//   create, heuristic, check, matmul   the status that these functions give, 0; `plain`: `matmul` for a product that nothing follows
//   ways        how many algorithms there are, 2; each is slower than the one after it
//   busy        microseconds that the fastest takes, 0
//   waits       the columns of products for which the library waits for its stream, 0: none
//   wrong       1: operands are rounded to TF32 in products of float32; 2: the larger of NaN and 0 is 0; 3: columns are rows
#include "kcc/cuda/host.h"
#include "kcc/cuda/played.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <vector>

namespace {

int64_t played(const char* name, int64_t usual) { return (int64_t)kcc::played_setting(getenv("KCC_PLAYED_CUBLASLT"), name, (double)usual); }

enum { SUCCESS = 0, INVALID_VALUE = 7, EXECUTION_FAILED = 13, NOT_SUPPORTED = 15 };
enum { R_32F = 0, R_16BF = 14 };
enum { COMPUTE_32F = 68, COMPUTE_32F_FAST_TF32 = 77 };

struct Description { int compute; int transpose_a, transpose_b; uint32_t epilogue; const float* bias; };
struct Layout { int type; uint64_t rows, columns; int64_t leading; };
struct Preference { uint64_t workspace; uint32_t schemes, alignment[4]; };
struct Algorithm { uint64_t data[8]; };
struct Result { Algorithm algorithm; size_t workspace; int state; float waves; int reserved[4]; };

constexpr uint64_t kMagic = 0x6b63636c74;
constexpr size_t kWorkspace = 1 << 16;

// All that a product needs when its turn comes.
struct Work {
  Description description;
  Layout a, b, d;
  const void *A, *B;
  void *D, *workspace;
  size_t workspace_bytes;
  uint64_t way, ways;
};

float load(const void* at, int type, int64_t i) {
  if (type == R_32F) return ((const float*)at)[i];
  const uint32_t bits = (uint32_t)((const uint16_t*)at)[i] << 16;
  float value;
  memcpy(&value, &bits, 4);
  return value;
}

float rounded_to_tf32(float value) {
  uint32_t bits;
  memcpy(&bits, &value, 4);
  bits &= 0xffffe000u;
  memcpy(&value, &bits, 4);
  return value;
}

void store(void* at, int type, int64_t i, float value) {
  if (type == R_32F) return void(((float*)at)[i] = value);
  uint32_t bits;
  memcpy(&bits, &value, 4);
  ((uint16_t*)at)[i] = value != value ? 0x7fc0 : (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

// Element (i, k) of op(matrix).
float element(const void* at, const Layout& layout, bool is_transposed, uint64_t i, uint64_t k) {
  return load(at, layout.type, is_transposed ? (int64_t)(k + i * (uint64_t)layout.leading) : (int64_t)(i + k * (uint64_t)layout.leading));
}

void multiply(const Work& w) {
  const int64_t wrong = played("wrong", 0);
  const uint64_t terms = w.description.transpose_a ? w.a.rows : w.a.columns;
  const bool rounds = w.description.compute == COMPUTE_32F_FAST_TF32 || wrong == 1;
  if (w.workspace_bytes) memset(w.workspace, 0x7f, w.workspace_bytes);
  for (uint64_t column = 0; column < w.d.columns; column++)
    for (uint64_t row = 0; row < w.d.rows; row++) {
      float sum = 0;
      for (uint64_t k = 0; k < terms; k++) {
        float x = element(w.A, w.a, w.description.transpose_a, row, k), y = element(w.B, w.b, !w.description.transpose_b, column, k);
        if (wrong == 3) x = element(w.A, w.a, w.description.transpose_a, (row + 1) % w.d.rows, k);
        if (rounds) x = rounded_to_tf32(x), y = rounded_to_tf32(y);
        sum += x * y;
      }
      if (w.description.epilogue & 4) sum += w.description.bias[row];
      if (w.description.epilogue & 2) sum = wrong == 2 ? (sum > 0 ? sum : 0) : (sum < 0 ? 0 : sum);
      store(w.D, w.d.type, (int64_t)(row + column * (uint64_t)w.d.leading), sum);
    }
  const int64_t busy = played("busy", 0) + (int64_t)(w.ways - 1 - w.way) * 300;
  if (busy > 0) usleep((useconds_t)busy);
}

void run(void (*)(), unsigned, unsigned, const void* args) { multiply(*(const Work*)args); }

// As the GPU that is played lets somebody wait: with nothing to run.
int wait_for(kcc::HostStream* queue) {
  int error = 0;
  queue->launch(queue, nullptr, nullptr, 0, 0, &error, sizeof error);
  return error ? EXECUTION_FAILED : SUCCESS;
}

template <class T>
int make(void** made, const T& value) { return *made = new T(value), SUCCESS; }

bool fits(const Layout& layout) { return layout.leading >= (int64_t)layout.rows; }

// Do the matrices belong together?
int check_shapes(const Description& o, const Layout& a, const Layout& b, const Layout& d) {
  const uint64_t m = o.transpose_a ? a.columns : a.rows, k = o.transpose_a ? a.rows : a.columns;
  const uint64_t n = o.transpose_b ? b.rows : b.columns, l = o.transpose_b ? b.columns : b.rows;
  if (m != d.rows || n != d.columns || k != l || !fits(a) || !fits(b) || !fits(d)) return INVALID_VALUE;
  if (a.type != b.type || (a.type == R_32F && d.type != R_32F)) return NOT_SUPPORTED;
  if (o.compute == COMPUTE_32F_FAST_TF32 && a.type != R_32F) return NOT_SUPPORTED;
  return o.compute == COMPUTE_32F || o.compute == COMPUTE_32F_FAST_TF32 ? SUCCESS : NOT_SUPPORTED;
}

}  // namespace

extern "C" {

size_t cublasLtGetVersion() { return (size_t)played("version", 130101); }
int cublasLtCreate(void** handle) { return *handle = malloc(1), (int)played("create", SUCCESS); }
int cublasLtDestroy(void* handle) { return free(handle), SUCCESS; }

int cublasLtMatmulDescCreate(void** description, int compute, int scale) {
  return scale == R_32F ? make(description, Description{compute, 0, 0, 1, nullptr}) : NOT_SUPPORTED;
}
int cublasLtMatmulDescDestroy(void* description) { return delete (Description*)description, SUCCESS; }
int cublasLtMatmulDescSetAttribute(void* description, int attribute, const void* value, size_t bytes) {
  Description& o = *(Description*)description;
  void* const into = attribute == 3 ? (void*)&o.transpose_a : attribute == 4 ? (void*)&o.transpose_b : attribute == 7 ? (void*)&o.epilogue : attribute == 8 ? (void*)&o.bias : nullptr;
  if (!into || bytes != (attribute == 8 ? 8u : 4u)) return INVALID_VALUE;
  return memcpy(into, value, bytes), SUCCESS;
}

int cublasLtMatrixLayoutCreate(void** layout, int type, uint64_t rows, uint64_t columns, int64_t leading) { return make(layout, Layout{type, rows, columns, leading}); }
int cublasLtMatrixLayoutDestroy(void* layout) { return delete (Layout*)layout, SUCCESS; }

int cublasLtMatmulPreferenceCreate(void** preference) { return make(preference, Preference{0, 7, {256, 256, 256, 256}}); }
int cublasLtMatmulPreferenceDestroy(void* preference) { return delete (Preference*)preference, SUCCESS; }
int cublasLtMatmulPreferenceSetAttribute(void* preference, int attribute, const void* value, size_t bytes) {
  Preference& p = *(Preference*)preference;
  void* const into = attribute == 1 ? (void*)&p.workspace : attribute == 3 ? (void*)&p.schemes : attribute >= 5 && attribute <= 8 ? (void*)&p.alignment[attribute - 5] : nullptr;
  if (!into || bytes != (attribute == 1 ? 8u : 4u)) return INVALID_VALUE;
  return memcpy(into, value, bytes), SUCCESS;
}

// The last and fastest takes workspace. Sums of parts in place or in the output's type are offered to those who do not forbid them,
// and are no algorithm at all.
int cublasLtMatmulAlgoGetHeuristic(void*, void* description, void* a, void* b, void*, void* d, void* preference, int wanted, Result* results, int* count) {
  *count = 0;
  if (int status = (int)played("heuristic", SUCCESS)) return status;
  const Preference& p = *(const Preference*)preference;
  if (int status = check_shapes(*(Description*)description, *(Layout*)a, *(Layout*)b, *(Layout*)d)) return status;
  const uint64_t ways = (uint64_t)played("ways", 2);
  for (uint64_t way = ways; way-- > 0 && *count < wanted;) {
    const size_t workspace = way + 1 == ways ? kWorkspace : 0;
    if (workspace > p.workspace) continue;
    results[(*count)++] = {{{kMagic, way, ways, p.schemes & 5}}, workspace, SUCCESS, 1, {}};
  }
  return *count ? SUCCESS : NOT_SUPPORTED;
}

int cublasLtMatmulAlgoCheck(void*, void* description, void* a, void* b, void*, void* d, const Algorithm* algorithm, Result* result) {
  if (int status = (int)played("check", SUCCESS)) return status;
  if (algorithm->data[0] != kMagic || algorithm->data[3]) return INVALID_VALUE;
  result->workspace = algorithm->data[1] + 1 == algorithm->data[2] ? kWorkspace : 0;
  return check_shapes(*(Description*)description, *(Layout*)a, *(Layout*)b, *(Layout*)d);
}

int cublasLtMatmul(void*, void* description, const void* alpha, const void* A, void* a, const void* B, void* b, const void* beta, const void*, void*,
                   void* D, void* d, const Algorithm* algorithm, void* workspace, size_t workspace_bytes, void* stream) {
  if (int status = (int)played("matmul", SUCCESS)) return status;
  if (int status = (int)played("plain", SUCCESS)) if (((Description*)description)->epilogue == 1) return status;
  if (*(const float*)alpha != 1 || *(const float*)beta != 0 || (workspace_bytes && !workspace)) return INVALID_VALUE;
  if (int status = check_shapes(*(Description*)description, *(Layout*)a, *(Layout*)b, *(Layout*)d)) return status;
  const Work work = {*(Description*)description, *(Layout*)a, *(Layout*)b, *(Layout*)d, A, B, D, workspace, workspace_bytes, algorithm->data[1], algorithm->data[2]};
  kcc::HostStream* const queue = (kcc::HostStream*)stream;
  queue->launch(queue, &run, nullptr, 1, 1, &work, sizeof work);
  return played("waits", 0) == (int64_t)work.d.rows ? wait_for(queue) : SUCCESS;
}

}  // extern "C"
