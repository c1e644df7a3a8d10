#define STREAM_VECTOR 16
#define STREAM_TABLE kAvx512Vnni
#include "llm/kernels.inl"
