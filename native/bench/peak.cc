#include "peak.h"

#include <immintrin.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

namespace kcc {
namespace {

double seconds() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

// Twelve independent chains hide the latency of two FMA units. Named variables: arrays are not kept in registers.
#define KCC_CHAINS(STEP) STEP(a) STEP(b) STEP(c) STEP(d) STEP(e) STEP(f) STEP(g) STEP(h) STEP(i) STEP(j) STEP(k) STEP(l)
#define KCC_FMA_LOOP(NAME, TARGET, V, SET1, LANES)                               \
  __attribute__((target(TARGET), noinline)) float NAME(int64_t rounds) {         \
    V x = SET1(0.999f), y = SET1(0.001f);                                        \
    KCC_CHAINS(KCC_DECLARE_##LANES)                                              \
    for (int64_t r = 0; r < rounds; r++) {                                       \
      KCC_CHAINS(KCC_STEP_##LANES)                                               \
      __asm__ volatile("" ::: "memory");                                         \
    }                                                                            \
    V s = a + b + c + d + e + f + g + h + i + j + k + l;                         \
    return s[0];                                                                 \
  }
#define KCC_DECLARE_16(v) __m512 v = _mm512_set1_ps((float)#v[0]);
#define KCC_STEP_16(v) v = _mm512_fmadd_ps(v, x, y);
#define KCC_DECLARE_8(v) __m256 v = _mm256_set1_ps((float)#v[0]);
#define KCC_STEP_8(v) v = _mm256_fmadd_ps(v, x, y);
#define KCC_DECLARE_4(v) __m128 v = _mm_set1_ps((float)#v[0]);
#define KCC_STEP_4(v) v = _mm_add_ps(_mm_mul_ps(v, x), y);
KCC_FMA_LOOP(fma_512, "avx512f", __m512, _mm512_set1_ps, 16)
KCC_FMA_LOOP(fma_256, "avx2,fma", __m256, _mm256_set1_ps, 8)
KCC_FMA_LOOP(fma_128, "sse2", __m128, _mm_set1_ps, 4)

struct Kind { float (*loop)(int64_t); double lanes; };
Kind best_kind() {
  if (__builtin_cpu_supports("avx512f")) return {fma_512, 16};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return {fma_256, 8};
  return {fma_128, 4};
}

struct Job {
  Kind kind;
  int64_t rounds;
  char *from, *to;
  int64_t bytes, chunk;
  volatile float sink;
};
void flops_chunk(void* context, int64_t) {
  Job* job = (Job*)context;
  job->sink = job->kind.loop(job->rounds);
}
void copy_chunk(void* context, int64_t i) {
  Job* job = (Job*)context;
  int64_t first = i * job->chunk, end = first + job->chunk < job->bytes ? first + job->chunk : job->bytes;
  if (first < end) memcpy(job->to + first, job->from + first, (size_t)(end - first));
}

void run(kcc_pool* pool, int64_t count, void (*body)(void*, int64_t), Job* job) {
  if (pool) return pool->run(pool, count, body, job);
  for (int64_t i = 0; i < count; i++) body(job, i);
}

// Best of several rounds: others may use the machine too. Each thread gets several chunks, so that the faster helps.
double best_flops(kcc_pool* pool, int64_t threads, Job* job) {
  double best = 0;
  for (int round = 0; round < 40; round++) {
    double start = seconds();
    run(pool, threads * 4, flops_chunk, job);
    double rate = (double)(threads * 4) * (double)job->rounds * 12 * 2 * job->kind.lanes / (seconds() - start);
    if (rate > best) best = rate;
  }
  return best;
}
double best_bandwidth(kcc_pool* pool, Job* job) {
  double best = 0;
  for (int round = 0; round < 8; round++) {
    double start = seconds();
    run(pool, (job->bytes + job->chunk - 1) / job->chunk, copy_chunk, job);
    double rate = 2 * (double)job->bytes / (seconds() - start);
    if (rate > best) best = rate;
  }
  return best;
}

}  // namespace

Peak measure_peak(kcc_pool* pool) {
  int64_t threads = pool ? pool->threads : 1;
  Job job = {best_kind(), 250000, nullptr, nullptr, 128 << 20, 4 << 20, 0};
  Peak peak = {best_flops(nullptr, 1, &job), best_flops(pool, threads, &job), 0, 0};
  job.from = (char*)malloc((size_t)job.bytes), job.to = (char*)malloc((size_t)job.bytes);
  if (job.from && job.to) {
    memset(job.from, 1, (size_t)job.bytes), memset(job.to, 2, (size_t)job.bytes);
    peak.bandwidth1 = best_bandwidth(nullptr, &job), peak.bandwidthAll = best_bandwidth(pool, &job);
  }
  free(job.from), free(job.to);
  return peak;
}

}  // namespace kcc
