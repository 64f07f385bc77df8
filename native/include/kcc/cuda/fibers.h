// The threads of one block as fibers of one thread: each runs until it waits for others or ends. Threads that never wait run
// one after the other on one stack. x86-64 and the calling convention of Linux only.
#pragma once
#include <stdint.h>
#include <sys/mman.h>

namespace kcc {
inline namespace KCC_LEVEL {

// Keeps the running stack in *from and goes on with another.
__attribute__((naked, noinline)) static void switch_stack(void** /*from*/, void* /*to*/) {
  __asm__(
      "pushq %rbp\n pushq %rbx\n pushq %r12\n pushq %r13\n pushq %r14\n pushq %r15\n"
      "movq %rsp, (%rdi)\n movq %rsi, %rsp\n"
      "popq %r15\n popq %r14\n popq %r13\n popq %r12\n popq %rbx\n popq %rbp\n ret\n");
}

static constexpr int64_t kStackBytes = 64 << 10;
static constexpr unsigned kMostThreads = 1024;

// Stacks of one operating-system thread, kept from block to block; touched pages alone take memory.
class Stacks {
 public:
  ~Stacks() { if (base_) munmap(base_, (size_t)kStackBytes * kMostThreads); }
  // The end of a stack, where it begins to grow down; null without memory.
  char* end_of(unsigned i) {
    if (!base_) {
      void* mapped = mmap(nullptr, (size_t)kStackBytes * kMostThreads, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      base_ = mapped == MAP_FAILED ? nullptr : (char*)mapped;
    }
    return base_ ? base_ + kStackBytes * (int64_t)(i + 1) : nullptr;
  }

 private:
  char* base_ = nullptr;
};
inline thread_local Stacks stacks;

class Block {
 public:
  explicit Block(unsigned threads) : threads_(threads) {}

  // Calls body(with) as each thread, whose number is in *current while it runs. Null, or what went wrong.
  const char* run(void (*body)(const void* with), const void* with, unsigned* current) {
    body_ = body, with_ = with, current_ = current;
    serial_ = ++serials_, time_++, started_ = fibers_ = 0;
    if (!stacks.end_of(0)) return "out of memory";
    for (;;) {
      while (resume_ready()) {}
      if (is_done()) return nullptr;
      if (!release()) return "threads wait at a barrier that others of the block do not reach";
    }
  }

  void wait_for_block() { wait(Waits::for_block, 0); }
  void wait_for_lanes(unsigned lanes) { wait(Waits::for_lanes, lanes); }
  // What lane `from` of this thread's warp gave, when all of `lanes` have given something.
  uint32_t exchange(unsigned lanes, uint32_t value, unsigned from) {
    Fiber& fiber = all_[running_];
    fiber.given = value, fiber.from = from;
    wait(Waits::for_lanes, lanes);
    return fiber.got;
  }

  // Which thread runs; which block of the system's thread this is; rising with every barrier of the block; of a warp.
  int32_t current() const { return (int32_t)*current_; }
  uint64_t serial() const { return serial_; }
  uint64_t time() const { return time_; }
  uint64_t warp_time(unsigned warp) const { return warp_times_[warp]; }

 private:
  enum class Waits { not_at_all, for_block, for_lanes, ended };
  struct Fiber {
    void* stack;
    unsigned thread, lanes, from;
    uint32_t given, got;
    Waits waits;
  };

  // ---- on the scheduler's stack

  bool is_done() const {
    for (unsigned i = 0; i < fibers_; i++) if (all_[i].waits != Waits::ended) return false;
    return true;
  }

  // Goes on with every fiber that may run, and begins new ones while threads are left. False when there was none.
  bool resume_ready() {
    bool any = false;
    for (unsigned i = 0; i < fibers_; i++)
      if (all_[i].waits == Waits::not_at_all) resume(i), any = true;
    while (started_ < threads_) begin(fibers_++), any = true;
    return any;
  }

  void resume(unsigned i) {
    running_ = i, *current_ = all_[i].thread;
    switch_stack(&scheduler_, all_[i].stack);
  }

  // A stack that looks as if it had just left `enter`: six registers, then where to return to.
  void begin(unsigned i) {
    void** top = (void**)stacks.end_of(i) - 2;
    *top = (void*)&Block::enter;
    all_[i] = {top - 6, 0, 0, 0, 0, 0, Waits::not_at_all};
    self_ = this;
    resume(i);
  }

  // Lets go on who waits for nobody any more: first lanes of a warp, then the block.
  bool release() {
    bool any = false;
    for (unsigned i = 0; i < fibers_; i++)
      if (all_[i].waits == Waits::for_lanes && are_together(all_[i])) release_lanes(all_[i]), any = true;
    if (any) return true;
    for (unsigned i = 0; i < fibers_; i++) if (all_[i].waits != Waits::for_block) return false;
    if (fibers_ != threads_) return false;
    for (unsigned i = 0; i < fibers_; i++) all_[i].waits = Waits::not_at_all;
    time_++;
    return true;
  }

  Fiber* lane_of(const Fiber& fiber, unsigned lane) {
    const unsigned thread = fiber.thread / 32 * 32 + lane;
    return (fiber.lanes >> lane & 1u) && thread < threads_ ? fiber_of_[thread] : nullptr;
  }
  bool are_together(const Fiber& fiber) {
    for (unsigned lane = 0; lane < 32; lane++) {
      if (!(fiber.lanes >> lane & 1u)) continue;
      const Fiber* other = lane_of(fiber, lane);
      if (!other || other->waits != Waits::for_lanes || other->lanes != fiber.lanes) return false;
    }
    return true;
  }
  void release_lanes(const Fiber& fiber) {
    const unsigned warp = fiber.thread / 32 * 32;
    warp_times_[fiber.thread / 32]++;
    for (unsigned lane = 0; lane < 32; lane++) {
      Fiber* other = lane_of(fiber, lane);
      if (other) other->waits = Waits::not_at_all, other->got = fiber_of_[warp + other->from]->given;
    }
  }

  // ---- on the stack of a fiber

  static void enter() { self_->run_threads(); }

  // As many threads as come without waiting.
  void run_threads() {
    Fiber& fiber = all_[running_];
    while (started_ < threads_) {
      fiber.thread = started_++;
      fiber_of_[fiber.thread] = &fiber;
      *current_ = fiber.thread;
      body_(with_);
    }
    fiber.waits = Waits::ended;
    switch_stack(&fiber.stack, scheduler_);
    __builtin_unreachable();
  }

  void wait(Waits waits, unsigned lanes) {
    Fiber& fiber = all_[running_];
    fiber.waits = waits, fiber.lanes = lanes;
    switch_stack(&fiber.stack, scheduler_);
  }

  const unsigned threads_;
  void (*body_)(const void* with) = nullptr;
  const void* with_ = nullptr;
  unsigned* current_ = nullptr;
  unsigned started_ = 0, fibers_ = 0, running_ = 0;
  uint64_t serial_ = 0, time_ = 0, warp_times_[kMostThreads / 32] = {0};
  void* scheduler_ = nullptr;
  Fiber all_[kMostThreads];
  Fiber* fiber_of_[kMostThreads];
  inline static thread_local Block* self_ = nullptr;
  inline static thread_local uint64_t serials_ = 0;
};

}  // namespace KCC_LEVEL
}  // namespace kcc
