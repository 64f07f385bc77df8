// The elementary functions as templates over one value or a vector of them: included where `F` has fma, select, min_raw,
// max_raw, abs, copysign, bits, from_bits, like, to_float, mask_and, scale and div_nr, by math.h for CPU levels and by
// cuda/math.h for GPUs, so that both compute the same polynomials in the same order.
#pragma once

namespace kcc {
inline namespace KCC_LEVEL {

// ---- pieces

// c0 + c1 x + c2 x^2 + ... by Horner's rule.
template <class F> KCC_INLINE F polynomial(F x, float c0) { (void)x; return like(x, c0); }
template <class F, class... Rest> KCC_INLINE F polynomial(F x, float c0, Rest... rest) {
  return fma(polynomial(x, rest...), x, like(x, c0));
}

// x = n ln 2 + r with |r| <= ln 2 / 2, n integral. For |x| < 2^21.
template <class F> struct Reduced { F n, r; };
template <class F> KCC_INLINE Reduced<F> reduce_exp(F x) {
  F magic = like(x, 12582912.f);  // 1.5 * 2^23: adding it rounds to an integer
  F n = fma(x, like(x, 1.44269504f), magic) - magic;
  F r = fma(n, like(x, -0.693359375f), x);  // exact: ten bits of ln 2
  return {n, fma(n, like(x, 2.12194440e-4f), r)};
}
// e^r - 1 to a relative 4e-9 of e^r, for a reduced r.
template <class F> KCC_INLINE F exp_tail(F r) {
  F q = polynomial(r, 0x1p-1f, 0x1.5554a2p-3f, 0x1.55567ep-5f, 0x1.123064p-7f, 0x1.6b79f8p-10f);
  return fma(r * r, q, r);
}
// log(1 + f) + k ln 2, for sqrt(1/2) - 1 <= f <= sqrt(2) - 1 and integral k.
template <class F> KCC_INLINE F log_core(F f, F k) {
  F q = polynomial(f, 0x1.555554p-2f, -0x1.000226p-2f, 0x1.99a01cp-3f, -0x1.54728ap-3f, 0x1.22d930p-3f, -0x1.0d8246p-3f,
                   0x1.055eaep-3f, -0x1.38c974p-4f);
  F square = f * f;
  F tail = fma(square * f, q, square * -0.5f);
  F high = k * 0.693359375f;                          // exact
  F sum = high + f;                                   // sum + rest == high + f
  F rest = f - (sum - high);
  return sum + (rest + fma(k, like(f, -2.12194440e-4f), tail));
}
// log(x), log1p(x) at the ends of their domains, given 1 + x or x itself as `u`: u < 0 is NaN, 0 is -inf.
template <class F> KCC_INLINE F log_ends(F u, F x, F inside) {
  F inf = like(x, __builtin_inff());
  F outside = select(u == 0.f, -inf, select(u < 0.f, like(x, __builtin_nanf("")), x));
  return select(mask_and(u > 0.f, u < inf), inside, outside);
}

// ---- the functions

template <class F> KCC_INLINE F exp_of(F x) {
  x = min_raw(like(x, 89.f), max_raw(like(x, -110.f), x));
  Reduced<F> a = reduce_exp(x);
  return scale(exp_tail(a.r) + 1.f, a.n);
}

template <class F> KCC_INLINE F expm1_of(F x) {
  F y = min_raw(like(x, 89.f), max_raw(like(x, -30.f), x));
  F magic = like(x, 12582912.f);
  F n = fma(y, like(x, 1.44269504f), magic) - magic;
  F high = fma(n, like(x, -0.693359375f), y), r = fma(n, like(x, 2.12194440e-4f), high);
  F lost = fma(n, like(x, 2.12194440e-4f), high - r);  // high + lo part == r + lost
  F q = polynomial(r, 0x1p-1f, 0x1.555554p-3f, 0x1.5554f8p-5f, 0x1.1112d6p-7f, 0x1.6d3a5ep-10f, 0x1.9e77eep-13f);
  F p = r + fma(r * r, q, lost);
  F s = scale(like(x, 0.5f), n);  // half of 2^n: 2^128 is no float
  F big = fma(p, s, s - 0.5f) * 2.f;
  return select(abs(x) < 0x1p-25f, x, big);
}

template <class F> KCC_INLINE F log_of(F x) {
  auto small = x < 0x1p-126f;
  F y = select(small, x * 0x1p23f, x);
  auto e = (bits(y) - 0x3f3504f3) >> 23;  // y / 2^e in [sqrt(1/2), sqrt(2))
  F m = from_bits(bits(y) - exponent_bits(e));
  F k = to_float(e) - select(small, like(x, 23.f), like(x, 0.f));
  return log_ends(x, x, log_core(m - 1.f, k));
}

template <class F> KCC_INLINE F log1p_of(F x) {
  F u = x + 1.f;
  auto e = (bits(u) - 0x3f3504f3) >> 23;
  F t = from_bits((129 << 23) - exponent_bits(e));           // 4 * 2^-e: 2^-127 is no normal float
  F f = fma(x * 0.25f, t, fma(t, like(x, 0.25f), like(x, -1.f)));  // (1 + x) 2^-e - 1 without the rounding of 1 + x
  return select(abs(x) < 0x1p-25f, x, log_ends(u, x, log_core(f, to_float(e))));
}

template <class F> KCC_INLINE F tanh_of(F x) {
  F a = abs(x), u = x * x;
  F q = polynomial(u, -0x1.55554ap-2f, 0x1.110cf0p-3f, -0x1.b91f20p-5f, 0x1.58ec78p-6f, -0x1.99565ep-8f);
  F small = fma(x * u, q, x);
  Reduced<F> b = reduce_exp(min_raw(like(x, 10.f), a) * 2.f);
  F e = scale(exp_tail(b.r) + 1.f, b.n);
  F big = 1.f - div_nr(like(x, 2.f), e + 1.f);
  return select(a < 0.55f, small, copysign(big, x));
}

template <class F> KCC_INLINE F sigmoid_of(F x) {
  F e = exp_of(-abs(x));
  return div_nr(select(x < 0.f, e, like(x, 1.f)), e + 1.f);
}

}  // namespace KCC_LEVEL
}  // namespace kcc
