// A pool of spinning threads for the benchmark of kernels, and the clock. Chunks go to threads in fixed contiguous runs.
#pragma once
#include <immintrin.h>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>
#include "kcc/abi.h"

// Denormal numbers count as zero: on Intel each one met costs over a hundred cycles, and training makes them.
static inline void flush_denormals() { _mm_setcsr(_mm_getcsr() | 0x8040); }

struct BenchPool : kcc_pool {
  std::vector<std::thread> workers;
  std::atomic<int64_t> round{0}, busy{0};
  std::atomic<bool> stop{false};
  int64_t count = 0;
  void (*body)(void*, int64_t) = nullptr;
  void* context = nullptr;

  explicit BenchPool(int n) {
    run = [](kcc_pool* pool, int64_t count, void (*body)(void*, int64_t), void* context) {
      static_cast<BenchPool*>(pool)->start(count, body, context);
    };
    threads = n;
    reserved = 0;
    for (int i = 1; i < n; ++i) workers.emplace_back([this, i] { work(i); });
  }
  ~BenchPool() {
    stop = true;
    round++;
    for (auto& w : workers) w.join();
  }
  template <class Condition> static void wait(const Condition& done) {
    for (int spins = 0; !done(); ++spins) spins < 5000 ? _mm_pause() : std::this_thread::yield();
  }
  void share(int thread) {
    for (int64_t i = count * thread / threads; i < count * (thread + 1) / threads; ++i) body(context, i);
  }
  void start(int64_t n, void (*f)(void*, int64_t), void* c) {
    count = n, body = f, context = c;
    busy = threads - 1;
    round.fetch_add(1, std::memory_order_release);
    share(0);
    wait([&] { return busy.load(std::memory_order_acquire) == 0; });
  }
  void work(int thread) {
    flush_denormals();
    for (int64_t seen = 0; !stop; ++seen) {
      wait([&] { return round.load(std::memory_order_acquire) != seen; });
      if (stop) return;
      share(thread);
      busy.fetch_sub(1, std::memory_order_release);
    }
  }
};

static inline double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}
