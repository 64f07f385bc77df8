#include "laps.h"
#include "kcc/cuda/lap.h"

#include <stdio.h>
#include <stdlib.h>

namespace kcc {

static thread_local Laps* running = nullptr;

static bool is_set(const char* variable) {
  const char* value = getenv(variable);
  return value != nullptr && *value != 0;
}

// ---- kernels of one call

bool Laps::are_wanted() { return is_set("KCC_KERNEL_TIMES"); }

Laps::Laps(gpu::Stream stream) : stream_(stream) {
  running = this;
  mark();
}

Laps::~Laps() {
  running = nullptr;
  for (gpu::Event event : marks_) gpu::release_event(event);
}

void Laps::mark() {
  gpu::Event event = nullptr;
  if (!failure_) failure_ = gpu::make_timer(&event);
  if (event) marks_.push_back(event);
  if (!failure_) failure_ = gpu::mark(event, stream_);
}

gpu::Failure Laps::write(const char* function) {
  if (!failure_) failure_ = gpu::wait(stream_);
  FILE* file = failure_ ? nullptr : fopen(getenv("KCC_KERNEL_TIMES"), "a");
  if (!file) return failure_;
  fprintf(file, "%s", function);
  for (size_t i = 1; i < marks_.size() && !failure_; i++) {
    int64_t between = 0;
    failure_ = gpu::nanoseconds(marks_[i - 1], marks_[i], &between);
    fprintf(file, " %lld", (long long)between);
  }
  fputc('\n', file);
  fclose(file);
  return failure_;
}

// ---- calls

bool StepTimes::are_wanted() { return is_set("KCC_STEP_TIMES"); }

StepTimes::~StepTimes() {
  for (const Step& step : steps_) gpu::release_event(step.begun), gpu::release_event(step.ended);
}

void StepTimes::begin(gpu::Stream stream) {
  if (count_ == steps_.size()) {
    Step made;
    if (!failure_) failure_ = gpu::make_timer(&made.begun);
    if (!failure_) failure_ = gpu::make_timer(&made.ended);
    steps_.push_back(made);
  }
  if (!failure_) failure_ = gpu::mark(steps_[count_].begun, stream);
}

void StepTimes::end(gpu::Stream stream, const char* function) {
  Step& step = steps_[count_++];
  step.function = function;
  if (!failure_) failure_ = gpu::mark(step.ended, stream);
}

gpu::Failure StepTimes::write() {
  FILE* file = count_ == 0 || failure_ || !are_wanted() ? nullptr : fopen(getenv("KCC_STEP_TIMES"), "a");
  for (size_t i = 0; i < count_ && file && !failure_; i++) {
    int64_t took = 0, waited = 0;
    failure_ = gpu::nanoseconds(steps_[i].begun, steps_[i].ended, &took);
    if (i > 0 && !failure_) failure_ = gpu::nanoseconds(steps_[i - 1].ended, steps_[i].begun, &waited);
    fprintf(file, "%s %lld %lld\n", steps_[i].function, (long long)took, (long long)waited);
  }
  if (file) fclose(file);
  count_ = 0;
  return failure_;
}

}  // namespace kcc

extern "C" void kcc_cuda_lap(void*) {
  if (kcc::running) kcc::running->mark();
}
