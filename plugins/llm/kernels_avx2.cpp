#define STREAM_VECTOR 8
#define STREAM_TABLE kAvx2
#include "llm/kernels.inl"
