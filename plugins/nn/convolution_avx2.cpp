#define STREAM_VECTOR 8
#define STREAM_TABLE kConvolutionAvx2
#include "nn/convolution_kernels.inl"
