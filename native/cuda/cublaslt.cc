#include "cublaslt.h"
#include "shared-library.h"

#include <algorithm>

namespace kcc {

using gpu::Failure;
using cublaslt::Functions;
using cublaslt::Status;

// ---- the library

// The GPU that a CPU plays has no library but one that plays it too.
static std::vector<const char*> cublaslt_names() {
#ifdef __CUDACC__
  return {"libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so.11"};
#else
  return {};
#endif
}

static const char* status_text(Status status) {
  switch (status) {
    case cublaslt::kNotInitialized: return "it is not initialized";
    case cublaslt::kAllocFailed: return "it is out of memory";
    case cublaslt::kInvalidValue: return "it takes a value for wrong";
    case cublaslt::kArchMismatch: return "it does not know this GPU";
    case cublaslt::kExecutionFailed: return "it failed to run";
    case cublaslt::kNotSupported: return "it cannot do that";
    default: return "it failed";
  }
}

Cublaslt::Cublaslt() {
  if (Failure failure = load()) why_ = failure;
}

Failure Cublaslt::load() {
  SharedLibrary library("cuBLASLt", "KCC_CUBLASLT", cublaslt_names());
#define KCC_FIND(name) library.find("cublasLt" #name, &call_.name)
  KCC_FIND(GetVersion), KCC_FIND(Create), KCC_FIND(Destroy), KCC_FIND(MatmulDescCreate), KCC_FIND(MatmulDescDestroy), KCC_FIND(MatmulDescSetAttribute);
  KCC_FIND(MatrixLayoutCreate), KCC_FIND(MatrixLayoutDestroy), KCC_FIND(MatmulPreferenceCreate), KCC_FIND(MatmulPreferenceDestroy);
  KCC_FIND(MatmulPreferenceSetAttribute), KCC_FIND(MatmulAlgoGetHeuristic), KCC_FIND(MatmulAlgoCheck), KCC_FIND(Matmul);
#undef KCC_FIND
  if (!library.is_open()) return gpu::fail("%s", library.why().c_str());
  version_ = (int64_t)call_.GetVersion();
  const Status status = call_.Create(&handle_);
  if (status == cublaslt::kSuccess) return nullptr;
  handle_ = nullptr;
  return gpu::fail("%s cannot be used: %s (status %d)", library.file().c_str(), status_text(status), status);
}

Cublaslt::~Cublaslt() {
  if (handle_) call_.Destroy(handle_);
}

// ---- a call

namespace {

// A matrix by columns.
struct Layout {
  int64_t rows, columns, leading;
  bool is_by_terms;  // its columns run along the terms of the sums
};

bool lay_out(const Factor& operand, int64_t lines, int64_t terms, Layout* layout) {
  const auto holds = [](int64_t leading, int64_t rows, int64_t columns) { return leading >= rows || columns == 1; };
  if (operand.term == 1 && holds(operand.line, terms, lines)) *layout = {terms, lines, std::max(operand.line, terms), true};
  else if (operand.line == 1 && holds(operand.term, lines, terms)) *layout = {lines, terms, std::max(operand.term, lines), false};
  else return false;
  return true;
}

int type_of(Format format) { return format == Format::kBFloat16 ? cublaslt::kRealBf16 : cublaslt::kReal32; }

// Bytes that an address is a multiple of. Slots of the arena begin at multiples of 64, wherever they lie.
uint32_t alignment_of(const void* at) {
  const uintptr_t address = (uintptr_t)at;
  return (uint32_t)std::min<uintptr_t>(address & (~address + 1), 64);
}

// Everything that describes one product to the library.
class Request {
 public:
  Request(const Functions& call, const MatrixProduct& product, bool is_ended) : call_(call) { status_ = describe(product, is_ended); }
  ~Request() {
    if (description) call_.MatmulDescDestroy(description);
    for (void* layout : {a, b, d}) if (layout) call_.MatrixLayoutDestroy(layout);
  }
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;
  Status status() const { return status_; }

  void *description = nullptr, *a = nullptr, *b = nullptr, *d = nullptr;

 private:
  Status describe(const MatrixProduct& product, bool is_ended);
  Status make_layouts(const MatrixProduct& product, int result, const Layout& right, const Layout& left);
  template <class T>
  Status set(int attribute, const T& value) { return call_.MatmulDescSetAttribute(description, attribute, &value, sizeof value); }

