// See kcc/pool.h and kcc_pool in kcc/abi.h.
//
// A run gives every participant an equal, contiguous share of the chunks, the same at each run, so that data stays in
// the caches of the core that used it. A participant that is done takes chunks of others: a worker that sleeps or has
// lost its CPU costs its speed, not its turn. Which thread runs a chunk never changes a result.
//
// A share is one 64-bit word, next << 32 | end. Claiming a chunk is a compare-and-swap on it and needs no other state:
// whoever takes chunk `next` owns it in the job that is current at that moment, and that job cannot end before the
// chunk is counted in `done`. So a worker that wakes up late does no harm.
#include "kcc/pool.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <xmmintrin.h>

namespace {

constexpr int kMaxThreads = 256;
constexpr int kPauses = 2000;  // about 100 us of spinning, then the CPU is offered to others, then sleep
constexpr int kYields = 100;

struct alignas(64) Share { uint64_t word; };

struct State {
  kcc_pool face;  // first: a kcc_pool* is a State*
  int32_t size;   // threads of one run, the caller included; 0: not chosen yet
  int32_t references;
  int32_t started;  // workers running
  int32_t stop;
  int32_t fork_handler;
  pthread_mutex_t manage;  // guards the five above, and `threads`
  pthread_t threads[kMaxThreads];

