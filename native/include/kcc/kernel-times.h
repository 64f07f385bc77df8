// Times of the kernels of one call, for `kcc inspect --fusion`: a line with the function's name and nanoseconds for each kernel,
// added to the file that the environment variable KCC_KERNEL_TIMES names. Only code that was emitted for it has these calls.
#pragma once
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

namespace kcc {
inline namespace KCC_LEVEL {

class KernelTimes {
 public:
  explicit KernelTimes(const char* function) {
    const char* name = getenv("KCC_KERNEL_TIMES");
    file_ = name == nullptr ? nullptr : fopen(name, "a");
    if (file_ != nullptr) fprintf(file_, "%s", function);
    last_ = now();
  }
  ~KernelTimes() {
    if (file_ == nullptr) return;
    fputc('\n', file_);
    fclose(file_);
  }
  KernelTimes(const KernelTimes&) = delete;
  KernelTimes& operator=(const KernelTimes&) = delete;

  // What has run since the last one. Writing goes into a buffer, and does not count.
  void lap() {
    const int64_t took = now() - last_;
    if (file_ != nullptr) fprintf(file_, " %lld", (long long)took);
    last_ = now();
  }

 private:
  static int64_t now() {
    timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
  }

  FILE* file_;
  int64_t last_;
};

}  // namespace KCC_LEVEL
}  // namespace kcc
