// Philox4x32-10 (Salmon et al., SC 2011), the counter-based generator behind every random number: the same bits as
// runtime/contract/philox.ts. Element e of a tensor takes word (e >> 4) & 3 of block (e >> 6) * 16 + (e & 15), so
// that sixteen lanes computing sixteen blocks fill 64 consecutive elements.
// Counter words: [block, its high bits, step, its high bits]; key words: [seed, stream].
#pragma once
#include <stdint.h>

namespace kcc {
inline namespace KCC_LEVEL {

struct PhiloxBlock { uint32_t word[4]; };

KCC_INLINE PhiloxBlock philox4x32(uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3, uint32_t k0, uint32_t k1) {
  for (int round = 0; round < 10; round++) {
    uint64_t p0 = (uint64_t)0xd2511f53u * c0, p1 = (uint64_t)0xcd9e8d57u * c2;
    c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
    c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
    c1 = (uint32_t)p1;
    c3 = (uint32_t)p0;
    k0 += 0x9e3779b9u;
    k1 += 0xbb67ae85u;
  }
  return {{c0, c1, c2, c3}};
}

// Uniform in [0, 1) with 24 bits, exact in float32.
KCC_INLINE float uniform(uint32_t bits) { return (float)(int32_t)(bits >> 8) * 0x1p-24f; }

// The random bits of one element.
KCC_INLINE uint32_t random_bits(uint64_t seed, uint32_t stream, uint64_t step, int64_t element) {
  uint64_t block = (uint64_t)(element >> 6) * 16 + (uint64_t)(element & 15);
  return philox4x32((uint32_t)block, (uint32_t)(block >> 32), (uint32_t)step, (uint32_t)(step >> 32), (uint32_t)seed, stream)
      .word[(element >> 4) & 3];
}
KCC_INLINE float random_uniform(uint64_t seed, uint32_t stream, uint64_t step, int64_t element) {
  return uniform(random_bits(seed, stream, step, element));
}

}  // namespace KCC_LEVEL
}  // namespace kcc
