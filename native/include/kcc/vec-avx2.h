// The width-specific part of vec.h: 8 lanes, AVX2 (and FMA where the level has it). Include vec.h, not this.
#pragma once

namespace kcc {
inline namespace KCC_LEVEL {

KCC_INLINE __m256i lane_mask(int64_t n) { return (__m256i)first_lanes(n); }

KCC_INLINE vf load(const float* p) { return (vf)_mm256_loadu_ps(p); }
KCC_INLINE vi load(const int32_t* p) { return (vi)_mm256_loadu_si256((const __m256i*)p); }
KCC_INLINE vf load(const float* p, int64_t n) { return (vf)_mm256_maskload_ps(p, lane_mask(n)); }
KCC_INLINE vi load(const int32_t* p, int64_t n) { return (vi)_mm256_maskload_epi32((const int*)p, lane_mask(n)); }
// Lanes from `from` to before `to`; the others are those of `otherwise`.
KCC_INLINE vi lanes_between(int64_t from, int64_t to) { return first_lanes(to) & ~first_lanes(from); }
KCC_INLINE vf load_between(const float* p, int64_t from, int64_t to, vf otherwise) {
  const vi mask = lanes_between(from, to);
  return select(mask, (vf)_mm256_maskload_ps(p, (__m256i)mask), otherwise);
}
KCC_INLINE vi load_between(const int32_t* p, int64_t from, int64_t to, vi otherwise) {
  const vi mask = lanes_between(from, to);
  return select(mask, (vi)_mm256_maskload_epi32((const int*)p, (__m256i)mask), otherwise);
}
KCC_INLINE void store(float* p, vf x) { _mm256_storeu_ps(p, (__m256)x); }
KCC_INLINE void store(int32_t* p, vi x) { _mm256_storeu_si256((__m256i*)p, (__m256i)x); }
KCC_INLINE void store(float* p, vf x, int64_t n) { _mm256_maskstore_ps(p, lane_mask(n), (__m256)x); }
KCC_INLINE void store(int32_t* p, vi x, int64_t n) { _mm256_maskstore_epi32((int*)p, lane_mask(n), (__m256i)x); }

// uint8 elements as int32 0..255; stores keep the low 8 bits.
KCC_INLINE vi load_u8(const uint8_t* p) { return (vi)_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i*)p)); }
KCC_INLINE vi load_u8(const uint8_t* p, int64_t n) {
  uint64_t bytes = 0;
  for (int64_t i = 0; i < n; i++) bytes |= (uint64_t)p[i] << (8 * i);
  return (vi)_mm256_cvtepu8_epi32(_mm_cvtsi64_si128((int64_t)bytes));
}
KCC_INLINE uint64_t low_bytes(vi x) {
  __m256i low = (__m256i)(x & 255);
  __m128i words = _mm_packus_epi32(_mm256_castsi256_si128(low), _mm256_extracti128_si256(low, 1));
  return (uint64_t)_mm_cvtsi128_si64(_mm_packus_epi16(words, words));
}
KCC_INLINE void store_u8(uint8_t* p, vi x) { uint64_t bytes = low_bytes(x); __builtin_memcpy(p, &bytes, 8); }
KCC_INLINE void store_u8(uint8_t* p, vi x, int64_t n) {
  uint64_t bytes = low_bytes(x);
  for (int64_t i = 0; i < n; i++) p[i] = (uint8_t)(bytes >> (8 * i));
}

// Lane i is p[i * stride]; strides below 2^26 elements in either direction.
KCC_INLINE __m256i lane_offsets(int64_t stride) { return (__m256i)(iota() * (int32_t)stride); }
KCC_INLINE vf gather(const float* p, int64_t stride) { return (vf)_mm256_i32gather_ps(p, lane_offsets(stride), 4); }
KCC_INLINE vi gather(const int32_t* p, int64_t stride) { return (vi)_mm256_i32gather_epi32((const int*)p, lane_offsets(stride), 4); }
KCC_INLINE vf gather(const float* p, int64_t stride, int64_t n) {
  return (vf)_mm256_mask_i32gather_ps(_mm256_setzero_ps(), p, lane_offsets(stride), (__m256)lane_mask(n), 4);
}
KCC_INLINE vi gather(const int32_t* p, int64_t stride, int64_t n) {
  return (vi)_mm256_mask_i32gather_epi32(_mm256_setzero_si256(), (const int*)p, lane_offsets(stride), lane_mask(n), 4);
}
KCC_INLINE void scatter(float* p, int64_t stride, vf x, int64_t n) { for (int64_t i = 0; i < n; i++) p[i * stride] = x[i]; }
KCC_INLINE void scatter(int32_t* p, int64_t stride, vi x, int64_t n) { for (int64_t i = 0; i < n; i++) p[i * stride] = x[i]; }
KCC_INLINE void scatter(float* p, int64_t stride, vf x) { for (int i = 0; i < KCC_VW; i++) p[i * stride] = x[i]; }
KCC_INLINE void scatter(int32_t* p, int64_t stride, vi x) { for (int i = 0; i < KCC_VW; i++) p[i * stride] = x[i]; }

KCC_INLINE vf max_raw(vf a, vf b) { return (vf)_mm256_max_ps((__m256)a, (__m256)b); }
KCC_INLINE vf min_raw(vf a, vf b) { return (vf)_mm256_min_ps((__m256)a, (__m256)b); }
KCC_INLINE vf sqrt(vf x) { return (vf)_mm256_sqrt_ps((__m256)x); }
KCC_INLINE vf floor(vf x) { return (vf)_mm256_floor_ps((__m256)x); }
KCC_INLINE vf rint(vf x) { return (vf)_mm256_round_ps((__m256)x, 8); }
KCC_INLINE vi to_int(vf x) { return (vi)_mm256_cvttps_epi32((__m256)x); }
KCC_INLINE vf to_float(vi x) { return (vf)_mm256_cvtepi32_ps((__m256i)x); }
KCC_INLINE vf fma(vf a, vf b, vf c) {
#ifdef __FMA__
  return (vf)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#else
  return a * b + c;
#endif
}

}  // namespace KCC_LEVEL
}  // namespace kcc
