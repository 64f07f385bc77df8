#include "kcc/gemm-kernels.h"
