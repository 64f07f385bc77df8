// Compares native/include/kcc/{vec,math,pow,philox}.h with double libm and with their own scalar twins, and prints one
// JSON object: the largest error of each function in ulp, how many vector lanes differ from the twin, and where.
// usage: math-test <stride>  (every stride-th float32 bit pattern, exceptional values always)
#include "kcc/math.h"
#include "kcc/philox.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

using kcc::vf;
using kcc::vi;

static bool same(float a, float b) { return kcc::bits(a) == kcc::bits(b) || (a != a && b != b); }

// |got - want| in units of the last place of the float nearest to `want`.
static double ulps(float got, double want) {
  float nearest = (float)want;
  if (nearest != nearest || got != got) return (nearest != nearest) == (got != got) ? 0 : INFINITY;
  if (isinf(nearest) || isinf(got)) {
    if (isinf(nearest) && isinf(got)) return nearest == got ? 0 : INFINITY;
    double edge = 0x1p128;  // one of the two overflowed: measure from the first number that is no float
    return fabs((isinf(got) ? copysign(edge, got) : (double)got) - (isinf(want) ? copysign(edge, want) : want)) / 0x1p104;
  }
  if (nearest == 0 && got == 0) return 0;
  int e;
  frexp((double)nearest, &e);
  return fabs((double)got - want) / ldexp(1, e < -125 ? -149 : e - 24);
}

struct Worst { const char* name; double ulp; float x, y; uint64_t count, differ; };
static Worst* table[32];
static int used;
static Worst* row(const char* name) {
  Worst* w = (Worst*)calloc(1, sizeof(Worst));
  w->name = name;
  return table[used++] = w;
}
static void note(Worst* w, float x, float y, float lane, float twin, double want) {
  double u = ulps(lane, want);
  if (u > w->ulp) w->ulp = u, w->x = x, w->y = y;
  w->differ += !same(lane, twin);
  w->count++;
}

template <class V, class S, class D> static void unary(const char* name, uint32_t stride, V vector, S scalar, D exact,
                                                      float low = 0, float high = INFINITY) {
  Worst* w = row(name);
  float x[KCC_VW], y[KCC_VW];
  int n = 0;
  auto flush = [&] {
    kcc::store(y, vector(kcc::load(x)));
    for (int i = 0; i < n; i++) note(w, x[i], 0, y[i], scalar(x[i]), exact((double)x[i]));
    n = 0;
  };
  auto add = [&](uint32_t bits) {
    float v = kcc::from_bits((int32_t)bits);
    if (fabsf(v) < low || fabsf(v) > high) return;
    x[n++] = v;
    if (n == KCC_VW) flush();
  };
  for (int i = 0; i < KCC_VW; i++) x[i] = 1;
  for (uint64_t b = 0; b < (1ull << 32); b += stride) add((uint32_t)b);
  for (uint32_t top = 0; top < 512; top++)  // around every power of two, both signs
    for (int32_t d = -3; d <= 3; d++) add((top << 23) + (uint32_t)d);
  flush();
}

static void powers(uint32_t samples) {
  Worst* w = row("pow");
  static const float special[] = {0, -0.f, 1, -1, 2, -2, 3, -3, 0.5f, -0.5f, 2.5f, 1e-40f, -1e-40f, 1e-30f, 1e30f, -1e30f, 16777216.f,
                                  16777215.f, -16777215.f, 8388607.5f, 0.99999994f, 1.0000001f, INFINITY, -INFINITY, NAN};
  auto check = [&](float x, float y) {
    float lane = kcc::pow(kcc::bcast(x), kcc::bcast(y))[KCC_VW - 1];
    note(w, x, y, lane, kcc::pow(x, y), pow((double)x, (double)y));
  };
  for (float x : special) for (float y : special) check(x, y);
  for (uint32_t i = 0; i < samples; i++) {
    kcc::PhiloxBlock b = kcc::philox4x32(i, 0, 0, 0, 1, 2);
    float x = kcc::from_bits((int32_t)b.word[0]), y = kcc::from_bits((int32_t)b.word[1]);
    check(x, y);
    float u = kcc::uniform(b.word[2]), v = kcc::uniform(b.word[3]);
    check(expf(40 * u - 20), 20 * v - 10);              // results over the whole range
    check(0.5f + u, 200 * v - 100);                     // log2 near zero, large exponents
    check(-10 * u, floorf(20 * v - 10));
  }
}

