// The warp instructions of tensor cores: D = A B + C for a 16 x 8 result, from operands of fewer digits, summed in float32.
//
// Operands are words of 32 bits: one TF32, or two bfloat16 that are neighbours along the sum, the first in the lower half. In words
// both formats have the same shape, 16 x 8 by 8 x 8, and lanes the same places in it (PTX ISA, "Matrix fragments for
// mma.m16n8k8" and "mma.m16n8k16"): of lane 4 g + t
//
//   A  word i  is row g + 8 (i % 2), word t + 4 (i / 2)
//   B  word i  is word t + 4 i of column g
//   D  sum i   is row g + 8 (i / 2), column 2 t + i % 2
//
// A host executes them with the same lanes and words; each sum there is one chain of multiply-adds, rising. What a GPU adds up in
// what order is its own: no sum of n terms is off by more than n roundings of its magnitudes.
#pragma once
#include "math.h"

namespace kcc {
inline namespace KCC_LEVEL {

// Rows and columns of a result, and words along the sum.
static constexpr int kMmaRows = 16, kMmaColumns = 8, kMmaWords = 8;

struct Tf32 {
  static constexpr int kTerms = 1;  // in a word
  static KCC_MEMBER uint32_t word(const float* terms) { return (uint32_t)bits(terms[0]); }
#ifdef __CUDACC__
  static KCC_MEMBER void multiply_add(float (&sums)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
    asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3]) : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
  }
#else
  // Its last 13 bits are not read.
  static float term(uint32_t word, int) { return from_bits((int32_t)(word & 0xffffe000u)); }
#endif
};

struct Bf16 {
  static constexpr int kTerms = 2;
  static KCC_MEMBER uint32_t word(const float* terms) { return to_bf16(terms[0]) | (uint32_t)to_bf16(terms[1]) << 16; }
#ifdef __CUDACC__
  static KCC_MEMBER void multiply_add(float (&sums)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3]) : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
  }
#else
  static float term(uint32_t word, int i) { return from_bf16((uint16_t)(word >> 16 * i)); }
#endif
};

#ifdef __CUDACC__

// Fragments of `Count` blocks of 8 lines by 4 words of shared memory; lane l names the 16 bytes of line l % 8 of block l / 8.
template <int Count>
KCC_INLINE void load_fragments(uint32_t (&words)[Count], const uint32_t* line) {
  const unsigned at = (unsigned)__cvta_generic_to_shared(line);
  if constexpr (Count == 4) asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];" : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3]) : "r"(at) : "memory");
  else asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0, %1}, [%2];" : "=r"(words[0]), "=r"(words[1]) : "r"(at) : "memory");
}
template <class Format>
KCC_INLINE void multiply_add(float (&sums)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) { Format::multiply_add(sums, a, b); }

#else

// What the lanes of each warp of a block have given.
struct Fragments { uint32_t a[4], b[2]; };
inline thread_local Fragments fragments_of_lanes[kMostThreads];

template <class Format>
inline void multiply_add(float (&sums)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  const unsigned lane = host_thread.x % kWarp;
  Fragments* const warp = fragments_of_lanes + host_thread.x / kWarp * kWarp;
  warp[lane] = {{a[0], a[1], a[2], a[3]}, {b[0], b[1]}};
  __syncwarp(kAllLanes);
  for (unsigned i = 0; i < 4; i++) {
    const unsigned row = lane / 4 + 8 * (i / 2), column = 2 * (lane % 4) + i % 2;
    for (unsigned at = 0; at < kMmaWords; at++) {
      const uint32_t left = warp[4 * (row % 8) + at % 4].a[row / 8 + 2 * (at / 4)], right = warp[4 * column + at % 4].b[at / 4];
      for (int term = 0; term < Format::kTerms; term++) sums[i] = fma(Format::term(left, term), Format::term(right, term), sums[i]);
    }
  }
  __syncwarp(kAllLanes);  // before the next fragments are given
}

#endif

}  // namespace KCC_LEVEL
}  // namespace kcc
