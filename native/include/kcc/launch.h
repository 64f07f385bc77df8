// Running a kernel's outermost loop in ranges on the host's pool.
#pragma once
#include "driver.h"
#include "vec.h"

namespace kcc {
inline namespace KCC_LEVEL {

// Items in one range: worth `range_work`, a multiple of `multiple`. Depends on the kernel and its sizes alone.
KCC_INLINE int64_t range_items(int64_t work_per_item, int64_t range_work, int64_t multiple) {
  int64_t items = range_work / larger(work_per_item, 1);
  return larger((items + multiple - 1) / multiple, 1) * multiple;
}

template <class Args>
struct Ranges {
  const Args* args;
  void (*run)(const Args& args, int64_t begin, int64_t end);
  int64_t extent, items;

  static void body(void* context, int64_t i) {
    const Ranges& self = *(const Ranges*)context;
    const int64_t begin = i * self.items, end = begin + self.items;
    self.run(*self.args, begin, end < self.extent ? end : self.extent);
  }
};

// Calls run(args, begin, end) over ranges that cover [0, extent).
template <class Args>
KCC_INLINE void run_ranges(kcc_pool* pool, int64_t extent, int64_t items, const Args& args,
                           void (*run)(const Args&, int64_t, int64_t)) {
  if (extent <= 0) return;
  if (pool == nullptr || extent <= items) return run(args, 0, extent);
  Ranges<Args> ranges{&args, run, extent, items};
  pool->run(pool, (extent + items - 1) / items, &Ranges<Args>::body, &ranges);
}

}  // namespace KCC_LEVEL
}  // namespace kcc