  const Functions& call_;
  Status status_;
};

Status Request::describe(const MatrixProduct& product, bool is_ended) {
  Layout right, left;
  if (!lay_out(product.right, product.columns, product.terms, &right) || !lay_out(product.left, product.rows, product.terms, &left)) return cublaslt::kNotSupported;
  if (product.stride < product.columns && product.rows > 1) return cublaslt::kNotSupported;
  // Of TF32 the operands have no more digits already, so that nothing is rounded here; float32 keeps all of its own.
  const int compute = product.operands == Format::kTFloat32 ? cublaslt::kComputeTf32 : cublaslt::kCompute32;
  if (Status status = call_.MatmulDescCreate(&description, compute, cublaslt::kReal32)) return status;
  if (Status status = set(cublaslt::kTransposeA, right.is_by_terms ? cublaslt::kTransposed : cublaslt::kAsIs)) return status;
  if (Status status = set(cublaslt::kTransposeB, left.is_by_terms ? cublaslt::kAsIs : cublaslt::kTransposed)) return status;
  const uint32_t end = (product.bias ? cublaslt::kBias : 0) | (product.is_above_zero ? cublaslt::kRelu : 0);
  if (is_ended && end) {
    if (Status status = set(cublaslt::kEpilogue, end)) return status;
    if (product.bias)
      if (Status status = set(cublaslt::kBiasPointer, product.bias)) return status;
  }
  return make_layouts(product, type_of(is_ended ? product.result : Format::kFloat32), right, left);
}

Status Request::make_layouts(const MatrixProduct& product, int result, const Layout& right, const Layout& left) {
  const int type = type_of(product.operands);
  if (Status status = call_.MatrixLayoutCreate(&a, type, (uint64_t)right.rows, (uint64_t)right.columns, right.leading)) return status;
  if (Status status = call_.MatrixLayoutCreate(&b, type, (uint64_t)left.rows, (uint64_t)left.columns, left.leading)) return status;
  return call_.MatrixLayoutCreate(&d, result, (uint64_t)product.columns, (uint64_t)product.rows, std::max(product.stride, product.columns));
}

// What ways are to be found among.
class Preference {
 public:
  Preference(const Functions& call, const MatrixProduct& product, const void* into, int64_t most_workspace) : call_(call) {
    status_ = call.MatmulPreferenceCreate(&made);
    if (status_) return;
    const uint64_t workspace = (uint64_t)most_workspace;
    set(cublaslt::kMaxWorkspace, workspace);
    // Parts of sums that are added in whatever order they are done, or in fewer digits, are none of the ways.
    set(cublaslt::kReductionSchemes, cublaslt::kReducedApart);
    const void* const places[] = {product.right.at, product.left.at, into, into};
    for (int i = 0; i < 4; i++) set(cublaslt::kLeastAlignment + i, alignment_of(places[i]));
  }
  ~Preference() { if (made) call_.MatmulPreferenceDestroy(made); }
  Preference(const Preference&) = delete;
  Preference& operator=(const Preference&) = delete;
  Status status() const { return status_; }

  void* made = nullptr;

 private:
  template <class T>
  void set(int attribute, const T& value) {
    if (!status_) status_ = call_.MatmulPreferenceSetAttribute(made, attribute, &value, sizeof value);
  }

  const Functions& call_;
  Status status_;
};

}  // namespace

std::vector<Way> Cublaslt::ways(const MatrixProduct& product, bool is_ended, void* into, int64_t most_workspace, std::string* why) const {
  const Request request(call_, product, is_ended);
  const Preference preference(call_, product, into, most_workspace);
  cublaslt::Found found[kWays];
  int count = 0;
  Status status = request.status() ? request.status() : preference.status();
  if (!status) status = call_.MatmulAlgoGetHeuristic(handle_, request.description, request.a, request.b, request.d, request.d, preference.made, kWays, found, &count);
  if (status) *why = std::string("cuBLASLt: ") + status_text(status) + " (status " + std::to_string(status) + ")";
  std::vector<Way> ways;
  for (int i = 0; i < (status ? 0 : count); i++)
    if (found[i].state == cublaslt::kSuccess && (int64_t)found[i].workspace <= most_workspace) ways.push_back({is_ended, found[i].algorithm, (int64_t)found[i].workspace});
  if (!status && ways.empty()) *why = "cuBLASLt knows no way to do it";
  return ways;
}

Failure Cublaslt::start(const MatrixProduct& product, const Way& way, void* into, void* workspace, gpu::Stream stream) const {
  const Request request(call_, product, way.is_ended);
  const float one = 1, zero = 0;
  Status status = request.status();
  cublaslt::Found checked;
  if (!status) status = call_.MatmulAlgoCheck(handle_, request.description, request.a, request.b, request.d, request.d, &way.algorithm, &checked);
  // One that was kept may need more than it did.
  if (!status && (int64_t)checked.workspace > way.workspace) status = cublaslt::kNotSupported;
  if (!status)
    status = call_.Matmul(handle_, request.description, &one, product.right.at, request.a, product.left.at, request.b, &zero, into, request.d, into, request.d,
                          &way.algorithm, workspace, (size_t)way.workspace, stream);
  return status ? gpu::fail("cuBLASLt: %s (status %d)", status_text(status), status) : nullptr;
}

}  // namespace kcc
