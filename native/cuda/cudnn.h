// Products of windows by cuDNN, where it is on the machine: a convolution of an array whose channels lie side by side, with a filter or
// for the gradient of one. Only algorithms that give the same bits each time are asked for, and none that multiply in another
// form (Fourier, Winograd), whose results are not sums of the products.
#pragma once
#include "cudnn-api.h"
#include "library.h"

namespace kcc {

class Cudnn : public Library {
 public:
  // Of the device that this thread uses.
  Cudnn();
  ~Cudnn() override;

  std::vector<Way> ways(const MatrixProduct& product, bool is_ended, void* into, int64_t most_workspace, std::string* why) const override;
  gpu::Failure start(const MatrixProduct& product, const Way& way, void* into, void* workspace, gpu::Stream stream) const override;

 private:
  gpu::Failure load();

  cudnn::Functions call_ = {};
};

}  // namespace kcc
