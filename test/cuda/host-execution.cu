// Kernels that are right, and kernels with the mistakes that the host's execution must find. Prints one line for each.
#include "kcc/cuda/chain.h"
#include "kcc/cuda/launch.h"
#include "kcc/cuda/math.h"
#include "kcc/cuda/team.h"

#include <stdio.h>
#include <vector>

namespace {

struct Numbers {
  int32_t* values;
  int64_t count;
};

// Each thread leaves its number, and takes that of the thread opposite.
__global__ void exchange(const Numbers args) {
  KCC_SHARED(int32_t, places, 64);
  places[threadIdx.x] = (int32_t)threadIdx.x;
  __syncthreads();
  args.values[threadIdx.x] = places[63 - threadIdx.x];
}

__global__ void exchange_in_warps(const Numbers args) {
  KCC_SHARED(int32_t, places, 64);
  places[threadIdx.x] = (int32_t)threadIdx.x;
  __syncwarp(kcc::kAllLanes);
  args.values[threadIdx.x] = places[threadIdx.x ^ 31];
}

__global__ void no_barrier(const Numbers args) {
  KCC_SHARED(int32_t, places, 64);
  places[threadIdx.x] = (int32_t)threadIdx.x;
  args.values[threadIdx.x] = places[threadIdx.x == 0 ? 0 : threadIdx.x - 1];
}

__global__ void barrier_of_a_warp_alone(const Numbers args) {
  KCC_SHARED(int32_t, places, 64);
  places[threadIdx.x] = (int32_t)threadIdx.x;
  __syncwarp(kcc::kAllLanes);
  args.values[threadIdx.x] = places[63 - threadIdx.x];
}

__global__ void no_barrier_before_the_next_write(const Numbers args) {
  KCC_SHARED(int32_t, places, 64);
  for (int round = 0; round < 2; round++) {
    places[threadIdx.x] = round;
    __syncthreads();
    args.values[threadIdx.x] = places[63 - threadIdx.x];
  }
}

__global__ void barrier_of_some(const Numbers args) {
  if (threadIdx.x < 40) __syncthreads();
  args.values[threadIdx.x] = 0;
}

__global__ void lanes_missing(const Numbers args) {
  if (threadIdx.x % 32 < 16) args.values[threadIdx.x] = __shfl_sync(kcc::kAllLanes, 1, 0);
}

__global__ void never_written(const Numbers args) {
  KCC_SHARED(int32_t, places, 64);
  args.values[threadIdx.x] = places[threadIdx.x];
}

__global__ void outside(const Numbers args) {
  KCC_SHARED(int32_t, places, 64);
  places[threadIdx.x + 1] = 0;
  args.values[threadIdx.x] = 0;
}

// One row of `count` numbers for each team.
template <class Team>
__global__ void team_sums(const Numbers args) {
  for (Team team(5); team.has_item(); team.next()) {
    int32_t sum = 0;
    for (int64_t i = team.rank(); i < args.count; i += team.size()) sum += (int32_t)(team.item() * args.count + i);
    sum = team.sum(sum);
    if (team.leads()) args.values[team.item()] = sum;
  }
}

// Where in row i of five the first of its largest numbers is: row i rises to i * 30 and stays there.
template <class Team>
__global__ void team_largest(const Numbers args) {
  for (Team team(5); team.has_item(); team.next()) {
    int32_t best = INT32_MIN, at = 0;
    for (int32_t i = (int32_t)team.rank(); i < args.count; i += (int32_t)team.size()) {
      const int32_t value = kcc::min(i, (int32_t)team.item() * 30);
      if (value > best) best = value, at = i;
    }
    at = team.argmax(best, at);
    if (team.leads()) args.values[team.item()] = at;
  }
}

void run(const char* name, void (*kernel)(const Numbers), unsigned threads, int64_t blocks = 1, int64_t count = 0) {
  std::vector<int32_t> values(256, -1);
  kcc::launch(kernel, blocks, (int)threads, nullptr, Numbers{values.data(), count});
  printf("%s: %s", name, kcc::host_failure[0] ? kcc::host_failure : "");
  if (!kcc::host_failure[0]) for (unsigned i = 0; i < 8; i++) printf("%d ", values[i]);
  printf("\n");
  kcc::host_failure[0] = 0;
}

// ---- lists

struct Positions {
  const int32_t* rows;
  int32_t *first, *next;
  int64_t extent, count;
};

__global__ void link(const Positions args) {
  kcc::make_chain(args.first, args.next, args.extent, args.count, [&](int64_t p) { return args.rows[p]; });
}

// Lists of many positions against those made one after the other; the number of differences.
int chain_differences(int64_t extent, int64_t count) {
  std::vector<int32_t> rows, first(extent, 7), next(count, 7), last(extent, -1);
  for (int64_t p = 0; p < count; p++) rows.push_back((int32_t)(p * 2654435761u % (unsigned)(extent + 3)) - 2);
  kcc::launch(link, kcc::kChainWarps, kcc::kWarp, nullptr, Positions{rows.data(), first.data(), next.data(), extent, count});
  int differ = 0;
  for (int64_t p = count - 1; p >= 0; p--) {
    if (rows[p] < 0 || rows[p] >= extent) continue;
    differ += next[p] != last[rows[p]];
    last[rows[p]] = (int32_t)p;
  }
  for (int64_t r = 0; r < extent; r++) differ += first[r] != last[r];
  return differ;
}

}  // namespace

int main() {
  run("exchange", exchange, 64);
  run("exchange in warps", exchange_in_warps, 64);
  run("warp sums", team_sums<kcc::Team<32>>, 256, 1, 100);
  run("block sums", team_sums<kcc::Team<256>>, 256, 5, 1000);
  run("sums in turn", team_sums<kcc::Team<256>>, 256, 2, 1000);
  run("column sums", team_sums<kcc::ColumnTeam<8>>, 256, 1, 100);
  run("columns in turn", team_sums<kcc::ColumnTeam<128>>, 256, 2, 100);
  run("warp's largest", team_largest<kcc::Team<32>>, 256, 1, 100);
  run("block's largest", team_largest<kcc::Team<256>>, 256, 5, 100);
  run("no barrier", no_barrier, 64);
  run("a warp's barrier", barrier_of_a_warp_alone, 64);
  run("no barrier before a write", no_barrier_before_the_next_write, 64);
  run("barrier of some", barrier_of_some, 64);
  run("lanes missing", lanes_missing, 64);
  run("never written", never_written, 64);
  run("outside", outside, 64);
  run("exchange", exchange, 64);
  printf("chains: %d %d %d\n", chain_differences(5, 200), chain_differences(100, 31), chain_differences(70, 1000));
}