// Every operation whose lane and twin could disagree, on awkward values.
static uint64_t operations() {
  static const float v[] = {0, -0.f, 1, -1, 0.5f, -0.5f, 1.5f, 2.5f, -2.5f, 1e-40f, 3e9f, -3e9f, 8388609.f, INFINITY, -INFINITY, NAN};
  uint64_t bad = 0;
  for (float a : v) for (float b : v) {
    vf x = kcc::bcast(a), y = kcc::bcast(b);
    const int k = KCC_VW - 1;
    bad += !same(kcc::max(x, y)[k], kcc::max(a, b)) + !same(kcc::min(x, y)[k], kcc::min(a, b));
    bad += !same(kcc::max(a, b), a != a ? a : b != b ? b : a > b ? a : b);
    bad += !same(kcc::abs(x)[k], kcc::abs(a)) + !same(kcc::floor(x)[k], kcc::floor(a)) + !same(kcc::rint(x)[k], kcc::rint(a));
    bad += !same(kcc::sqrt(x)[k], kcc::sqrt(a)) + !same(kcc::sign(x)[k], kcc::sign(a)) + !same(kcc::relu(x)[k], kcc::relu(a));
    bad += !same(kcc::floor(a), floorf(a)) + !same(kcc::copysign(x, y)[k], copysignf(a, b)) + !same(kcc::neg(x)[k], -a);
    bad += !same(kcc::fma(x, y, x)[k], kcc::fma(a, b, a)) + !same((x / y)[k], a / b);
    bad += (kcc::to_int(x)[k] != kcc::to_int(a)) + !same(kcc::select(x < y, x, y)[k], kcc::select(a < b, a, b));
    bad += !same(kcc::mask_float(kcc::mask_or(x < y, kcc::mask_not(x == y)))[k], kcc::mask_float(kcc::mask_or(a < b, kcc::mask_not(a == b))));
    int32_t i = kcc::to_int(a), j = kcc::to_int(b);
    vi p = kcc::bcast(i), q = kcc::bcast(j);
    bad += (kcc::max(p, q)[k] != kcc::max(i, j)) + (kcc::abs(p)[k] != kcc::abs(i)) + (kcc::sign(p)[k] != kcc::sign(i));
    bad += (kcc::neg(p)[k] != kcc::neg(i)) + (kcc::div(p, q)[k] != kcc::div(i, j)) + !same(kcc::to_float(p)[k], kcc::to_float(i));
  }
  return bad;
}

// Partial loads and stores at the very end of a page-like buffer, strided access, bytes and the horizontal folds.
static uint64_t memory() {
  uint64_t bad = 0;
  for (int n = 0; n <= KCC_VW; n++) {
    float* f = (float*)malloc(n * 4 + 1), *g = (float*)malloc(n * 12 + 1);
    int32_t* s = (int32_t*)malloc(n * 4 + 1);
    uint8_t* u = (uint8_t*)malloc(n + 1);
    for (int i = 0; i < n; i++) f[i] = (float)(i + 1), s[i] = -i - 1, u[i] = (uint8_t)(i * 50 % 256);
    for (int i = 0; i < 3 * n; i++) g[i] = (float)i;
    vf x = kcc::load(f, n);
    vi y = kcc::load(s, n), z = kcc::load_u8(u, n), m = kcc::load_bool(u, n);
    vf w = kcc::gather(g, 3, n);
    for (int i = 0; i < KCC_VW; i++) {
      bad += (x[i] != (i < n ? i + 1 : 0)) + (y[i] != (i < n ? -i - 1 : 0)) + (z[i] != (i < n ? i * 50 % 256 : 0));
      bad += (m[i] != (i < n && i * 50 % 256 != 0 ? -1 : 0)) + (w[i] != (i < n ? 3 * i : 0));
    }
    kcc::store(f, x * 2.f, n), kcc::store(s, y * 2, n), kcc::store_u8(u, z + 257, n);
    for (int i = 0; i < n; i++) bad += (f[i] != 2 * (i + 1)) + (s[i] != -2 * (i + 1)) + (u[i] != (i * 50 + 1) % 256);
    kcc::store_bool(u, m, n), kcc::scatter(g, 3, -w, n);
    for (int i = 0; i < n; i++) bad += (u[i] != (i * 50 % 256 != 0)) + (g[3 * i] != -3 * i);
    free(f), free(g), free(s), free(u);
  }
  uint8_t bytes[KCC_VW];
  kcc::store_bool(bytes, (kcc::iota() & 1) == 1);
  vi odd = kcc::load_bool(bytes), wide = kcc::load_u8(bytes);
  for (int i = 0; i < KCC_VW; i++) bad += (bytes[i] != (i & 1)) + (odd[i] != -(i & 1)) + (wide[i] != (i & 1));
  uint8_t spread[3 * KCC_VW] = {0};
  kcc::scatter_bool(spread, 3, odd);
  vi gathered = kcc::gather_bool(spread, 3), values = kcc::gather_u8(spread, 3, KCC_VW - 1);
  for (int i = 0; i < KCC_VW; i++) bad += (spread[3 * i] != (i & 1)) + (gathered[i] != -(i & 1)) + (values[i] != (i < KCC_VW - 1 ? i & 1 : 0));
  vf ramp = kcc::to_float(kcc::iota());
  bad += (kcc::hsum(ramp) != KCC_VW * (KCC_VW - 1) / 2) + (kcc::hmax(ramp) != KCC_VW - 1) + (kcc::hmin(ramp - 3.f) != -3);
  bad += (kcc::hsum(kcc::iota()) != KCC_VW * (KCC_VW - 1) / 2) + (kcc::hprod(kcc::bcast(2.f)) != (float)(1 << KCC_VW));
  for (int i = 0; i < KCC_VW; i++) {  // NaN in any lane reaches the result
    vf x = ramp;
    x[i] = NAN;
    bad += (kcc::hmax(x) == kcc::hmax(x)) + (kcc::hmin(x) == kcc::hmin(x));
  }
  return bad;
}

