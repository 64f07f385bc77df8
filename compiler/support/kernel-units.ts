/**
 * Units that define kernels for all models. Their text is the same for every model: who knows that a model is coming
 * compiles them before it is there, and the next one finds them in the cache.
 */

const unit = (name: string, header: string) => ({ name, text: `#include "${header}"\n`, perLevel: true, explicit: true })

/** Products of matrices. */
export const PRODUCTS = unit('kcc-gemm.cc', 'kcc/gemm-kernels.h')

/** The same for left operands in runs, as windows are. */
export const RUN_PRODUCTS = unit('kcc-gemm-runs.cc', 'kcc/gemm-runs.h')
