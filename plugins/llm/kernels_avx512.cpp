#define STREAM_VECTOR 16
#define STREAM_TABLE kAvx512
#include "llm/kernels.inl"
