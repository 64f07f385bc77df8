#include "cudnn.h"
#include "shared-library.h"

#include <limits.h>
#include <initializer_list>

namespace kcc {

using gpu::Failure;

// ---- the library

// The GPU that a CPU plays has no library but one that plays it too.
static std::vector<const char*> cudnn_names() {
#ifdef __CUDACC__
  return {"libcudnn.so.9"};
#else
  return {};
#endif
}

static const char* status_text_of_cudnn(cudnn::Status status) {
  if (status == cudnn::kDeviceAllocationFailed) return "it is out of memory";
  switch (status / cudnn::kKind) {
    case cudnn::kNotInitialized: return "it is not initialized";
    case cudnn::kBadParameter: return "it takes a value for wrong";
    case cudnn::kNotSupported: return "it cannot do that";
    case cudnn::kInternalError: return "it failed inside";
    case cudnn::kExecutionFailed: return "it failed to run";
    default: return "it failed";
  }
}

static std::string refused_by_cudnn(cudnn::Status status) { return std::string("cuDNN: ") + status_text_of_cudnn(status) + " (status " + std::to_string(status) + ")"; }

Cudnn::Cudnn() {
  if (Failure failure = load()) why_ = failure;
}

Failure Cudnn::load() {
  SharedLibrary library("cuDNN", "KCC_CUDNN", cudnn_names());
#define KCC_FIND(name) library.find("cudnn" #name, &call_.name)
  KCC_FIND(GetVersion), KCC_FIND(Create), KCC_FIND(Destroy), KCC_FIND(SetStream), KCC_FIND(CreateTensorDescriptor), KCC_FIND(DestroyTensorDescriptor);
  KCC_FIND(SetTensor4dDescriptorEx), KCC_FIND(CreateFilterDescriptor), KCC_FIND(DestroyFilterDescriptor), KCC_FIND(SetFilter4dDescriptor);
  KCC_FIND(CreateConvolutionDescriptor), KCC_FIND(DestroyConvolutionDescriptor), KCC_FIND(SetConvolution2dDescriptor), KCC_FIND(SetConvolutionMathType);
  KCC_FIND(CreateActivationDescriptor), KCC_FIND(DestroyActivationDescriptor), KCC_FIND(SetActivationDescriptor);
  KCC_FIND(GetConvolutionForwardWorkspaceSize), KCC_FIND(ConvolutionForward), KCC_FIND(ConvolutionBiasActivationForward);
  KCC_FIND(GetConvolutionBackwardFilterWorkspaceSize), KCC_FIND(ConvolutionBackwardFilter);
#undef KCC_FIND
  if (!library.is_open()) return gpu::fail("%s", library.why().c_str());
  version_ = (int64_t)call_.GetVersion();
  // Before version 9 statuses had other numbers, and versions another form.
  if (version_ < 90000 || version_ >= 100000) return gpu::fail("%s is version %lld, and kcc knows 90000 to 99999", library.file().c_str(), (long long)version_);
  const cudnn::Status status = call_.Create(&handle_);
  if (status == cudnn::kSuccess) return nullptr;
  handle_ = nullptr;
  return gpu::fail("%s cannot be used: %s (status %d)", library.file().c_str(), status_text_of_cudnn(status), status);
}

Cudnn::~Cudnn() {
  if (handle_) call_.Destroy(handle_);
}

// ---- a call

namespace cudnn {

static int type_of(Format format) { return format == Format::kBFloat16 ? kBFloat16 : kFloat; }

// TF32 has no more digits than it is multiplied with, so that nothing is rounded; float32 keeps all of its own.
static int math_of(Format operands) { return operands == Format::kFloat32 ? kFmaMath : operands == Format::kTFloat32 ? kDefaultMath : kTensorOpMath; }

// An array of four axes by their elements.
struct Array { int64_t samples, channels, height, width, sample, line, pixel; };

static Array array_of(const Windows& w) { return {w.samples, w.channels, w.down.length, w.across.length, w.sample, w.line, w.pixel}; }

// Of what there is for each window, `stride` apart.
static Array windows_array(const Windows& w, int64_t channels, int64_t stride) {
  return {w.samples, channels, w.down.count, w.across.count, w.down.count * w.across.count * stride, w.across.count * stride, stride};
}

static bool are_ints(std::initializer_list<int64_t> numbers) {
  for (int64_t number : numbers) if (number < 0 || number > INT_MAX) return false;
  return true;
}

// Everything that describes one product to the library.
class Request {
 public:
  Request(const Functions& call, const MatrixProduct& product, bool is_ended) : call_(call) { status_ = describe(product, is_ended); }
  ~Request() {
    for (void* array : {x, y, bias}) if (array) call_.DestroyTensorDescriptor(array);
    if (filter) call_.DestroyFilterDescriptor(filter);
    if (convolution) call_.DestroyConvolutionDescriptor(convolution);
    if (activation) call_.DestroyActivationDescriptor(activation);
  }
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;
  Status status() const { return status_; }