// Known answers of Random123, and every way to read a stream against the one-element definition.
static uint64_t random_streams() {
  static const uint32_t kat[3][10] = {
      {0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
      {~0u, ~0u, ~0u, ~0u, ~0u, ~0u, 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
      {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}};
  uint64_t bad = 0;
  for (auto& k : kat) {
    kcc::PhiloxBlock b = kcc::philox4x32(k[0], k[1], k[2], k[3], k[4], k[5]);
    for (int i = 0; i < 4; i++) bad += b.word[i] != k[6 + i];
  }
  static const int64_t bases[] = {0, 1, 63, 1000, (1ll << 36) - 70, 1ll << 40};
  for (int64_t base : bases) {
    kcc::RandomStream random(1234567890123ull, 9, 5000000000ull);
    for (int64_t i = base; i < base + 200; i++) {
      float want = kcc::random_uniform(1234567890123ull, 9, 5000000000ull, i);
      bad += (random.scalar(i) != want) + !(want >= 0 && want < 1);
      vf row = random.vector(i), column = random.vector(i, 7);
      for (int k = 0; k < KCC_VW; k++) {
        bad += row[k] != kcc::random_uniform(1234567890123ull, 9, 5000000000ull, i + k);
        bad += column[k] != kcc::random_uniform(1234567890123ull, 9, 5000000000ull, i + 7 * k);
      }
    }
  }
  return bad;
}

int main(int argc, char** argv) {
  uint32_t stride = argc > 1 ? (uint32_t)atoi(argv[1]) : 257;
#define UNARY(NAME, EXACT, ...) unary(#NAME, stride, [](vf x) { return kcc::NAME(x); }, [](float x) { return kcc::NAME(x); }, \
                                      [](double x) -> double { return EXACT; }, ##__VA_ARGS__)
  UNARY(exp, ::exp(x));
  UNARY(expm1, ::expm1(x));
  UNARY(log, ::log(x));
  UNARY(log1p, ::log1p(x));
  UNARY(tanh, ::tanh(x));
  UNARY(sigmoid, 1 / (1 + ::exp(-x)));
  UNARY(sqrt_nr, ::sqrt(x), 0x1p-120f);
  unary("div_nr", stride, [](vf x) { return kcc::div_nr(kcc::bcast(0.7f), x); }, [](float x) { return kcc::div_nr(0.7f, x); },
        [](double x) { return 0.7f / x; }, 0x1p-126f, 0x1p125f);
  powers(20000000u / stride);
  printf("{\"width\": %d, \"operations\": %llu, \"memory\": %llu, \"random\": %llu, \"functions\": {", KCC_VW,
         (unsigned long long)operations(), (unsigned long long)memory(), (unsigned long long)random_streams());
  for (int i = 0; i < used; i++)
    printf("%s\n\"%s\": {\"ulp\": %.4g, \"x\": \"%a\", \"y\": \"%a\", \"count\": %llu, \"differ\": %llu}", i ? "," : "", table[i]->name,
           isinf(table[i]->ulp) ? 1e99 : table[i]->ulp, table[i]->x, table[i]->y, (unsigned long long)table[i]->count,
           (unsigned long long)table[i]->differ);
  printf("}}\n");
}
