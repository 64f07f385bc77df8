// Products of matrices on tensor cores, with the holes of multiply.h: what operands give are numbers of the format already;
// finish(row, column, sum) is given float32 sums.
//
// Eight warps of a block stand two by four and have an equal part of the tile each, in results of 16 x 8. Operands lie in shared
// memory by lines (rows of the left one, columns of the right one), each line its words along the sum. A line is four words
// longer than the panel: eight lines of four words, which an instruction reads at once, then lie in all 32 banks.
#pragma once
#include "mma.h"
#include "multiply.h"
#include "vec.h"

namespace kcc {
inline namespace KCC_LEVEL {

// Words of one line that lie side by side, at a place that is a multiple of their number.
template <int Count, class Shared>
KCC_INLINE void store_words(const uint32_t* words, Shared& panel, int at) {
#ifdef __CUDACC__
  if constexpr (Count == 4) *(uint4*)&panel[at] = make_uint4(words[0], words[1], words[2], words[3]);
  else if constexpr (Count == 2) *(uint2*)&panel[at] = make_uint2(words[0], words[1]);
  else
#endif
    for (int i = 0; i < Count; i++) panel[at + i] = words[i];
}

// One operand's part of a tile: `Lines` by `Depth` terms. Along which of the two do neighbours lie in memory, and how many
// elements (1 or 4) are read at once?
template <class FormatOf, int Lines, int Depth, bool AlongTerms, int Each>
struct WordPanel {
  using Format = FormatOf;
  using Value = typename Neighbours<Each>::type;
  static constexpr int kLines = Lines, kDepth = Depth, kTerms = Format::kTerms, kWords = Depth / kTerms, kPitch = kWords + 4, kSize = Lines * kPitch;
  // What is read at once makes a piece: words of one line, or one word of each of several lines.
  static constexpr int kHigh = AlongTerms ? 1 : Each, kWide = AlongTerms && Each > 1 ? Each / kTerms : 1, kPieceWords = kHigh * kWide;
  static constexpr int kPieces = Lines * kWords / kPieceWords, kShare = (kPieces + kBlock - 1) / kBlock;
  static constexpr int kReads = AlongTerms && Each > 1 ? 1 : kTerms;
  // Lanes go along the words of a line; or along so many pieces beside so many words that no two store to one bank.
  static constexpr int kBeside = Each == 1 ? 8 : 2, kWordsBeside = kWarp / kBeside, kColumns = Lines / kHigh, kRow = kWords / kWide;
  static_assert(kWords == 2 * kMmaWords && kColumns % kBeside == 0, "lanes share a panel evenly");

  static KCC_MEMBER int piece(int i) { return (int)threadIdx.x + i * kBlock; }
  static KCC_MEMBER bool is_there(int i) { return kPieces % kBlock == 0 || piece(i) < kPieces; }
  static KCC_MEMBER int line_of(int i) {
    return AlongTerms ? piece(i) / kRow : (piece(i) % kBeside + piece(i) / kWarp % (kColumns / kBeside) * kBeside) * kHigh;
  }
  static KCC_MEMBER int word_of(int i) {
    return AlongTerms ? piece(i) % kRow * kWide : piece(i) / kBeside % kWordsBeside + piece(i) / (kColumns * kWordsBeside) * kWordsBeside;
  }

  // A thread's share of the panels of some lines, from memory over its registers into shared memory.
  template <class Operand>
  class Share {
   public:
    KCC_MEMBER Share(const Operand& operand, int64_t line0, int64_t lines) : operand_(operand) {
      KCC_UNROLL
      for (int i = 0; i < kShare; i++) {
        const int64_t line = line0 + line_of(i);
        is_line_[i] = is_there(i) && line < lines;
        lines_[i] = operand.line((uint32_t)line);
      }
    }
    // Those of the terms from `term0` on; nothing lies past the ends.
    KCC_MEMBER void load(int64_t term0, int64_t terms) {
      KCC_UNROLL
      for (int i = 0; i < kShare; i++) {
        Value found[kReads];
        KCC_UNROLL
        for (int r = 0; r < kReads; r++) {
          const int64_t term = term0 + word_of(i) * kTerms + r;
          found[r] = is_line_[i] && term < terms ? operand_.at(lines_[i], operand_.term((uint32_t)term)) : Value(0.f);
        }
        pack((const float*)found, words_[i]);
      }
    }
    template <class Shared>
    KCC_MEMBER void store(Shared& panel, int at) const {
      KCC_UNROLL
      for (int i = 0; i < kShare; i++)
        KCC_UNROLL
        for (int h = 0; h < kHigh; h++)
          if (is_there(i)) store_words<kWide>(&words_[i][h * kWide], panel, at + (line_of(i) + h) * kPitch + word_of(i));
    }

   private:
    using Line = decltype(((const Operand*)nullptr)->line(0));
    const Operand& operand_;
    Line lines_[kShare];
    bool is_line_[kShare];
    uint32_t words_[kShare][kPieceWords];
  };

  // The words of a piece: of neighbours along the terms, or of `Each` lines at each of the terms of a word.
  static KCC_MEMBER void pack(const float* found, uint32_t (&words)[kPieceWords]) {
    KCC_UNROLL
    for (int w = 0; w < kPieceWords; w++) {
      float terms[kTerms];
      KCC_UNROLL
      for (int j = 0; j < kTerms; j++) terms[j] = found[AlongTerms || Each == 1 ? w * kTerms + j : j * Each + w];
      words[w] = Format::word(terms);
    }
  }

  // Blocks of eight lines and four words that this lane has one word of each of: `Down` of them from `line` on, then as many beside them.
  template <int Count, int Down, class Shared>
  static KCC_MEMBER void fragments(const Shared& panel, int at, int line, int word, uint32_t (&words)[Count]) {
    const int lane = (int)threadIdx.x % kWarp;
#ifdef __CUDACC__
    const int block = lane / 8 % Count;
    load_fragments(words, &panel[at + (line + block % Down * 8 + lane % 8) * kPitch + word + block / Down * 4]);
#else
    for (int block = 0; block < Count; block++) words[block] = panel[at + (line + block % Down * 8 + lane / 4) * kPitch + word + block / Down * 4 + lane % 4];
#endif
  }
};

template <class Left, class Right>
struct MmaTile {
  using Format = typename Left::Format;
  // Warps beside each other, and the results of each.
  static constexpr int kDepth = Left::kDepth, kAcross = 4, kDown = kBlock / kWarp / kAcross;
  static constexpr int kHigh = Left::kLines / kDown / kMmaRows, kWide = Right::kLines / kAcross / kMmaColumns;
  static_assert(kHigh * kDown * kMmaRows == Left::kLines && kWide * kAcross * kMmaColumns == Right::kLines, "warps share a tile evenly");
  static_assert(Left::kDepth == Right::kDepth, "panels of the same terms");

  // Results of one tile, over the terms from `begin` to before `end`.
  template <class Lhs, class Rhs, class Finish>
  static KCC_MEMBER void multiply(uint32_t tile, int64_t m, int64_t n, int64_t begin, int64_t end, const Lhs& lhs, const Rhs& rhs, const Finish& finish) {
    KCC_SHARED(uint32_t, left, 2 * Left::kSize);
    KCC_SHARED(uint32_t, right, 2 * Right::kSize);
    const uint32_t across = (uint32_t)tiles_of(n, Right::kLines);
    const int64_t row0 = (int64_t)(tile / across) * Left::kLines, column0 = (int64_t)(tile % across) * Right::kLines;
    const int warp = (int)threadIdx.x / kWarp, lane = (int)threadIdx.x % kWarp;
    const int high = warp / kAcross * kHigh * kMmaRows, wide = warp % kAcross * kWide * kMmaColumns;
    float sums[kHigh][kWide][4] = {};
    typename Left::template Share<Lhs> of_left(lhs, row0, m);
    typename Right::template Share<Rhs> of_right(rhs, column0, n);
    const auto multiply_words = [&](int half, int word) {
      uint32_t columns[kWide][2];
      KCC_UNROLL
      for (int j = 0; j < kWide; j++) Right::template fragments<2, 1>(right, half * Right::kSize, wide + j * kMmaColumns, word, columns[j]);
      KCC_UNROLL
      for (int i = 0; i < kHigh; i++) {
        uint32_t rows[4];
        Left::template fragments<4, 2>(left, half * Left::kSize, high + i * kMmaRows, word, rows);
        KCC_UNROLL
        for (int j = 0; j < kWide; j++) multiply_add<Format>(sums[i][j], rows, columns[j]);
      }
    };
    int half = 0;
    if (begin < end) {
      of_left.load(begin, end), of_left.store(left, 0);
      of_right.load(begin, end), of_right.store(right, 0);
    }
    __syncthreads();
    for (int64_t term0 = begin; term0 < end; term0 += kDepth, half ^= 1) {
      // The next terms come to the other half of shared memory, the left operand's while the first words are multiplied.
      const int64_t next = term0 + kDepth;
      if (next < end) of_left.load(next, end);
      multiply_words(half, 0);
      if (next < end) of_left.store(left, (half ^ 1) * Left::kSize), of_right.load(next, end);
      multiply_words(half, kMmaWords);
      if (next < end) of_right.store(right, (half ^ 1) * Right::kSize);
      __syncthreads();  // and in the end before the next tile is written where this one lies
    }
    KCC_UNROLL
    for (int i = 0; i < kHigh; i++)
      KCC_UNROLL
      for (int j = 0; j < kWide; j++)
        KCC_UNROLL
        for (int at = 0; at < 4; at++) {
          const int64_t row = row0 + high + i * kMmaRows + lane / 4 + at / 2 * 8, column = column0 + wide + j * kMmaColumns + lane % 4 * 2 + at % 2;
          if (row < m && column < n) finish(row, column, sums[i][j][at]);
        }
  }
};

}  // namespace KCC_LEVEL
}  // namespace kcc
