// Times of the kernels of one call, between marks on its stream: a line with the function's name and nanoseconds for each
// kernel, added to the file that the environment variable KCC_KERNEL_TIMES names. The call is not recorded then: between two
// kernels of a graph nobody can look at a clock.
#pragma once
#include "runtime.h"

#include <stddef.h>
#include <vector>

namespace kcc {

class Laps {
 public:
  // Are times wanted?
  static bool are_wanted();

  explicit Laps(gpu::Stream stream);
  ~Laps();
  Laps(const Laps&) = delete;
  Laps& operator=(const Laps&) = delete;

  // The first, and after each kernel that this thread starts.
  void mark();
  // Waits for the last one, and writes the line.
  gpu::Failure write(const char* function);

 private:
  const gpu::Stream stream_;
  std::vector<gpu::Event> marks_;
  gpu::Failure failure_ = nullptr;
};

// Times of recorded calls as they follow each other: for each a line with the function's name, its nanoseconds on the device
// and those since the end of the call before, added to the file that KCC_STEP_TIMES names.
class StepTimes {
 public:
  static bool are_wanted();

  ~StepTimes();
  // Around the launches of a call.
  void begin(gpu::Stream stream);
  void end(gpu::Stream stream, const char* function);
  // Of all calls since the last time, which have ended.
  gpu::Failure write();

 private:
  struct Step {
    gpu::Event begun = nullptr, ended = nullptr;
    const char* function = nullptr;
  };
  // Those of steps that were written are used again.
  std::vector<Step> steps_;
  size_t count_ = 0;
  gpu::Failure failure_ = nullptr;
};

}  // namespace kcc
