// pow as a template, in double precision inside: included by pow.h for CPU levels and by cuda/math.h for GPUs, where `D` has
// fma, min_raw, max_raw, like and add_exponent, and `F` pow_magnitude and what math-core.h needs.
#pragma once

namespace kcc {
inline namespace KCC_LEVEL {

KCC_INLINE double like(double, double x) { return x; }
KCC_INLINE double max_raw(double a, double b) { return a > b ? a : b; }
KCC_INLINE double min_raw(double a, double b) { return a < b ? a : b; }
KCC_INLINE double fma(double a, double b, double c) {
#if defined(__FMA__) || defined(__CUDACC__)
  return __builtin_fma(a, b, c);
#else
  return a * b + c;
#endif
}
// p * 2^n for the n that is in the low bits of `shifted`, n + 1.5 * 2^52.
KCC_INLINE double add_exponent(double p, double shifted) {
  int64_t a, b;
  __builtin_memcpy(&a, &p, 8), __builtin_memcpy(&b, &shifted, 8);
  a = (int64_t)((uint64_t)a + ((uint64_t)b << 52));
  __builtin_memcpy(&p, &a, 8);
  return p;
}

template <class D> KCC_INLINE D polynomial_d(D x, double c0) { return like(x, c0); }
template <class D, class... Rest> KCC_INLINE D polynomial_d(D x, double c0, Rest... rest) {
  return fma(polynomial_d(x, rest...), x, like(x, c0));
}

// (m 2^k)^y for m in [sqrt(1/2), sqrt(2)), clamped far outside the floats; relative error 1e-11.
template <class D> KCC_INLINE D pow_core(D m, D k, D y) {
  D s = (m - 1.0) / (m + 1.0);
  D log2 = fma(s, polynomial_d(s * s, 0x1.71547652b8250p+1, 0x1.ec709dc53e4a3p-1, 0x1.2776c290e8c3ap-1, 0x1.a61a30c50d5c1p-2,
                               0x1.4794ffb94da64p-2, 0x1.21b603580c879p-2), k);
  D t = min_raw(like(m, 300.0), max_raw(like(m, -300.0), y * log2));
  D shifted = t + 0x1.8p52, r = t - (shifted - 0x1.8p52);
  D p = polynomial_d(r, 0x1.ffffffffff7a3p-1, 0x1.62e42fef8615fp-1, 0x1.ebfbdff931a33p-3, 0x1.c6b08dd46d213p-5,
                     0x1.3b2ab5c522b42p-7, 0x1.5d8748386d9c5p-10, 0x1.430accadaf89bp-13, 0x1.00dad24291a32p-16, 0x1.61afc440d297dp-20);
  return add_exponent(p, shifted);
}
KCC_INLINE float pow_magnitude(float m, float k, float y) { return (float)pow_core((double)m, (double)k, (double)y); }

template <class F> KCC_INLINE F pow_of(F x, F y) {
  F a = abs(x), zero = like(x, 0.f), one = like(x, 1.f), inf = like(x, __builtin_inff());
  auto small = a < 0x1p-126f;
  F b = select(small, a * 0x1p23f, a);
  auto e = (bits(b) - 0x3f3504f3) >> 23;
  F p = pow_magnitude(from_bits(bits(b) - exponent_bits(e)), to_float(e) - select(small, like(x, 23.f), zero), y);
  p = select(a == 0.f, select(y < 0.f, inf, zero), p);
  p = select(a == inf, select(y < 0.f, zero, inf), p);
  p = select(a == 1.f, one, p);
  F half = y * 0.5f;
  auto integral = floor(y) == y, odd = mask_and(integral, floor(half) != half);
  p = select(odd, copysign(p, x), p);
  p = select(mask_and(mask_not(integral), mask_and(x < 0.f, x > -inf)), like(x, __builtin_nanf("")), p);
  p = select(mask_or(x != x, y != y), x + y, p);
  return select(mask_or(x == 1.f, y == 0.f), one, p);
}

}  // namespace KCC_LEVEL
}  // namespace kcc
