// cuDNN as a CPU plays it: the functions that kcc's driver asks for, by NVIDIA's documentation and without its headers, nor with kcc's
// own declarations of them, so that numbers and layouts that kcc has wrong show. What is started waits in the stream of the handle,
// as kernels do.
//
// KCC_PLAYED_CUDNN, a list such as "forward=3000,ways=1":
//   version     92400
//   create, workspace, forward, plain, filter   the status that these functions give, 0; `plain` is that of a convolution without a bias
//   ways        how many algorithms of the forward direction there are, 2: the second is the faster, and works in memory
//   busy        microseconds that the fastest takes, 0
//   wrong       1: operands are rounded to TF32 in products of float32; 2: the larger of NaN and 0 is 0; 3: filters are turned
#include "kcc/cuda/host.h"
#include "kcc/cuda/played.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

namespace {

int64_t played(const char* name, int64_t usual) { return (int64_t)kcc::played_setting(getenv("KCC_PLAYED_CUDNN"), name, (double)usual); }

enum { SUCCESS = 0, BAD_PARAM = 2000, SHAPE_MISMATCH = 2008, NOT_SUPPORTED = 3000, UNKNOWN_DATA_TYPE = 3003 };
enum { DATA_FLOAT = 0, DATA_BFLOAT16 = 9, TENSOR_NHWC = 1 };
enum { DEFAULT_MATH = 0, TENSOR_OP_MATH = 1, FMA_MATH = 3 };
enum { CONVOLUTION = 0, CROSS_CORRELATION = 1 };
enum { ACTIVATION_RELU = 1, ACTIVATION_IDENTITY = 5 };
enum { IMPLICIT_GEMM = 0, IMPLICIT_PRECOMP_GEMM = 1, BWD_FILTER_ALGO_1 = 1 };

struct Tensor { int type, n, c, h, w, strides[4]; };
struct Filter { int type, format, k, c, h, w; };
struct Convolution { int pad[2], stride[2], dilation[2], mode, type, math; };
struct Activation { int mode, nan; };
struct Handle { void* stream; };

constexpr size_t kWorkspace = 1 << 16;

struct Work {
  Tensor x, y;
  Filter filter;
  Convolution convolution;
  Activation activation;
  bool makes_filter, ends;
  const void *from, *by;
  const float* bias;
  void *into, *workspace;
  size_t workspace_bytes;
  int64_t slower, wrong;
};

float load(const void* at, int type, int64_t i) {
  if (type == DATA_FLOAT) return ((const float*)at)[i];
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
  if (type == DATA_FLOAT) return void(((float*)at)[i] = value);
  uint32_t bits;
  memcpy(&bits, &value, 4);
  ((uint16_t*)at)[i] = value != value ? 0x7fc0 : (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

int64_t place(const Tensor& t, int n, int c, int h, int w) { return (int64_t)n * t.strides[0] + (int64_t)c * t.strides[1] + (int64_t)h * t.strides[2] + (int64_t)w * t.strides[3]; }
int64_t place(const Filter& f, int k, int c, int r, int s) { return (((int64_t)k * f.h + r) * f.w + s) * f.c + c; }

float operand(const Work& work, const void* at, int type, int64_t i) {
  const float value = load(at, type, i);
  const bool rounds = type == DATA_FLOAT && (work.convolution.math != FMA_MATH || work.wrong == 1);
  return rounds ? rounded_to_tf32(value) : value;
}

// Where window `o` has its place `k` along an axis.
int at(const Work& work, int axis, int o, int k) {
  const Convolution& v = work.convolution;
  const int size = axis == 0 ? work.filter.h : work.filter.w;
  const bool is_turned = (v.mode == CONVOLUTION) != (work.wrong == 3);
  return o * v.stride[axis] + (is_turned ? size - 1 - k : k) * v.dilation[axis] - v.pad[axis];
}

float result(const Work& work, int n, int k, int h, int w) {
  float sum = 0;
  for (int r = 0; r < work.filter.h; r++)
    for (int s = 0; s < work.filter.w; s++) {
      const int y = at(work, 0, h, r), x = at(work, 1, w, s);
      if (y < 0 || y >= work.x.h || x < 0 || x >= work.x.w) continue;
      for (int c = 0; c < work.x.c; c++)
        sum += operand(work, work.from, work.x.type, place(work.x, n, c, y, x)) * operand(work, work.by, work.filter.type, place(work.filter, k, c, r, s));
    }
  return sum;
}

float ended(const Work& work, int k, float sum) {
  sum += work.bias[k];
  if (work.activation.mode != ACTIVATION_RELU) return sum;
  const bool hides_nan = work.wrong == 2 || work.activation.nan == 0;
  return hides_nan ? (sum > 0 ? sum : 0) : (sum < 0 ? 0 : sum);
}

void forward(const Work& work) {
  for (int n = 0; n < work.y.n; n++)
    for (int h = 0; h < work.y.h; h++)
      for (int w = 0; w < work.y.w; w++)
        for (int k = 0; k < work.y.c; k++) {
          const float sum = result(work, n, k, h, w);
          store(work.into, work.y.type, place(work.y, n, k, h, w), work.ends ? ended(work, k, sum) : sum);
        }
}

float gradient(const Work& work, int k, int c, int r, int s) {
  float sum = 0;
  for (int n = 0; n < work.y.n; n++)
    for (int h = 0; h < work.y.h; h++)
      for (int w = 0; w < work.y.w; w++) {
        const int y = at(work, 0, h, r), x = at(work, 1, w, s);
        if (y < 0 || y >= work.x.h || x < 0 || x >= work.x.w) continue;
        sum += operand(work, work.from, work.x.type, place(work.x, n, c, y, x)) * operand(work, work.by, work.y.type, place(work.y, n, k, h, w));
      }
  return sum;
}

void backward_filter(const Work& work) {
  const Filter& f = work.filter;
  for (int k = 0; k < f.k; k++)
    for (int r = 0; r < f.h; r++)
      for (int s = 0; s < f.w; s++)
        for (int c = 0; c < f.c; c++) store(work.into, f.type, place(f, k, c, r, s), gradient(work, k, c, r, s));
}

void run(void (*)(), unsigned, unsigned, const void* args) {
  const Work& work = *(const Work*)args;
  if (work.workspace_bytes) memset(work.workspace, 0x7f, work.workspace_bytes);
  if (work.makes_filter) backward_filter(work);
  else forward(work);
  const int64_t busy = played("busy", 0) + work.slower;
  if (busy > 0) usleep((useconds_t)busy);
}

int windows(const Convolution& v, int axis, int length, int size) { return 1 + (length + 2 * v.pad[axis] - ((size - 1) * v.dilation[axis] + 1)) / v.stride[axis]; }

// Do the arrays belong together? All of them are of one type.
int check(const Tensor& x, const Filter& f, const Convolution& v, const Tensor& y) {
  if (f.format != TENSOR_NHWC || x.strides[1] != 1 || y.strides[1] != 1) return NOT_SUPPORTED;
  if (x.type != f.type || x.type != y.type || v.type != DATA_FLOAT) return UNKNOWN_DATA_TYPE;
  if (x.n != y.n || x.c != f.c || y.c != f.k) return SHAPE_MISMATCH;
  if (y.h != windows(v, 0, x.h, f.h) || y.w != windows(v, 1, x.w, f.w)) return SHAPE_MISMATCH;
  return v.math == FMA_MATH && x.type != DATA_FLOAT ? NOT_SUPPORTED : SUCCESS;
}

bool is_way(int algorithm) { return algorithm == IMPLICIT_GEMM || (algorithm == IMPLICIT_PRECOMP_GEMM && played("ways", 2) > 1); }
size_t workspace_of(int algorithm) { return algorithm == IMPLICIT_PRECOMP_GEMM ? kWorkspace : 0; }

// Microseconds that it takes longer than the fastest there is.
int64_t slower(int algorithm) { return algorithm == IMPLICIT_GEMM && played("ways", 2) > 1 ? 300 : 0; }

bool is_plain(const void* one, const void* zero) { return *(const float*)one == 1 && *(const float*)zero == 0; }

int start(void* handle, Work work) {
  if (work.workspace_bytes && !work.workspace) return BAD_PARAM;
  work.wrong = played("wrong", 0);
  kcc::HostStream* const queue = (kcc::HostStream*)((Handle*)handle)->stream;
  return queue->launch(queue, &run, nullptr, 1, 1, &work, sizeof work), SUCCESS;
}

template <class T>
int make(void** made) { return *made = new T(), SUCCESS; }

}  // namespace

extern "C" {

size_t cudnnGetVersion() { return (size_t)played("version", 92400); }
int cudnnCreate(void** handle) { return make<Handle>(handle), (int)played("create", SUCCESS); }
int cudnnDestroy(void* handle) { return delete (Handle*)handle, SUCCESS; }
int cudnnSetStream(void* handle, void* stream) { return ((Handle*)handle)->stream = stream, SUCCESS; }

int cudnnCreateTensorDescriptor(void** made) { return make<Tensor>(made); }
int cudnnDestroyTensorDescriptor(void* made) { return delete (Tensor*)made, SUCCESS; }
int cudnnSetTensor4dDescriptorEx(void* made, int type, int n, int c, int h, int w, int n_stride, int c_stride, int h_stride, int w_stride) {
  if (n < 1 || c < 1 || h < 1 || w < 1) return BAD_PARAM;
  return *(Tensor*)made = {type, n, c, h, w, {n_stride, c_stride, h_stride, w_stride}}, SUCCESS;
}

int cudnnCreateFilterDescriptor(void** made) { return make<Filter>(made); }
int cudnnDestroyFilterDescriptor(void* made) { return delete (Filter*)made, SUCCESS; }
int cudnnSetFilter4dDescriptor(void* made, int type, int format, int k, int c, int h, int w) { return *(Filter*)made = {type, format, k, c, h, w}, SUCCESS; }

int cudnnCreateConvolutionDescriptor(void** made) { return make<Convolution>(made); }
int cudnnDestroyConvolutionDescriptor(void* made) { return delete (Convolution*)made, SUCCESS; }
int cudnnSetConvolution2dDescriptor(void* made, int pad_h, int pad_w, int u, int v, int dilation_h, int dilation_w, int mode, int type) {
  if (pad_h < 0 || pad_w < 0 || u < 1 || v < 1 || dilation_h < 1 || dilation_w < 1) return BAD_PARAM;
  return *(Convolution*)made = {{pad_h, pad_w}, {u, v}, {dilation_h, dilation_w}, mode, type, DEFAULT_MATH}, SUCCESS;
}
int cudnnSetConvolutionMathType(void* made, int math) { return ((Convolution*)made)->math = math, SUCCESS; }

int cudnnCreateActivationDescriptor(void** made) { return make<Activation>(made); }
int cudnnDestroyActivationDescriptor(void* made) { return delete (Activation*)made, SUCCESS; }
int cudnnSetActivationDescriptor(void* made, int mode, int nan, double) { return *(Activation*)made = {mode, nan}, SUCCESS; }

int cudnnGetConvolutionForwardWorkspaceSize(void*, void* x, void* w, void* convolution, void* y, int algorithm, size_t* bytes) {
  if (int status = (int)played("workspace", SUCCESS)) return status;
  *bytes = workspace_of(algorithm);
  return is_way(algorithm) ? check(*(Tensor*)x, *(Filter*)w, *(Convolution*)convolution, *(Tensor*)y) : NOT_SUPPORTED;
}

int cudnnConvolutionForward(void* handle, const void* alpha, void* x, const void* X, void* w, const void* W, void* convolution, int algorithm, void* workspace,
                            size_t bytes, const void* beta, void* y, void* Y) {
  if (int status = (int)played("forward", played("plain", SUCCESS))) return status;
  if (!is_plain(alpha, beta) || bytes < workspace_of(algorithm)) return BAD_PARAM;
  if (int status = check(*(Tensor*)x, *(Filter*)w, *(Convolution*)convolution, *(Tensor*)y)) return status;
  return start(handle, {*(Tensor*)x, *(Tensor*)y, *(Filter*)w, *(Convolution*)convolution, {}, false, false, X, W, nullptr, Y, workspace, bytes, slower(algorithm), 0});
}

int cudnnConvolutionBiasActivationForward(void* handle, const void* alpha1, void* x, const void* X, void* w, const void* W, void* convolution, int algorithm,
                                          void* workspace, size_t bytes, const void* alpha2, void* z, const void* Z, void* bias, const void* Bias,
                                          void* activation, void* y, void* Y) {
  if (int status = (int)played("forward", SUCCESS)) return status;
  const Activation& a = *(Activation*)activation;
  const Tensor& b = *(Tensor*)bias;
  if (!is_plain(alpha1, alpha2) || bytes < workspace_of(algorithm) || !z || !Z) return BAD_PARAM;
  if (b.n != 1 || b.h != 1 || b.w != 1 || b.c != ((Tensor*)y)->c || b.strides[1] != 1 || b.type != DATA_FLOAT) return SHAPE_MISMATCH;
  if (a.mode != ACTIVATION_RELU && (a.mode != ACTIVATION_IDENTITY || algorithm != IMPLICIT_PRECOMP_GEMM)) return NOT_SUPPORTED;
  if (int status = check(*(Tensor*)x, *(Filter*)w, *(Convolution*)convolution, *(Tensor*)y)) return status;
  return start(handle, {*(Tensor*)x, *(Tensor*)y, *(Filter*)w, *(Convolution*)convolution, a, false, true, X, W, (const float*)Bias, Y, workspace, bytes, slower(algorithm), 0});
}

// The others add in whatever order they are done.
int cudnnGetConvolutionBackwardFilterWorkspaceSize(void*, void* x, void* dy, void* convolution, void* dw, int algorithm, size_t* bytes) {
  if (int status = (int)played("workspace", SUCCESS)) return status;
  *bytes = kWorkspace;
  return algorithm == BWD_FILTER_ALGO_1 ? check(*(Tensor*)x, *(Filter*)dw, *(Convolution*)convolution, *(Tensor*)dy) : NOT_SUPPORTED;
}

int cudnnConvolutionBackwardFilter(void* handle, const void* alpha, void* x, const void* X, void* dy, const void* DY, void* convolution, int, void* workspace,
                                   size_t bytes, const void* beta, void* dw, void* DW) {
  if (int status = (int)played("filter", SUCCESS)) return status;
  if (!is_plain(alpha, beta) || bytes < kWorkspace) return BAD_PARAM;
  if (int status = check(*(Tensor*)x, *(Filter*)dw, *(Convolution*)convolution, *(Tensor*)dy)) return status;
  return start(handle, {*(Tensor*)x, *(Tensor*)dy, *(Filter*)dw, *(Convolution*)convolution, {}, true, false, X, DY, nullptr, DW, workspace, bytes, 0, 0});
}

}  // extern "C"
