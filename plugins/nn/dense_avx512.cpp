#define STREAM_VECTOR 16
#define STREAM_TABLE kDenseAvx512
#include "nn/dense_kernels.inl"
