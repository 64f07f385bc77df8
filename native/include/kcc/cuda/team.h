// The threads that work on one item together: one thread, a warp, a block, or a column of one. What they combine is folded in
// one fixed order, and every thread gets the result, so that results are the same bits in every run.
#pragma once
#include "../sizes.h"
#include "platform.h"
#include "../scalar.h"

namespace kcc {
inline namespace KCC_LEVEL {

struct Sum {
  static KCC_MEMBER float of(float a, float b) { return a + b; }
  static KCC_MEMBER int32_t of(int32_t a, int32_t b) { return wrap_add(a, b); }
};
struct Product {
  static KCC_MEMBER float of(float a, float b) { return a * b; }
  static KCC_MEMBER int32_t of(int32_t a, int32_t b) { return wrap_mul(a, b); }
};
struct Max { template <class T> static KCC_MEMBER T of(T a, T b) { return max(a, b); } };
struct Min { template <class T> static KCC_MEMBER T of(T a, T b) { return min(a, b); } };

// Lane i with lane i + half, halving until one is left; all lanes get what lane 0 has then.
template <class Op, class T>
KCC_INLINE T fold_warp(T x) {
  for (int half = kWarp / 2; half > 0; half /= 2) x = Op::of(x, __shfl_down_sync(kAllLanes, x, half));
  return __shfl_sync(kAllLanes, x, 0);
}

// Warps first, then what they have found, in their order.
template <class Op, class T>
KCC_INLINE T fold_block(T x) {
  KCC_SHARED(T, of_warps, kBlock / kWarp);
  x = fold_warp<Op>(x);
  if (threadIdx.x % kWarp == 0) of_warps[threadIdx.x / kWarp] = x;
  __syncthreads();
  T all = of_warps[0];
  for (int warp = 1; warp < kBlock / kWarp; warp++) all = Op::of(all, (T)of_warps[warp]);
  __syncthreads();  // before the next fold writes there
  return all;
}

// What threads find, column by column of a block that has `Columns` of them: those of a column in the order of their rows.
template <class Op, int Columns, class T>
KCC_INLINE T fold_column(T x) {
  KCC_SHARED(T, of_threads, kBlock);
  of_threads[threadIdx.x] = x;
  __syncthreads();
  const int column = (int)(threadIdx.x % Columns);
  T all = of_threads[column];
  for (int at = column + Columns; at < kBlock; at += Columns) all = Op::of(all, (T)of_threads[at]);
  __syncthreads();  // before the next fold writes there
  return all;
}

// Ways in which a team folds, for any of the classes below.
template <class Team>
struct Folds {
  template <class T> KCC_MEMBER T sum(T x) const { return self().template fold<Sum>(x); }
  template <class T> KCC_MEMBER T prod(T x) const { return self().template fold<Product>(x); }
  template <class T> KCC_MEMBER T max(T x) const { return self().template fold<Max>(x); }
  template <class T> KCC_MEMBER T min(T x) const { return self().template fold<Min>(x); }
  // The first place of the largest value, given each thread's own; 0 where no thread has found one.
  template <class T> KCC_MEMBER int32_t argmax(T best, int32_t at) const { return min(best == max(best) ? at : INT32_MAX); }

 private:
  KCC_MEMBER const Team& self() const { return static_cast<const Team&>(*this); }
};

// Where this block is among those of one statement; not below `count` where it is of another.
struct Share { uint32_t place, count; };

// Blocks of a launch: where statements are started as one, each takes its own after those of the statements before it.
struct Blocks {
  uint32_t first = 0;
  // As many as `items` are worth, `per_block` in each.
  KCC_MEMBER Share take(int64_t items, uint32_t per_block) {
    const Share share = {blockIdx.x - first, (uint32_t)blocks_of(items, per_block)};
    first += share.count;
    return share;
  }
};

// `Size` neighbouring threads: 1, kWarp or kBlock. The teams of a grid take its items in turn.
template <int Size>
class Team : public Folds<Team<Size>> {
 public:
  explicit KCC_MEMBER Team(int64_t items) : Team(items, Share{blockIdx.x, gridDim.x}) {}
  KCC_MEMBER Team(int64_t items, Blocks& blocks) : Team(items, blocks.take(items, kTeams)) {}
  KCC_MEMBER bool has_item() const { return item_ < items_; }
  KCC_MEMBER uint32_t item() const { return item_; }
  KCC_MEMBER void next() { item_ += stride_; }

  KCC_MEMBER uint32_t rank() const { return threadIdx.x % Size; }
  static KCC_MEMBER uint32_t size() { return Size; }
  // May this thread store what the team has found?
  KCC_MEMBER bool leads() const { return rank() == 0; }
  // Nobody goes on before all are here, and sees what the others have stored.
  KCC_MEMBER void wait() const {
    if (Size == kBlock) __syncthreads();
    else if (Size == kWarp) __syncwarp(kAllLanes);
  }
  template <class Op, class T>
  KCC_MEMBER T fold(T x) const {
    if (Size == kBlock) return fold_block<Op>(x);
    return Size == kWarp ? fold_warp<Op>(x) : x;
  }

 private:
  static constexpr uint32_t kTeams = kBlock / Size;
  KCC_MEMBER Team(int64_t items, const Share& blocks)
      : items_(blocks.place < blocks.count ? (uint32_t)items : 0), item_(blocks.place * kTeams + threadIdx.x / Size), stride_(blocks.count * kTeams) {}
  uint32_t items_, item_, stride_;
};

// `Size` threads of a block that lie apart: neighbouring threads have neighbouring items, so that a warp reads its items' rows
// side by side. All threads of a block go through as many items; those past the last repeat it, and store nothing.
template <int Size>
class ColumnTeam : public Folds<ColumnTeam<Size>> {
 public:
  explicit KCC_MEMBER ColumnTeam(int64_t items) : ColumnTeam(items, Share{blockIdx.x, gridDim.x}) {}
  KCC_MEMBER ColumnTeam(int64_t items, Blocks& blocks) : ColumnTeam(items, blocks.take(items, kColumns)) {}
  KCC_MEMBER bool has_item() const { return first_ < items_; }
  KCC_MEMBER uint32_t item() const { return own() < items_ ? own() : items_ - 1; }
  KCC_MEMBER void next() { first_ += stride_; }

  KCC_MEMBER uint32_t rank() const { return threadIdx.x / kColumns; }
  static KCC_MEMBER uint32_t size() { return Size; }
  KCC_MEMBER bool leads() const { return rank() == 0 && own() < items_; }
  KCC_MEMBER void wait() const { __syncthreads(); }
  template <class Op, class T>
  KCC_MEMBER T fold(T x) const { return fold_column<Op, kColumns>(x); }

 private:
  static constexpr uint32_t kColumns = kBlock / Size;
  KCC_MEMBER ColumnTeam(int64_t items, const Share& blocks)
      : items_(blocks.place < blocks.count ? (uint32_t)items : 0), first_(blocks.place * kColumns), stride_(blocks.count * kColumns) {}
  KCC_MEMBER uint32_t own() const { return first_ + threadIdx.x % kColumns; }
  uint32_t items_, first_, stride_;
};

}  // namespace KCC_LEVEL
}  // namespace kcc