  alignas(64) uint32_t busy;  // 1 while a run is in progress
  alignas(64) uint32_t generation;  // number of the run; what idle workers watch
  int32_t participants;
  void (*body)(void*, int64_t);
  void* context;
  alignas(64) int32_t sleepers;
  alignas(64) int64_t done;  // chunks completed
  Share shares[kMaxThreads];
};

// A variable of this kind is unique in the process even among shared objects loaded with RTLD_LOCAL. The number is the
// version of State's layout.
template <int Version> struct Process {
  __attribute__((visibility("default"))) static State state;
};
template <int Version> State Process<Version>::state;
State& pool = Process<1>::state;

long futex(uint32_t* word, int op, uint32_t value) { return syscall(SYS_futex, word, op, value, nullptr, nullptr, 0); }

template <class T> T load(const T* p) { return __atomic_load_n(p, __ATOMIC_ACQUIRE); }

// ---- size

int64_t read_number(const char* path, int64_t* second) {
  FILE* file = fopen(path, "re");
  if (!file) return -1;
  char text[64] = {0};
  size_t got = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  char* rest = text;
  int64_t first = got && text[0] != 'm' ? strtoll(text, &rest, 10) : -1;  // "max 100000": no quota
  if (second) *second = strtoll(rest, nullptr, 10);
  return first;
}

// CPUs' worth of time the cgroup may use, rounded down; 0 when there is no limit.
int quota_threads() {
  char path[512] = "/sys/fs/cgroup/cpu.max", line[400];
  int64_t period = 0, quota = -1;
  if (FILE* file = fopen("/proc/self/cgroup", "re")) {
    while (quota < 0 && fgets(line, sizeof line, file))
      if (!strncmp(line, "0::", 3)) {
        line[strcspn(line, "\n")] = 0;
        snprintf(path, sizeof path, "/sys/fs/cgroup%s/cpu.max", line + 3);
        quota = read_number(path, &period);
      }
    fclose(file);
  }
  if (quota < 0) quota = read_number("/sys/fs/cgroup/cpu.max", &period);
  if (quota < 0) {
    quota = read_number("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", nullptr);
    period = read_number("/sys/fs/cgroup/cpu/cpu.cfs_period_us", nullptr);
  }
  if (quota <= 0 || period <= 0) return 0;
  return quota < period ? 1 : (int)(quota / period);
}

int default_size() {
  if (const char* text = getenv("KCC_THREADS"))
    if (int wanted = atoi(text)) return wanted;
  cpu_set_t set;
  int cpus = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : (int)sysconf(_SC_NPROCESSORS_ONLN);
  int quota = quota_threads();
  return quota && quota < cpus ? quota : cpus;
}

void set_size(int32_t count) {
  if (count <= 0) count = default_size();
  pool.size = count < 1 ? 1 : count > kMaxThreads ? kMaxThreads : count;
  __atomic_store_n(&pool.face.threads, pool.size, __ATOMIC_RELAXED);
}

// ---- chunks

// Runs chunks of one share until it is empty; returns how many.
int64_t drain(Share* share) {
  int64_t count = 0;
  uint64_t word = load(&share->word);
  while ((uint32_t)(word >> 32) < (uint32_t)word) {
    if (!__atomic_compare_exchange_n(&share->word, &word, word + (1ull << 32), false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) continue;
    pool.body(pool.context, (int64_t)(word >> 32));
    count++;
    word = load(&share->word);
  }
  return count;
}

// Own share first, then the others' in a ring.
void take_part(int self) {
  int participants = __atomic_load_n(&pool.participants, __ATOMIC_RELAXED);
  int64_t count = 0;
  for (int i = 0, at = self < participants ? self : 0; i < participants; i++, at = at + 1 < participants ? at + 1 : 0)
    count += drain(&pool.shares[at]);
  if (count) __atomic_fetch_add(&pool.done, count, __ATOMIC_ACQ_REL);
}

// Returns when there is a run after `seen`, and its number.
uint32_t await_run(uint32_t seen) {
  uint32_t now;
  for (int i = 0; i < kPauses; i++) {
    if ((now = load(&pool.generation)) != seen) return now;
    _mm_pause();
  }
  for (int i = 0; i < kYields; i++) {
    if ((now = load(&pool.generation)) != seen) return now;
    sched_yield();
  }
  __atomic_fetch_add(&pool.sleepers, 1, __ATOMIC_SEQ_CST);
  while ((now = __atomic_load_n(&pool.generation, __ATOMIC_SEQ_CST)) == seen) futex(&pool.generation, FUTEX_WAIT_PRIVATE, seen);
  __atomic_fetch_sub(&pool.sleepers, 1, __ATOMIC_SEQ_CST);
  return now;
}

struct Start { int index; uint32_t seen; };

void* worker(void* argument) {
  _mm_setcsr(_mm_getcsr() | 0x8040);  // denormals as zero, as in the callers of kernels (kcc/driver.h)
  Start start = *(Start*)argument;
  free(argument);
  for (uint32_t seen = start.seen;;) {
    seen = await_run(seen);
    if (load(&pool.stop)) return nullptr;
    take_part(start.index);
  }
}

// ---- workers; callers hold `manage` and `busy`

// In the child of a fork there are no workers, and nobody to release the locks.
void after_fork() {
  pool.started = pool.sleepers = 0;
  pool.busy = 0;
  memset(&pool.manage, 0, sizeof pool.manage);
}

void start_workers() {
  if (!pool.fork_handler) pool.fork_handler = pthread_atfork(nullptr, nullptr, after_fork) == 0;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  // A product keeps a block of its operands on the stack, up to 1.4 MB (gemm-windows.h).
  pthread_attr_setstacksize(&attributes, 4 << 20);
  while (pool.started + 1 < pool.size) {
    Start* start = (Start*)malloc(sizeof(Start));
    if (!start) break;
    *start = {pool.started + 1, load(&pool.generation)};
    if (pthread_create(&pool.threads[pool.started], &attributes, worker, start)) {
      free(start);  // fewer threads than wished for: their shares are taken by the others
      break;
    }
    pool.started++;
  }
  pthread_attr_destroy(&attributes);
}

void stop_workers() {
  if (!pool.started) return;
  __atomic_store_n(&pool.participants, 0, __ATOMIC_RELAXED);
  __atomic_store_n(&pool.stop, 1, __ATOMIC_RELEASE);
  __atomic_fetch_add(&pool.generation, 1, __ATOMIC_SEQ_CST);
  futex(&pool.generation, FUTEX_WAKE_PRIVATE, kMaxThreads);
  for (int i = 0; i < pool.started; i++) pthread_join(pool.threads[i], nullptr);
  pool.started = 0;
  __atomic_store_n(&pool.stop, 0, __ATOMIC_RELEASE);
}

bool try_busy() {
  uint32_t idle = 0;
  return __atomic_compare_exchange_n(&pool.busy, &idle, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}
void wait_busy() { while (!try_busy()) sched_yield(); }
void leave_busy() { __atomic_store_n(&pool.busy, 0, __ATOMIC_RELEASE); }

// ---- running

void publish(int64_t count, void (*body)(void*, int64_t), void* context, int participants) {
  pool.body = body;
  pool.context = context;
  __atomic_store_n(&pool.participants, participants, __ATOMIC_RELAXED);
  __atomic_store_n(&pool.done, 0, __ATOMIC_RELAXED);
  for (int i = 0; i < participants; i++) {
    uint64_t first = (uint64_t)(count * i / participants), end = (uint64_t)(count * (i + 1) / participants);
    __atomic_store_n(&pool.shares[i].word, first << 32 | end, __ATOMIC_RELEASE);
  }
  __atomic_fetch_add(&pool.generation, 1, __ATOMIC_SEQ_CST);
  if (__atomic_load_n(&pool.sleepers, __ATOMIC_SEQ_CST)) futex(&pool.generation, FUTEX_WAKE_PRIVATE, (uint32_t)participants - 1);
}

// A run inside a run, or beside one of another thread, finds the pool busy and goes on alone.
void run(kcc_pool*, int64_t count, void (*body)(void*, int64_t), void* context) {
  int size = __atomic_load_n(&pool.face.threads, __ATOMIC_RELAXED);
  if (count <= 1 || size <= 1 || count > INT32_MAX || !try_busy()) {
    for (int64_t i = 0; i < count; i++) body(context, i);
    return;
  }
  if (__builtin_expect(pool.started + 1 < pool.size, 0)) start_workers();
  publish(count, body, context, count < pool.size ? (int)count : pool.size);
  take_part(0);
  for (int i = 0; load(&pool.done) != count; i++) i < kPauses ? _mm_pause() : (void)sched_yield();
  leave_busy();
}

}  // namespace

extern "C" kcc_pool* kcc_pool_acquire(void) {
  pthread_mutex_lock(&pool.manage);
  pool.references++;
  if (!pool.size) set_size(0);
  __atomic_store_n(&pool.face.run, &run, __ATOMIC_RELAXED);
  pthread_mutex_unlock(&pool.manage);
  return &pool.face;
}

extern "C" void kcc_pool_release(void) {
  pthread_mutex_lock(&pool.manage);
  if (--pool.references == 0) {
    wait_busy();
    stop_workers();
    leave_busy();
  }
  pthread_mutex_unlock(&pool.manage);
}

extern "C" int32_t kcc_pool_set_threads(int32_t count) {
  pthread_mutex_lock(&pool.manage);
  wait_busy();
  stop_workers();
  set_size(count);
  leave_busy();
  pthread_mutex_unlock(&pool.manage);
  return pool.size;
}
