// The process's thread pool: one for all models and all Node environments, even when they live in different shared
// objects. A host takes a reference, hands `kcc_pool` to compiled functions, and drops the reference at the end.
#pragma once
#include "abi.h"

#ifdef __cplusplus
extern "C" {
#endif

// The pool. Worker threads are started by the first run that can use them, not here.
kcc_pool* kcc_pool_acquire(void);
// The last release stops and joins the workers; the pool may be acquired again.
void kcc_pool_release(void);
// Sets how many threads work on one run, the caller included; 0 chooses by CPU affinity and cgroup quota (or by the
// environment variable KCC_THREADS). Returns the number in force. Waits for a run in progress.
int32_t kcc_pool_set_threads(int32_t count);

#ifdef __cplusplus
}
#endif
