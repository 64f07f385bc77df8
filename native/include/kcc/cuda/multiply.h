// Products of matrices whose operands and results are holes: an operand says where its lines (rows of the left one, columns of
// the right one) and its terms lie, and what is at a line and a term; a result is given to finish(row, column, sum). The sum of
// every element is one chain of fused multiply-adds in the order of its terms, as on CPUs.
//
// A block computes a tile of results, some terms at a time: while it multiplies what lies in shared memory, each thread loads
// its share of the next terms into registers. A thread's lines stay the same from the first term to the last, or are one line:
// where they lie is found once. Threads read four neighbours at once, of memory where they lie side by side, and of shared memory.
#pragma once
#include "vec.h"

namespace kcc {
inline namespace KCC_LEVEL {

// ---- holes

// Axes of a line or a term, outermost first.
template <int Count>
struct Places {
  uint32_t of[Count];
  KCC_MEMBER uint32_t operator[](int i) const { return of[i]; }
};
template <class... Place>
KCC_INLINE Places<sizeof...(Place)> places(Place... place) { return {{(uint32_t)place...}}; }

// line(number) and term(number) say where these lie; at(line, term) gives an element, or four neighbours.
template <class Line, class Term, class At>
struct Operand {
  Line line;
  Term term;
  At at;
};
template <class Line, class Term, class At>
KCC_INLINE Operand<Line, Term, At> operand(const Line& line, const Term& term, const At& at) { return {line, term, at}; }

// ---- values of one element or of four neighbours

template <int Each> struct Neighbours { using type = vf; };
template <> struct Neighbours<1> { using type = float; };

template <class V> KCC_INLINE V load_as(const float* p);
template <> KCC_MEMBER float load_as<float>(const float* p) { return *p; }
template <> KCC_MEMBER vf load_as<vf>(const float* p) { return load(p); }
// The same of neighbours that lie `apart` from each other in memory.
template <class V> KCC_INLINE V load_apart(const float* p, int64_t apart);
template <> KCC_MEMBER float load_apart<float>(const float* p, int64_t) { return *p; }
template <> KCC_MEMBER vf load_apart<vf>(const float* p, int64_t apart) { return vf(p[0], p[apart], p[2 * apart], p[3 * apart]); }
KCC_INLINE void store(float* p, float x) { *p = x; }

// `Width` neighbours of shared memory, from a place that is a multiple of it.
template <int Width, class Shared>
KCC_INLINE void load_shared(const Shared& from, int at, float* into) {
#ifdef __CUDACC__
  if constexpr (Width == 4) {
    const float4 four = *reinterpret_cast<const float4*>(&from[at]);
    into[0] = four.x, into[1] = four.y, into[2] = four.z, into[3] = four.w;
  } else
#endif
    for (int i = 0; i < Width; i++) into[i] = from[at + i];
}
template <class Shared>
KCC_INLINE void store_shared(Shared& into, int at, int, float x) { into[at] = x; }
template <class Shared>
KCC_INLINE void store_shared(Shared& into, int at, int apart, const vf& x) {
#ifdef __CUDACC__
  if (apart == 1) *reinterpret_cast<float4*>(&into[at]) = make_float4(x[0], x[1], x[2], x[3]);
  else
#endif
    for (int i = 0; i < KCC_VW; i++) into[at + i * apart] = x[i];
}

// ---- tiles

// One operand's part of a tile: `Lines` lines by `Depth` terms. Along which of the two do neighbours lie in memory? Threads that
// load side by side go that way, `Each` neighbours at a time, in runs as long as the panel.
template <int Lines, int Depth, bool AlongTerms, int Each>
struct Panel {
  // Threads of a block stand in a square of this many; lines of shared memory are longer than a panel, so that turned panels
  // are stored without all lanes meeting in one bank.
  static constexpr int kLines = Lines, kDepth = Depth, kAcross = 16, kOwn = Lines / kAcross, kWidth = kOwn < 4 ? kOwn : 4, kPitch = Lines + 4;
  // Groups of neighbours in a run and in a panel, and those of one thread, which lie in different runs at the same place.
  static constexpr int kRun = (AlongTerms ? Depth : Lines) / Each, kGroups = Lines * Depth / Each, kShare = (kGroups + kBlock - 1) / kBlock;
  static_assert(kAcross * kAcross == kBlock && Lines % kAcross == 0 && kOwn % kWidth == 0 && kBlock % kRun == 0, "threads share a panel evenly");
  using Value = typename Neighbours<Each>::type;

  static KCC_MEMBER int in_run() { return (int)threadIdx.x % kRun * Each; }
  static KCC_MEMBER int run_of(int i) { return ((int)threadIdx.x + i * kBlock) / kRun; }
  static KCC_MEMBER int line_of(int i) { return AlongTerms ? run_of(i) : in_run(); }
  static KCC_MEMBER int term_of(int i) { return AlongTerms ? in_run() : run_of(i); }
  static KCC_MEMBER bool has(int i) { return kGroups % kBlock == 0 || (int)threadIdx.x + i * kBlock < kGroups; }

  // A thread's share of the panels of some lines, from memory over its registers into shared memory.
  template <class Operand>
  class Share {
   public:
    KCC_MEMBER Share(const Operand& operand, int64_t line0, int64_t lines) : operand_(operand) {
      KCC_UNROLL
      for (int i = 0; i < kOwnLines; i++) {
        const int64_t line = line0 + line_of(i);
        is_line_[i] = has(i) && line < lines;
        lines_[i] = operand.line((uint32_t)line);
      }
    }
    // Those of the terms from `term0` on; nothing lies past the ends.
    KCC_MEMBER void load(int64_t term0, int64_t terms) {
      KCC_UNROLL
      for (int t = 0; t < kOwnTerms; t++) {
        const int64_t number = term0 + term_of(t);
        const auto term = operand_.term((uint32_t)number);
        KCC_UNROLL
        for (int l = 0; l < kOwnLines; l++) values_[t + l] = is_line_[l] && has(t) && number < terms ? operand_.at(lines_[l], term) : Value(0.f);
      }
    }
    template <class Shared>
    KCC_MEMBER void store(Shared& panel, int at) const {
      KCC_UNROLL
      for (int i = 0; i < kShare; i++) if (has(i)) store_shared(panel, at + term_of(i) * kPitch + line_of(i), AlongTerms ? kPitch : 1, values_[i]);
    }

   private:
    static constexpr int kOwnLines = AlongTerms ? kShare : 1, kOwnTerms = AlongTerms ? 1 : kShare;
    using Line = decltype(((const Operand*)nullptr)->line(0));
    const Operand& operand_;
    Line lines_[kOwnLines];
    bool is_line_[kOwnLines];
    Value values_[kShare];
  };

  // The thread at `place` of its side of the square has groups of kWidth lines, whose groups lie kAcross groups apart.
  static KCC_MEMBER int own_line(int place, int i) { return i / kWidth * kAcross * kWidth + place * kWidth + i % kWidth; }
  template <class Shared>
  static KCC_MEMBER void own(const Shared& panel, int at, int term, int place, float (&lines)[kOwn]) {
    KCC_UNROLL
    for (int i = 0; i < kOwn; i += kWidth) load_shared<kWidth>(panel, at + term * kPitch + own_line(place, i), lines + i);
  }
};

// `Finished` neighbouring results of a row are finished at once.
template <class Left, class Right, int Finished>
struct Tile {
  static constexpr int kDepth = Left::kDepth;
  static_assert(Left::kDepth == Right::kDepth && Right::kWidth % Finished == 0, "panels of the same terms");

  // Results of one tile, over the terms from `begin` to before `end`.
  template <class Lhs, class Rhs, class Finish>
  static KCC_MEMBER void multiply(uint32_t tile, int64_t m, int64_t n, int64_t begin, int64_t end, const Lhs& lhs, const Rhs& rhs, const Finish& finish) {
    KCC_SHARED(float, left, 2 * kDepth * Left::kPitch);
    KCC_SHARED(float, right, 2 * kDepth * Right::kPitch);
    const uint32_t across = (uint32_t)tiles_of(n, Right::kLines);
    const int64_t row0 = (int64_t)(tile / across) * Left::kLines, column0 = (int64_t)(tile % across) * Right::kLines;
    const int x = (int)threadIdx.x % Left::kAcross, y = (int)threadIdx.x / Left::kAcross;
    float sums[Left::kOwn][Right::kOwn] = {};
    typename Left::template Share<Lhs> of_left(lhs, row0, m);
    typename Right::template Share<Rhs> of_right(rhs, column0, n);
    const auto load = [&](int64_t term0) { of_left.load(term0, end), of_right.load(term0, end); };
    const auto store = [&](int half) {
      of_left.store(left, half * kDepth * Left::kPitch), of_right.store(right, half * kDepth * Right::kPitch);
      __syncthreads();
    };
    int half = 0;
    if (begin < end) load(begin), store(half);
    for (int64_t term0 = begin; term0 < end; term0 += kDepth, half ^= 1) {
      const bool has_next = term0 + kDepth < end;
      if (has_next) load(term0 + kDepth);
      KCC_UNROLL
      for (int term = 0; term < kDepth; term++) {
        float rows[Left::kOwn], columns[Right::kOwn];
        Left::own(left, half * kDepth * Left::kPitch, term, y, rows);
        Right::own(right, half * kDepth * Right::kPitch, term, x, columns);
        KCC_UNROLL
        for (int i = 0; i < Left::kOwn; i++)
          KCC_UNROLL
          for (int j = 0; j < Right::kOwn; j++) sums[i][j] = fma(rows[i], columns[j], sums[i][j]);
      }
      if (has_next) store(half ^ 1);
    }
    __syncthreads();  // before the next tile is written where this one lies
    KCC_UNROLL
    for (int i = 0; i < Left::kOwn; i++)
      KCC_UNROLL
      for (int j = 0; j < Right::kOwn; j += Finished) {
        const int64_t row = row0 + Left::own_line(y, i), column = column0 + Right::own_line(x, j);
        if (row < m && column < n) finish(row, column, results<Finished>(&sums[i][j]));
      }
  }

 private:
  template <int Count>
  static KCC_MEMBER typename Neighbours<Count>::type results(const float* from) {
    if constexpr (Count == 1) return from[0];
    else return vf(from[0], from[1], from[2], from[3]);
  }
};

}  // namespace KCC_LEVEL
}  // namespace kcc
