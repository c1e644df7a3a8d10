#define STREAM_VECTOR 2
#define STREAM_TABLE kBaseline
#include "rl/kernels.inl"
