#define STREAM_VECTOR 8
#define STREAM_TABLE kAvx512
#include "rl/kernels.inl"
