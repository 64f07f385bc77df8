// Exercises the pool alone: every chunk exactly once, nested and simultaneous runs, resizing, fork; then the latency of an
// empty fork-join. Prints one JSON object. usage: pool-test <rounds>
#include "kcc/pool.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

struct Work { kcc_pool* pool; int32_t* hits; int64_t count; bool nested; };

static void touch(void* context, int64_t i) {
  Work* work = (Work*)context;
  work->hits[i]++;  // not atomic: two threads in one chunk are a race the sanitizer sees
  if (work->nested) {
    int32_t inner[3] = {0, 0, 0};
    Work nested = {work->pool, inner, 3, false};
    work->pool->run(work->pool, 3, touch, &nested);
    work->hits[i] += inner[0] + inner[1] + inner[2] - 3;
  }
}

static int64_t round_of(kcc_pool* pool, int64_t count, bool nested) {
  Work work = {pool, (int32_t*)calloc((size_t)count + 1, 4), count, nested};
  pool->run(pool, count, touch, &work);
  int64_t bad = work.hits[count] != 0;
  for (int64_t i = 0; i < count; i++) bad += work.hits[i] != 1;
  free(work.hits);
  return bad;
}

static void* caller(void* context) {
  Work* work = (Work*)context;
  int64_t bad = 0;
  for (int64_t i = 0; i < work->count; i++) bad += round_of(work->pool, i % 40, i % 7 == 0);
  return (void*)bad;
}

static int64_t simultaneous(kcc_pool* pool, int64_t rounds) {
  pthread_t threads[4];
  Work work = {pool, nullptr, rounds, false};
  for (auto& thread : threads) pthread_create(&thread, nullptr, caller, &work);
  int64_t bad = 0;
  for (auto& thread : threads) {
    void* result;
    pthread_join(thread, &result);
    bad += (int64_t)result;
  }
  return bad;
}

#ifndef __SANITIZE_THREAD__  // which forbids threads after a fork
static int64_t in_child(kcc_pool* pool) {
  pid_t child = fork();
  if (child == 0) _exit(round_of(pool, 100, false) != 0);
  int status = 1;
  waitpid(child, &status, 0);
  return status != 0;
}
#endif

// Chunks long enough that a second thread is worth waiting for; what a run takes beyond one chunk is the pool's price.
static void spin(void* ticks, int64_t) {
  for (uint64_t start = __builtin_ia32_rdtsc(); __builtin_ia32_rdtsc() - start < *(uint64_t*)ticks;) {}
}

static double latency(kcc_pool* pool, int64_t count) {
  uint64_t ticks = 10000;
  double alone = 1e9, together = 1e9;
  for (int round = 0; round < 2000; round++) {
    double start = now();
    spin(&ticks, 0);
    double middle = now();
    pool->run(pool, count, spin, &ticks);
    double end = now();
    if (middle - start < alone) alone = middle - start;
    if (end - middle < together) together = end - middle;
  }
  return together - alone;
}

int main(int argc, char** argv) {
  int64_t rounds = argc > 1 ? atoll(argv[1]) : 2000, bad = 0;
  kcc_pool* pool = kcc_pool_acquire();
  static const int32_t sizes[] = {1, 2, 3, 8, 0};
  for (int32_t size : sizes) {
    int32_t got = kcc_pool_set_threads(size);
    bad += size ? got != size : got < 1;
    for (int64_t i = 0; i < rounds; i++) bad += round_of(pool, i % 70, i % 5 == 0);
    usleep(30000);  // let the workers fall asleep
    bad += round_of(pool, 1000, false);
    bad += simultaneous(pool, rounds / 4);
#ifndef __SANITIZE_THREAD__
    bad += in_child(pool);
#endif
  }
  kcc_pool_set_threads(2);
  double join2 = latency(pool, 2);
  kcc_pool_release();
  kcc_pool_acquire();
  bad += round_of(pool, 64, true);
  kcc_pool_release();
  printf("{\"bad\": %lld, \"forkJoinNs\": %.0f}\n", (long long)bad, join2);
  return bad != 0;
}
