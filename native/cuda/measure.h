// Measures a product in all the ways there are, as they run later: recorded, and repeated one after another.
#pragma once
#include "libraries.h"

namespace kcc {

class Measurer : public Listener {
 public:
  Measurer(Libraries* libraries, gpu::Stream stream);
  ~Measurer();

  // Nothing of the function runs but what is measured.
  void hear(const MatrixProduct& product, gpu::Stream stream, const OwnLaunches& own) override;
  // What went wrong with the device itself.
  gpu::Failure failure() const { return failure_; }

 private:
  Choice measure(const MatrixProduct& product, const OwnLaunches& own);
  void try_ways(const MatrixProduct& product, const OwnLaunches& own, bool is_ended, Choice* choice);
  bool gives_the_product(const MatrixProduct& product, const Way& way, const OwnLaunches& own, Choice* choice);
  template <class Start>
  int64_t time(const Start& start);
  template <class Start>
  int64_t time_of(const Start& start, int count, int rounds);
  bool is_over() const;

  Libraries* const libraries_;
  const gpu::Stream stream_;
  gpu::Event begun_ = nullptr, ended_ = nullptr;
  int32_t* wrong_ = nullptr;
  int64_t until_;  // nanoseconds of the clock
  gpu::Failure failure_ = nullptr;
};

}  // namespace kcc
