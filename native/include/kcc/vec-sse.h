// The width-specific part of vec.h: 4 lanes, SSE4.1, no FMA. Include vec.h, not this.
#pragma once

namespace kcc {
inline namespace KCC_LEVEL {

KCC_INLINE vf load(const float* p) { return (vf)_mm_loadu_ps(p); }
KCC_INLINE vi load(const int32_t* p) { return (vi)_mm_loadu_si128((const __m128i*)p); }
KCC_INLINE vf load(const float* p, int64_t n) {
  vf x{};
  for (int64_t i = 0; i < n; i++) x[i] = p[i];
  return x;
}
KCC_INLINE vi load(const int32_t* p, int64_t n) {
  vi x{};
  for (int64_t i = 0; i < n; i++) x[i] = p[i];
  return x;
}
// Lanes from `from` to before `to`; the others are those of `otherwise`.
KCC_INLINE vf load_between(const float* p, int64_t from, int64_t to, vf otherwise) {
  for (int64_t i = from; i < to; i++) otherwise[i] = p[i];
  return otherwise;
}
KCC_INLINE vi load_between(const int32_t* p, int64_t from, int64_t to, vi otherwise) {
  for (int64_t i = from; i < to; i++) otherwise[i] = p[i];
  return otherwise;
}
KCC_INLINE void store(float* p, vf x) { _mm_storeu_ps(p, (__m128)x); }
KCC_INLINE void store(int32_t* p, vi x) { _mm_storeu_si128((__m128i*)p, (__m128i)x); }
KCC_INLINE void store(float* p, vf x, int64_t n) { for (int64_t i = 0; i < n; i++) p[i] = x[i]; }
KCC_INLINE void store(int32_t* p, vi x, int64_t n) { for (int64_t i = 0; i < n; i++) p[i] = x[i]; }

// uint8 elements as int32 0..255; stores keep the low 8 bits.
KCC_INLINE vi load_u8(const uint8_t* p) {
  int32_t bytes;
  __builtin_memcpy(&bytes, p, 4);
  return (vi)_mm_cvtepu8_epi32(_mm_cvtsi32_si128(bytes));
}
KCC_INLINE vi load_u8(const uint8_t* p, int64_t n) {
  vi x{};
  for (int64_t i = 0; i < n; i++) x[i] = p[i];
  return x;
}
KCC_INLINE void store_u8(uint8_t* p, vi x, int64_t n) { for (int64_t i = 0; i < n; i++) p[i] = (uint8_t)x[i]; }
KCC_INLINE void store_u8(uint8_t* p, vi x) {
  __m128i words = _mm_packus_epi32((__m128i)(x & 255), (__m128i)(x & 255));
  int32_t bytes = _mm_cvtsi128_si32(_mm_packus_epi16(words, words));
  __builtin_memcpy(p, &bytes, 4);
}

// Lane i is p[i * stride].
KCC_INLINE vf gather(const float* p, int64_t stride) { return vf{p[0], p[stride], p[2 * stride], p[3 * stride]}; }
KCC_INLINE vi gather(const int32_t* p, int64_t stride) { return vi{p[0], p[stride], p[2 * stride], p[3 * stride]}; }
KCC_INLINE vf gather(const float* p, int64_t stride, int64_t n) {
  vf x{};
  for (int64_t i = 0; i < n; i++) x[i] = p[i * stride];
  return x;
}
KCC_INLINE vi gather(const int32_t* p, int64_t stride, int64_t n) {
  vi x{};
  for (int64_t i = 0; i < n; i++) x[i] = p[i * stride];
  return x;
}
KCC_INLINE void scatter(float* p, int64_t stride, vf x, int64_t n) { for (int64_t i = 0; i < n; i++) p[i * stride] = x[i]; }
KCC_INLINE void scatter(int32_t* p, int64_t stride, vi x, int64_t n) { for (int64_t i = 0; i < n; i++) p[i * stride] = x[i]; }
KCC_INLINE void scatter(float* p, int64_t stride, vf x) { for (int i = 0; i < KCC_VW; i++) p[i * stride] = x[i]; }
KCC_INLINE void scatter(int32_t* p, int64_t stride, vi x) { for (int i = 0; i < KCC_VW; i++) p[i * stride] = x[i]; }

KCC_INLINE vf max_raw(vf a, vf b) { return (vf)_mm_max_ps((__m128)a, (__m128)b); }
KCC_INLINE vf min_raw(vf a, vf b) { return (vf)_mm_min_ps((__m128)a, (__m128)b); }
KCC_INLINE vf sqrt(vf x) { return (vf)_mm_sqrt_ps((__m128)x); }
KCC_INLINE vf floor(vf x) { return (vf)_mm_floor_ps((__m128)x); }
KCC_INLINE vf rint(vf x) { return (vf)_mm_round_ps((__m128)x, 8); }
KCC_INLINE vi to_int(vf x) { return (vi)_mm_cvttps_epi32((__m128)x); }
KCC_INLINE vf to_float(vi x) { return (vf)_mm_cvtepi32_ps((__m128i)x); }
KCC_INLINE vf fma(vf a, vf b, vf c) { return a * b + c; }

}  // namespace KCC_LEVEL
}  // namespace kcc
