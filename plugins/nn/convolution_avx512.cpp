#define STREAM_VECTOR 16
#define STREAM_TABLE kConvolutionAvx512
#include "nn/convolution_kernels.inl"
