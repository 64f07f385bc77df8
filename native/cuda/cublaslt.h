// Products of matrices by cuBLASLt, where it is on the machine. Matrices lie by columns there and by rows here, so that it is asked
// for the transposed product: columns x rows = right' x left.
#pragma once
#include "cublaslt-api.h"
#include "library.h"

namespace kcc {

class Cublaslt : public Library {
 public:
  // Of the device that this thread uses.
  Cublaslt();
  ~Cublaslt() override;

  // At most kWays. Rows of `into` are product.stride apart.
  std::vector<Way> ways(const MatrixProduct& product, bool is_ended, void* into, int64_t most_workspace, std::string* why) const override;
  gpu::Failure start(const MatrixProduct& product, const Way& way, void* into, void* workspace, gpu::Stream stream) const override;

  static constexpr int kWays = 6;

 private:
  gpu::Failure load();

  cublaslt::Functions call_ = {};
};

}  // namespace kcc
