// Times of the kernels of a call on a GPU, for `kcc inspect --fusion`: functions that were emitted for it tell the driver where
// the launches of each kernel end.
#pragma once

extern "C" void kcc_cuda_lap(void* stream);
