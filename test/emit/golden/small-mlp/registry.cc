// All modules of this file, for one CPU level.
#include "kcc/abi.h"

namespace kcc_kernels {
inline namespace KCC_LEVEL {
extern const kcc_module module_small_mlp;
}  // namespace KCC_LEVEL
}  // namespace kcc_kernels

#define KCC_JOIN2(a, b) a##b
#define KCC_JOIN(a, b) KCC_JOIN2(a, b)
extern "C" {
extern const kcc_module* const KCC_JOIN(kcc_modules_, KCC_LEVEL)[];
const kcc_module* const KCC_JOIN(kcc_modules_, KCC_LEVEL)[] = {
    &kcc_kernels::module_small_mlp,
};
}
