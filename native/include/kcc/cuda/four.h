// Four values that one thread has side by side: what vec.h gives arithmetic to.
#pragma once
#include "platform.h"

#define KCC_VW 4

namespace kcc {
inline namespace KCC_LEVEL {

template <class T>
struct Four {
  T lane[KCC_VW];

  Four() = default;
  // The same in all lanes, as where an operator meets a single value.
  KCC_MEMBER Four(T x) : lane{x, x, x, x} {}
  KCC_MEMBER Four(T a, T b, T c, T d) : lane{a, b, c, d} {}
  KCC_MEMBER T& operator[](int64_t i) { return lane[i]; }
  KCC_MEMBER T operator[](int64_t i) const { return lane[i]; }
};
using vf = Four<float>;
using vi = Four<int32_t>;

// element(0) to element(3).
template <class V, class Element>
KCC_INLINE V each_lane(const Element& element) { return V(element(0), element(1), element(2), element(3)); }

}  // namespace KCC_LEVEL
}  // namespace kcc