  void *x = nullptr, *y = nullptr, *filter = nullptr, *convolution = nullptr, *bias = nullptr, *activation = nullptr;

 private:
  Status describe(const MatrixProduct& product, bool is_ended);
  Status describe_end(const MatrixProduct& product);
  Status make_array(void** made, int type, const Array& array);
  Status make_filter(int type, const MatrixProduct& product);
  Status make_convolution(const Windows& windows, Format operands);

  const Functions& call_;
  Status status_;
};

Status Request::describe(const MatrixProduct& product, bool is_ended) {
  const bool makes_filter = product.over == Over::kWindowsAsTerms;
  const int operands = type_of(product.operands), result = type_of(is_ended ? product.result : Format::kFloat32);
  // Channels lie side by side; a single one does in any order.
  if (makes_filter && product.right.line != 1 && product.columns > 1) return kNotSupported * kKind;
  if (Status status = make_array(&x, operands, array_of(product.windows))) return status;
  const int64_t stride = makes_filter ? product.right.term : product.stride;
  if (Status status = make_array(&y, makes_filter ? operands : result, windows_array(product.windows, product.columns, stride))) return status;
  if (Status status = make_filter(makes_filter ? result : operands, product)) return status;
  if (Status status = make_convolution(product.windows, product.operands)) return status;
  return is_ended && product.bias ? describe_end(product) : kSuccess;
}

// A NaN is no number that 0 is larger than.
Status Request::describe_end(const MatrixProduct& product) {
  if (Status status = make_array(&bias, kFloat, {1, product.columns, 1, 1, product.columns, product.columns, product.columns})) return status;
  if (Status status = call_.CreateActivationDescriptor(&activation)) return status;
  return call_.SetActivationDescriptor(activation, product.is_above_zero ? kRelu : kIdentity, kPropagateNan, 0);
}

Status Request::make_array(void** made, int type, const Array& a) {
  if (!are_ints({a.samples, a.channels, a.height, a.width, a.sample, a.line, a.pixel})) return kNotSupported * kKind;
  if (Status status = call_.CreateTensorDescriptor(made)) return status;
  return call_.SetTensor4dDescriptorEx(*made, type, (int)a.samples, (int)a.channels, (int)a.height, (int)a.width, (int)a.sample, 1, (int)a.line, (int)a.pixel);
}

Status Request::make_filter(int type, const MatrixProduct& product) {
  const Windows& w = product.windows;
  if (!are_ints({product.columns, w.channels})) return kNotSupported * kKind;
  if (Status status = call_.CreateFilterDescriptor(&filter)) return status;
  return call_.SetFilter4dDescriptor(filter, type, kChannelsLast, (int)product.columns, (int)w.channels, w.down.size, w.across.size);
}

Status Request::make_convolution(const Windows& w, Format operands) {
  if (Status status = call_.CreateConvolutionDescriptor(&convolution)) return status;
  const Status status = call_.SetConvolution2dDescriptor(convolution, w.down.before, w.across.before, w.down.stride, w.across.stride, w.down.dilation, w.across.dilation,
                                                         kCrossCorrelation, kFloat);
  return status ? status : call_.SetConvolutionMathType(convolution, math_of(operands));
}

static Status workspace_of(const Functions& call, void* handle, const Request& request, Over over, int algorithm, size_t* bytes) {
  return over == Over::kWindowsAsTerms ? call.GetConvolutionBackwardFilterWorkspaceSize(handle, request.x, request.y, request.convolution, request.filter, algorithm, bytes)
                                       : call.GetConvolutionForwardWorkspaceSize(handle, request.x, request.filter, request.convolution, request.y, algorithm, bytes);
}

// Those that may be asked for: with a bias alone there is only one.
static std::vector<int> algorithms_for(const MatrixProduct& product, bool is_ended) {
  if (product.over == Over::kWindowsAsTerms) return {kFilterOne};
  if (is_ended && product.bias && !product.is_above_zero) return {kImplicitPrecomputedGemm};
  return {kImplicitPrecomputedGemm, kImplicitGemm, kGemm};
}

static Status start(const Functions& call, void* handle, const MatrixProduct& product, const Request& r, int algorithm, bool is_ended, void* into, void* workspace, size_t bytes) {
  const float one = 1, zero = 0;
  const void *left = product.left.at, *right = product.right.at;
  if (product.over == Over::kWindowsAsTerms)
    return call.ConvolutionBackwardFilter(handle, &one, r.x, left, r.y, right, r.convolution, algorithm, workspace, bytes, &zero, r.filter, into);
  if (!is_ended || !product.bias) return call.ConvolutionForward(handle, &one, r.x, left, r.filter, right, r.convolution, algorithm, workspace, bytes, &zero, r.y, into);
  // Nothing else is added: the array for it is that of the result, 0 times.
  return call.ConvolutionBiasActivationForward(handle, &one, r.x, left, r.filter, right, r.convolution, algorithm, workspace, bytes, &zero, r.y, into, r.bias,
                                               product.bias, r.activation, r.y, into);
}

}  // namespace cudnn

std::vector<Way> Cudnn::ways(const MatrixProduct& product, bool is_ended, void*, int64_t most_workspace, std::string* why) const {
  std::vector<Way> ways;
  if (is_ended && !product.bias && product.is_above_zero) return *why = "cuDNN knows no such end", ways;
  const cudnn::Request request(call_, product, is_ended);
  if (request.status()) return *why = refused_by_cudnn(request.status()), ways;
  // Of several the first is the one that it should have.
  std::string refused;
  for (int algorithm : cudnn::algorithms_for(product, is_ended)) {
    size_t bytes = 0;
    const cudnn::Status status = cudnn::workspace_of(call_, handle_, request, product.over, algorithm, &bytes);
    if (!status && (int64_t)bytes <= most_workspace) ways.push_back({is_ended, {{(uint64_t)algorithm}}, (int64_t)bytes});
    else if (refused.empty()) refused = status ? refused_by_cudnn(status) : "cuDNN works in more memory than there is for it";
  }
  if (ways.empty()) *why = refused;
  return ways;
}

Failure Cudnn::start(const MatrixProduct& product, const Way& way, void* into, void* workspace, gpu::Stream stream) const {
  const cudnn::Request request(call_, product, way.is_ended);
  const int algorithm = (int)way.algorithm.data[0];
  size_t bytes = 0;
  cudnn::Status status = request.status();
  if (!status) status = cudnn::workspace_of(call_, handle_, request, product.over, algorithm, &bytes);
  // One that was kept may need more than it did.
  if (!status && (int64_t)bytes > way.workspace) status = cudnn::kNotSupported * cudnn::kKind;
  if (!status) status = call_.SetStream(handle_, stream);
  if (!status) status = cudnn::start(call_, handle_, product, request, algorithm, way.is_ended, into, workspace, (size_t)way.workspace);
  return status ? gpu::fail("%s", refused_by_cudnn(status).c_str()) : nullptr;
}

}  // namespace kcc
