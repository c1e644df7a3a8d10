#define STREAM_VECTOR 4
#define STREAM_TABLE kAvx2
#include "rl/kernels.inl"
