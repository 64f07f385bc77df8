// The width-specific part of vec.h: 16 lanes, AVX-512 F, BW, DQ and VL. Include vec.h, not this.
#pragma once

namespace kcc {
inline namespace KCC_LEVEL {

KCC_INLINE __mmask16 lane_bits(int64_t n) { return (__mmask16)_bzhi_u32(0xffff, (uint32_t)n); }

KCC_INLINE vf load(const float* p) { return (vf)_mm512_loadu_ps(p); }
KCC_INLINE vi load(const int32_t* p) { return (vi)_mm512_loadu_si512(p); }
KCC_INLINE vf load(const float* p, int64_t n) { return (vf)_mm512_maskz_loadu_ps(lane_bits(n), p); }
KCC_INLINE vi load(const int32_t* p, int64_t n) { return (vi)_mm512_maskz_loadu_epi32(lane_bits(n), p); }
// Lanes from `from` to before `to`; the others are those of `otherwise`.
KCC_INLINE __mmask16 lanes_between(int64_t from, int64_t to) { return (__mmask16)(lane_bits(to) & ~lane_bits(from)); }
KCC_INLINE vf load_between(const float* p, int64_t from, int64_t to, vf otherwise) { return (vf)_mm512_mask_loadu_ps((__m512)otherwise, lanes_between(from, to), p); }
KCC_INLINE vi load_between(const int32_t* p, int64_t from, int64_t to, vi otherwise) { return (vi)_mm512_mask_loadu_epi32((__m512i)otherwise, lanes_between(from, to), p); }
KCC_INLINE void store(float* p, vf x) { _mm512_storeu_ps(p, (__m512)x); }
KCC_INLINE void store(int32_t* p, vi x) { _mm512_storeu_si512(p, (__m512i)x); }
KCC_INLINE void store(float* p, vf x, int64_t n) { _mm512_mask_storeu_ps(p, lane_bits(n), (__m512)x); }
KCC_INLINE void store(int32_t* p, vi x, int64_t n) { _mm512_mask_storeu_epi32(p, lane_bits(n), (__m512i)x); }

// The elements where the condition holds, else `otherwise` in every lane and nothing is touched: no branch.
KCC_INLINE vf load_where(bool holds, const float* p, float otherwise) {
  return (vf)_mm512_mask_loadu_ps((__m512)bcast(otherwise), (__mmask16)-(int)holds, p);
}
KCC_INLINE vi load_where(bool holds, const int32_t* p, int32_t otherwise) {
  return (vi)_mm512_mask_loadu_epi32((__m512i)bcast(otherwise), (__mmask16)-(int)holds, p);
}
KCC_INLINE vf load_where(bool holds, const float* p, float otherwise, int64_t n) {
  return (vf)_mm512_mask_loadu_ps((__m512)bcast(otherwise), (__mmask16)(-(int)holds & lane_bits(n)), p);
}
KCC_INLINE vi load_where(bool holds, const int32_t* p, int32_t otherwise, int64_t n) {
  return (vi)_mm512_mask_loadu_epi32((__m512i)bcast(otherwise), (__mmask16)(-(int)holds & lane_bits(n)), p);
}

// uint8 elements as int32 0..255; stores keep the low 8 bits.
KCC_INLINE vi load_u8(const uint8_t* p) { return (vi)_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i*)p)); }
KCC_INLINE vi load_u8(const uint8_t* p, int64_t n) { return (vi)_mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(lane_bits(n), p)); }
KCC_INLINE void store_u8(uint8_t* p, vi x) { _mm_storeu_si128((__m128i*)p, _mm512_cvtepi32_epi8((__m512i)x)); }
KCC_INLINE void store_u8(uint8_t* p, vi x, int64_t n) { _mm512_mask_cvtepi32_storeu_epi8(p, lane_bits(n), (__m512i)x); }

// Lane i is p[i * stride]; strides below 2^26 elements in either direction.
KCC_INLINE __m512i lane_offsets(int64_t stride) { return (__m512i)(iota() * (int32_t)stride); }
KCC_INLINE vf gather(const float* p, int64_t stride) { return (vf)_mm512_i32gather_ps(lane_offsets(stride), p, 4); }
KCC_INLINE vi gather(const int32_t* p, int64_t stride) { return (vi)_mm512_i32gather_epi32(lane_offsets(stride), p, 4); }
KCC_INLINE vf gather(const float* p, int64_t stride, int64_t n) {
  return (vf)_mm512_mask_i32gather_ps(_mm512_setzero_ps(), lane_bits(n), lane_offsets(stride), p, 4);
}
KCC_INLINE vi gather(const int32_t* p, int64_t stride, int64_t n) {
  return (vi)_mm512_mask_i32gather_epi32(_mm512_setzero_si512(), lane_bits(n), lane_offsets(stride), p, 4);
}
KCC_INLINE void scatter(float* p, int64_t stride, vf x) { _mm512_i32scatter_ps(p, lane_offsets(stride), (__m512)x, 4); }
KCC_INLINE void scatter(int32_t* p, int64_t stride, vi x) { _mm512_i32scatter_epi32(p, lane_offsets(stride), (__m512i)x, 4); }
KCC_INLINE void scatter(float* p, int64_t stride, vf x, int64_t n) {
  _mm512_mask_i32scatter_ps(p, lane_bits(n), lane_offsets(stride), (__m512)x, 4);
}
KCC_INLINE void scatter(int32_t* p, int64_t stride, vi x, int64_t n) {
  _mm512_mask_i32scatter_epi32(p, lane_bits(n), lane_offsets(stride), (__m512i)x, 4);
}

KCC_INLINE vf max_raw(vf a, vf b) { return (vf)_mm512_max_ps((__m512)a, (__m512)b); }
KCC_INLINE vf min_raw(vf a, vf b) { return (vf)_mm512_min_ps((__m512)a, (__m512)b); }
KCC_INLINE vf sqrt(vf x) { return (vf)_mm512_sqrt_ps((__m512)x); }
KCC_INLINE vf floor(vf x) { return (vf)_mm512_roundscale_ps((__m512)x, 9); }
KCC_INLINE vf rint(vf x) { return (vf)_mm512_roundscale_ps((__m512)x, 8); }
KCC_INLINE vi to_int(vf x) { return (vi)_mm512_cvttps_epi32((__m512)x); }
KCC_INLINE vf to_float(vi x) { return (vf)_mm512_cvtepi32_ps((__m512i)x); }
KCC_INLINE vf fma(vf a, vf b, vf c) { return (vf)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c); }

}  // namespace KCC_LEVEL
}  // namespace kcc
