// Winograd's minimal filtering F(2 x 2, a x b) for a and b of 3 or 2 taps: four sums over windows side by side by (a + 1)(b + 1)
// multiplications. With d the (a + 1) x (b + 1) pixels under the four windows and g the a x b taps of a filter,
//
//   y = At [ (G g Gt) * (Bt d B) ] A
//
// where for three taps and for two
//
//   Bt = 1  0 -1  0    G = 1    0    0     At = 1  1  1  0        Bt = 1 -1  0    G = 1  0    At = 1  1  0
//        0  1  1  0        1/2  1/2  1/2       0  1 -1 -1              0  1  0        1  1         0  1 -1
//        0 -1  1  0        1/2 -1/2  1/2                               0  1 -1        0  1
//        0  1  0 -1        0    0    1
//
// (Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, 2015). A sum is made of its own window's pixels only, so that
// one over zeros is an exact 0 and what is not finite stays in the windows that hold it. With e the gradients of the four sums,
// the gradient of g is Gt [ (Bt d B) * (A e At) ] G.
//
// Here are the five transforms in one direction, and both directions of any of them.
#pragma once
#include "vec.h"

namespace kcc {
inline namespace KCC_LEVEL {

// x(i) is x[i * from_step], y(i) is y[i * to_step].

template <int taps> struct OfPixels {  // Bt
  static constexpr int from = taps + 1, to = taps + 1;
  KCC_INLINE void run(const vf* x, int from_step, vf* y, int to_step) {
    if constexpr (taps == 3) {
      y[0] = x[0] - x[2 * from_step], y[to_step] = x[from_step] + x[2 * from_step];
      y[2 * to_step] = x[2 * from_step] - x[from_step], y[3 * to_step] = x[from_step] - x[3 * from_step];
    } else {
      y[0] = x[0] - x[from_step], y[to_step] = x[from_step], y[2 * to_step] = x[from_step] - x[2 * from_step];
    }
  }
};

template <int taps> struct OfFilter {  // G
  static constexpr int from = taps, to = taps + 1;
  KCC_INLINE void run(const vf* x, int from_step, vf* y, int to_step) {
    y[0] = x[0];
    if constexpr (taps == 3) {
      const vf sides = 0.5f * (x[0] + x[2 * from_step]), middle = 0.5f * x[from_step];
      y[to_step] = sides + middle, y[2 * to_step] = sides - middle, y[3 * to_step] = x[2 * from_step];
    } else {
      y[to_step] = x[0] + x[from_step], y[2 * to_step] = x[from_step];
    }
  }
};

template <int taps> struct OfProducts {  // At
  static constexpr int from = taps + 1, to = 2;
  KCC_INLINE void run(const vf* x, int from_step, vf* y, int to_step) {
    if constexpr (taps == 3) {
      y[0] = x[0] + x[from_step] + x[2 * from_step], y[to_step] = x[from_step] - x[2 * from_step] - x[3 * from_step];
    } else {
      y[0] = x[0] + x[from_step], y[to_step] = x[from_step] - x[2 * from_step];
    }
  }
};

template <int taps> struct OfGradients {  // A
  static constexpr int from = 2, to = taps + 1;
  KCC_INLINE void run(const vf* x, int from_step, vf* y, int to_step) {
    y[0] = x[0], y[to_step] = x[0] + x[from_step], y[taps * to_step] = -x[from_step];
    if constexpr (taps == 3) y[2 * to_step] = x[0] - x[from_step];
  }
};

template <int taps> struct OfFilterGradient {  // Gt
  static constexpr int from = taps + 1, to = taps;
  KCC_INLINE void run(const vf* x, int from_step, vf* y, int to_step) {
    if constexpr (taps == 3) {
      const vf both = 0.5f * (x[from_step] + x[2 * from_step]);
      y[0] = x[0] + both, y[to_step] = 0.5f * (x[from_step] - x[2 * from_step]), y[2 * to_step] = both + x[3 * from_step];
    } else {
      y[0] = x[0] + x[from_step], y[to_step] = x[from_step] + x[2 * from_step];
    }
  }
};

// From rows of Across::from to rows of Across::to, by `Down` from line to line and by `Across` from column to column.
template <class Down, class Across> KCC_INLINE void transform(const vf (&x)[Down::from * Across::from], vf (&y)[Down::to * Across::to]) {
  vf t[Down::to * Across::from];
#pragma GCC unroll 4
  for (int j = 0; j < Across::from; ++j) Down::run(x + j, Across::from, t + j, Across::from);
#pragma GCC unroll 4
  for (int i = 0; i < Down::to; ++i) Across::run(t + i * Across::from, 1, y + i * Across::to, 1);
}

// A number of taps that the compiler knows.
template <int count> struct Taps {
  static constexpr int value = count;
};

// Calls body(Taps<lines>, Taps<pixels>) for lines and pixels of 3 or 2.
template <class Body> static void with_taps(int64_t lines, int64_t pixels, const Body& body) {
  if (lines == 3) pixels == 3 ? body(Taps<3>(), Taps<3>()) : body(Taps<3>(), Taps<2>());
  else pixels == 3 ? body(Taps<2>(), Taps<3>()) : body(Taps<2>(), Taps<2>());
}

}  // namespace KCC_LEVEL
}  // namespace kcc
