// Products of matrices whose operands and results are holes: an element of an operand is whatever lhs(row, term) and
// rhs(term, column) say, a result is given to finish(row, column, sum). The sum of every element is one chain of fused
// multiply-adds in the order of its terms, as on CPUs.
//
// A block computes a tile of results, some terms at a time: while it multiplies what lies in shared memory, each thread loads
// its share of the next terms into registers. Threads read their rows and columns four neighbours at once.
#pragma once
#include "math.h"

namespace kcc {
inline namespace KCC_LEVEL {

// `Width` neighbours of shared memory, from a place that is a multiple of it.
template <int Width, class Shared>
KCC_INLINE void load_neighbours(const Shared& from, int at, float* into) {
#ifdef __CUDACC__
  if constexpr (Width == 4) {
    const float4 four = *reinterpret_cast<const float4*>(&from[at]);
    into[0] = four.x, into[1] = four.y, into[2] = four.z, into[3] = four.w;
  } else
#endif
    for (int i = 0; i < Width; i++) into[i] = from[at + i];
}

// One operand's part of a tile: `Lines` rows of the left operand or columns of the right one, by `Depth` terms. Along which of
// the two do neighbours lie in memory? Threads that load side by side go that way.
template <int Lines, int Depth, bool AlongTerms>
struct Panel {
  // Threads of a block stand in a square of this many; lines of shared memory are longer than a panel, so that turned panels
  // are stored without all lanes meeting in one bank.
  static constexpr int kAcross = 16, kEach = Lines / kAcross, kWidth = kEach < 4 ? kEach : 4, kPitch = Lines + 4;
  static constexpr int kShare = Lines * Depth / kBlock;
  static_assert(kAcross * kAcross == kBlock && Lines % kAcross == 0 && kEach % kWidth == 0 && Lines * Depth % kBlock == 0, "threads share a panel evenly");

  static KCC_MEMBER int line_of(int i) {
    const int e = (int)threadIdx.x + i * kBlock;
    return AlongTerms ? e / Depth : e % Lines;
  }
  static KCC_MEMBER int term_of(int i) {
    const int e = (int)threadIdx.x + i * kBlock;
    return AlongTerms ? e % Depth : e / Lines;
  }

  // This thread's elements of the terms from `term0` on; nothing lies past the ends.
  template <class Element>
  static KCC_MEMBER void load(float (&share)[kShare], int64_t line0, int64_t lines, int64_t term0, int64_t terms, const Element& element) {
    KCC_UNROLL
    for (int i = 0; i < kShare; i++) {
      const int64_t line = line0 + line_of(i), term = term0 + term_of(i);
      share[i] = line < lines && term < terms ? element(line, term) : 0.f;
    }
  }
  template <class Shared>
  static KCC_MEMBER void store(const float (&share)[kShare], Shared& panel, int at) {
    KCC_UNROLL
    for (int i = 0; i < kShare; i++) panel[at + term_of(i) * kPitch + line_of(i)] = share[i];
  }

  // The thread at `place` of its side of the square has groups of kWidth lines, whose groups lie kAcross groups apart.
  static KCC_MEMBER int own_line(int place, int i) { return i / kWidth * kAcross * kWidth + place * kWidth + i % kWidth; }
  template <class Shared>
  static KCC_MEMBER void own(const Shared& panel, int at, int term, int place, float (&lines)[kEach]) {
    KCC_UNROLL
    for (int i = 0; i < kEach; i += kWidth) load_neighbours<kWidth>(panel, at + term * kPitch + own_line(place, i), lines + i);
  }
};

template <int Rows, int Columns, int Depth, bool LhsAlongTerms, bool RhsAlongColumns>
struct Tile {
  using Left = Panel<Rows, Depth, LhsAlongTerms>;
  using Right = Panel<Columns, Depth, !RhsAlongColumns>;

  // Results of one tile, over the terms from `begin` to before `end`.
  template <class Lhs, class Rhs, class Finish>
  static KCC_MEMBER void multiply(int64_t tile, int64_t m, int64_t n, int64_t begin, int64_t end, const Lhs& lhs, const Rhs& rhs, const Finish& finish) {
    KCC_SHARED(float, left, 2 * Depth * Left::kPitch);
    KCC_SHARED(float, right, 2 * Depth * Right::kPitch);
    const int64_t across = tiles_of(n, Columns), row0 = tile / across * Rows, column0 = tile % across * Columns;
    const int x = (int)threadIdx.x % Left::kAcross, y = (int)threadIdx.x / Left::kAcross;
    const auto rhs_of = [&](int64_t column, int64_t term) { return rhs(term, column); };
    float sums[Left::kEach][Right::kEach] = {};
    float of_left[Left::kShare], of_right[Right::kShare];
    const auto load = [&](int64_t term0) {
      Left::load(of_left, row0, m, term0, end, lhs);
      Right::load(of_right, column0, n, term0, end, rhs_of);
    };
    const auto store = [&](int half) {
      Left::store(of_left, left, half * Depth * Left::kPitch);
      Right::store(of_right, right, half * Depth * Right::kPitch);
      __syncthreads();
    };
    int half = 0;
    if (begin < end) load(begin), store(half);
    for (int64_t term0 = begin; term0 < end; term0 += Depth, half ^= 1) {
      const bool has_next = term0 + Depth < end;
      if (has_next) load(term0 + Depth);
      KCC_UNROLL
      for (int term = 0; term < Depth; term++) {
        float rows[Left::kEach], columns[Right::kEach];
        Left::own(left, half * Depth * Left::kPitch, term, y, rows);
        Right::own(right, half * Depth * Right::kPitch, term, x, columns);
        KCC_UNROLL
        for (int i = 0; i < Left::kEach; i++)
          KCC_UNROLL
          for (int j = 0; j < Right::kEach; j++) sums[i][j] = fma(rows[i], columns[j], sums[i][j]);
      }
      if (has_next) store(half ^ 1);
    }
    __syncthreads();  // before the next tile is written where this one lies
    KCC_UNROLL
    for (int i = 0; i < Left::kEach; i++)
      KCC_UNROLL
      for (int j = 0; j < Right::kEach; j++) {
        const int64_t row = row0 + Left::own_line(y, i), column = column0 + Right::own_line(x, j);
        if (row < m && column < n) finish(row, column, sums[i][j]);
      }
  }
};

}  // namespace KCC_LEVEL
}  // namespace kcc
