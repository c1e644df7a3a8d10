#define STREAM_VECTOR 4
#define STREAM_TABLE kDenseBaseline
#include "nn/dense_kernels.inl"
