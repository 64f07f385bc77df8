// Products of matrices whose operands and results are holes: an element of an operand is whatever lhs(row, term) and
// rhs(term, column) say, a result is given to finish(row, column, sum). The sum of every element is one chain of fused
// multiply-adds in the order of its terms, as on CPUs.
#pragma once
#include "math.h"

namespace kcc {
inline namespace KCC_LEVEL {

// A block computes Rows x Columns results, Depth terms at a time; each thread Rows / Across by Columns / Across of them, which
// lie Across apart, so that neighbouring threads read and write neighbours. Along which side of an operand do neighbours in
// memory lie? Threads that load it side by side go that way.
template <int Rows, int Columns, int Depth, bool LhsAlongTerms, bool RhsAlongColumns>
struct Tile {
  static constexpr int kAcross = 16, kOfRows = Rows / kAcross, kOfColumns = Columns / kAcross;
  static_assert(kAcross * kAcross == kBlock && Rows % kAcross == 0 && Columns % kAcross == 0, "the threads of a block share a tile");

  template <class Lhs, class Rhs, class Finish>
  static KCC_MEMBER void multiply(int64_t tile, int64_t m, int64_t n, int64_t k, const Lhs& lhs, const Rhs& rhs, const Finish& finish) {
    // Lines are one longer than a tile: turned tiles are then stored without two lanes meeting in one bank.
    KCC_SHARED(float, left, Depth * (Rows + 1));
    KCC_SHARED(float, right, Depth * (Columns + 1));
    const int64_t across = (n + Columns - 1) / Columns, row0 = tile / across * Rows, column0 = tile % across * Columns;
    const int x = (int)threadIdx.x % kAcross, y = (int)threadIdx.x / kAcross;
    float sums[kOfRows][kOfColumns] = {};
    for (int64_t term0 = 0; term0 < k; term0 += Depth) {
      for (int e = (int)threadIdx.x; e < Rows * Depth; e += kBlock) {
        const int row = LhsAlongTerms ? e / Depth : e % Rows, term = LhsAlongTerms ? e % Depth : e / Rows;
        left[term * (Rows + 1) + row] = row0 + row < m && term0 + term < k ? lhs(row0 + row, term0 + term) : 0.f;
      }
      for (int e = (int)threadIdx.x; e < Columns * Depth; e += kBlock) {
        const int column = RhsAlongColumns ? e % Columns : e / Depth, term = RhsAlongColumns ? e / Columns : e % Depth;
        right[term * (Columns + 1) + column] = column0 + column < n && term0 + term < k ? rhs(term0 + term, column0 + column) : 0.f;
      }
      __syncthreads();
      const int terms = k - term0 < Depth ? (int)(k - term0) : Depth;
      for (int term = 0; term < terms; term++) {
        float of_row[kOfRows], of_column[kOfColumns];
        for (int i = 0; i < kOfRows; i++) of_row[i] = left[term * (Rows + 1) + y + i * kAcross];
        for (int j = 0; j < kOfColumns; j++) of_column[j] = right[term * (Columns + 1) + x + j * kAcross];
        for (int i = 0; i < kOfRows; i++)
          for (int j = 0; j < kOfColumns; j++) sums[i][j] = fma(of_row[i], of_column[j], sums[i][j]);
      }
      __syncthreads();  // before the next terms are written there
    }
    for (int i = 0; i < kOfRows; i++)
      for (int j = 0; j < kOfColumns; j++) {
        const int64_t row = row0 + y + i * kAcross, column = column0 + x + j * kAcross;
        if (row < m && column < n) finish(row, column, sums[i][j]);
      }
  }
};

}  // namespace KCC_LEVEL
}  // namespace kcc
