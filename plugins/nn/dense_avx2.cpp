#define STREAM_VECTOR 8
#define STREAM_TABLE kDenseAvx2
#include "nn/dense_kernels.inl"
