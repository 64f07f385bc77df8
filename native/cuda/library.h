// A library of the GPU's vendor that computes products: what is common to all of them.
#pragma once
#include "runtime.h"
#include "kcc/cuda/product.h"

#include <string>
#include <vector>

namespace kcc {

// As a library calls it. It may be kept, for the same version of the library.
struct Algorithm { uint64_t data[8]; };

// One of the ways in which a library can do a call: with its own end of the product or without, by which of its algorithms.
struct Way {
  bool is_ended;
  Algorithm algorithm;
  int64_t workspace;  // bytes
};

class Library {
 public:
  Library() = default;
  virtual ~Library() = default;
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  bool is_ready() const { return handle_ != nullptr; }
  // Why it is not.
  const std::string& why() const { return why_; }
  int64_t version() const { return version_; }

  // Some of them, what it takes for the fastest first; none where it cannot do the product, for the reason in `why`.
  // `into` is where the product is to lie.
  virtual std::vector<Way> ways(const MatrixProduct& product, bool is_ended, void* into, int64_t most_workspace, std::string* why) const = 0;
  // Starts the product; what it is refused for, or null.
  virtual gpu::Failure start(const MatrixProduct& product, const Way& way, void* into, void* workspace, gpu::Stream stream) const = 0;

 protected:
  void* handle_ = nullptr;
  int64_t version_ = 0;
  std::string why_;
};

}  // namespace kcc
