// The generator of philox-core.h in vectors, and streams that keep what they have drawn.
#pragma once
#include "vec.h"
#include "philox-core.h"

namespace kcc {
inline namespace KCC_LEVEL {

// Low and high halves of the products of a's lanes and m.
KCC_INLINE void multiply_wide(vu a, uint32_t m, vu* low, vu* high) {
#if KCC_VW == 16
  __m512i b = _mm512_set1_epi32((int32_t)m), x = (__m512i)a;
  __m512i even = _mm512_mul_epu32(x, b), odd = _mm512_mul_epu32(_mm512_srli_epi64(x, 32), b);
  *high = (vu)_mm512_mask_blend_epi32(0xaaaa, _mm512_srli_epi64(even, 32), odd);
  *low = (vu)_mm512_mask_blend_epi32(0xaaaa, even, _mm512_slli_epi64(odd, 32));
#elif KCC_VW == 8
  __m256i b = _mm256_set1_epi32((int32_t)m), x = (__m256i)a;
  __m256i even = _mm256_mul_epu32(x, b), odd = _mm256_mul_epu32(_mm256_srli_epi64(x, 32), b);
  *high = (vu)_mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xaa);
  *low = (vu)_mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xaa);
#else
  __m128i b = _mm_set1_epi32((int32_t)m), x = (__m128i)a;
  __m128i even = _mm_mul_epu32(x, b), odd = _mm_mul_epu32(_mm_srli_epi64(x, 32), b);
  *high = (vu)_mm_blend_epi16(_mm_srli_epi64(even, 32), odd, 0xcc);
  *low = (vu)_mm_blend_epi16(even, _mm_slli_epi64(odd, 32), 0xcc);
#endif
}

// The four words of blocks first .. first + KCC_VW - 1. `first` is a multiple of KCC_VW, so the high counter word is
// the same in every lane.
KCC_INLINE void philox4x32_vector(uint64_t first, uint64_t step, uint32_t seed, uint32_t stream, vu word[4]) {
  vu c0 = (vu)iota() + (uint32_t)first, c1 = vu{} + (uint32_t)(first >> 32);
  vu c2 = vu{} + (uint32_t)step, c3 = vu{} + (uint32_t)(step >> 32);
  uint32_t k0 = seed, k1 = stream;
#pragma GCC unroll 10
  for (int round = 0; round < 10; round++) {
    vu l0, h0, l1, h1;
    multiply_wide(c0, 0xd2511f53u, &l0, &h0);
    multiply_wide(c2, 0xcd9e8d57u, &l1, &h1);
    c0 = h1 ^ c1 ^ k0;
    c2 = h0 ^ c3 ^ k1;
    c1 = l1;
    c3 = l0;
    k0 += 0x9e3779b9u;
    k1 += 0xbb67ae85u;
  }
  word[0] = c0, word[1] = c1, word[2] = c2, word[3] = c3;
}

// As its scalar twin in philox-core.h.
KCC_INLINE vf uniform(vu bits) { return to_float((vi)(bits >> 8)) * 0x1p-24f; }

// One stream at one step, read in any order and best in rising order: keeps the 64 consecutive elements computed last.
// A local variable of a loop (or of one chunk of a parallel loop); not shared between threads.
//   kcc::RandomStream random(call->seed, 3, call->step);
//   for (i = 0; i + KCC_VW <= n; i += KCC_VW) { vf u = random.vector(base + i); ... }
//   for (; i < n; i++) { float u = random.scalar(base + i); ... }
struct RandomStream {
  uint64_t step;
  uint32_t seed, stream;
  int64_t held;  // elements held * 64 .. held * 64 + 63 are in `block`; -1 when none are
  alignas(64) float block[64];

  __attribute__((always_inline)) RandomStream(uint64_t seed_, uint32_t stream_, uint64_t step_)
      : step(step_), seed((uint32_t)seed_), stream(stream_), held(-1) {}

  // One copy per translation unit: called once for every 64 elements.
  __attribute__((noinline)) static void fill(RandomStream* self, int64_t which) {
    for (int part = 0; part < 16; part += KCC_VW) {
      vu word[4];
      philox4x32_vector((uint64_t)which * 16 + (uint64_t)part, self->step, self->seed, self->stream, word);
      for (int w = 0; w < 4; w++) store(self->block + w * 16 + part, uniform(word[w]));
    }
    self->held = which;
  }
  __attribute__((always_inline)) float scalar(int64_t element) {
    if (element >> 6 != held) fill(this, element >> 6);
    return block[element & 63];
  }
  // Elements first .. first + KCC_VW - 1, wherever `first` is.
  __attribute__((always_inline)) vf vector(int64_t first) {
    if (__builtin_expect((first & (KCC_VW - 1)) == 0, 1)) {
      if (first >> 6 != held) fill(this, first >> 6);
      return load(block + (first & 63));
    }
    return straddling(this, first, 1);
  }
  // Elements first, first + stride, ...
  __attribute__((always_inline)) vf vector(int64_t first, int64_t stride) {
    return stride == 1 ? vector(first) : straddling(this, first, stride);
  }
  __attribute__((noinline)) static vf straddling(RandomStream* self, int64_t first, int64_t stride) {
    vf x{};
    for (int i = 0; i < KCC_VW; i++) x[i] = self->scalar(first + i * stride);
    return x;
  }
};

}  // namespace KCC_LEVEL
}  // namespace kcc
