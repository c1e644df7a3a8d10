#define STREAM_VECTOR 4
#define STREAM_TABLE kBaseline
#include "llm/kernels.inl"
