// Products of matrices by cuBLASLt, where it is on the machine. Matrices lie by columns there and by rows here, so that it is asked
// for the transposed product: columns x rows = right' x left.
#pragma once
#include "cublaslt-api.h"
#include "runtime.h"
#include "shared-library.h"
#include "kcc/cuda/product.h"

#include <string>
#include <vector>

namespace kcc {

// One of the ways in which the library can do a call: with its own end of the product or without, by which of its algorithms.
struct Way {
  bool is_ended;
  cublaslt::Algorithm algorithm;
  int64_t workspace;  // bytes
};

class Cublaslt {
 public:
  // Of the device that this thread uses.
  Cublaslt();
  ~Cublaslt();
  Cublaslt(const Cublaslt&) = delete;
  Cublaslt& operator=(const Cublaslt&) = delete;

  bool is_ready() const { return handle_ != nullptr; }
  // Why it is not.
  const std::string& why() const { return why_; }
  int64_t version() const { return version_; }

  // At most kWays of them, what it takes for the fastest first; none where it cannot do the product, for the reason in `why`.
  // `into` is where the product is to lie, by rows of product.stride.
  std::vector<Way> ways(const MatrixProduct& product, bool is_ended, void* into, int64_t most_workspace, std::string* why) const;
  // Starts the product; what it is refused for, or null.
  gpu::Failure start(const MatrixProduct& product, const Way& way, void* into, void* workspace, gpu::Stream stream) const;

  static constexpr int kWays = 6;

 private:
  gpu::Failure load();

  cublaslt::Functions call_ = {};
  void* handle_ = nullptr;
  int64_t version_ = 0;
  std::string why_;
};

}  // namespace kcc
