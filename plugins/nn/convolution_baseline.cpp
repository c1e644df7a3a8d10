#define STREAM_VECTOR 4
#define STREAM_TABLE kConvolutionBaseline
#include "nn/convolution_kernels.inl"
