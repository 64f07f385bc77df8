// What is used of cuDNN, declared here: its headers are not needed, and its file is looked for when a product asks for it. Names and
// numbers are those of version 9 (https://docs.nvidia.com/deeplearning/cudnn/backend/latest/api/cudnn-cnn-library.html).
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace kcc {
namespace cudnn {

// cudnnStatus_t: thousands are kinds, and what is below them says more.
using Status = int;
constexpr Status kSuccess = 0, kNotInitialized = 1, kBadParameter = 2, kNotSupported = 3, kInternalError = 4, kExecutionFailed = 5, kKind = 1000;
constexpr Status kDeviceAllocationFailed = 4004;

// cudnnDataType_t, cudnnTensorFormat_t, cudnnMathType_t
constexpr int kFloat = 0, kBFloat16 = 9;
constexpr int kChannelsLast = 1;
constexpr int kDefaultMath = 0, kTensorOpMath = 1, kFmaMath = 3;

// cudnnConvolutionMode_t, cudnnActivationMode_t, cudnnNanPropagation_t
constexpr int kCrossCorrelation = 1;
constexpr int kRelu = 1, kIdentity = 5;
constexpr int kPropagateNan = 1;

// cudnnConvolutionFwdAlgo_t, cudnnConvolutionBwdFilterAlgo_t: those that add products in an order of their own choice, but always the same.
constexpr int kImplicitGemm = 0, kImplicitPrecomputedGemm = 1, kGemm = 2;
constexpr int kFilterOne = 1;

// Handles and descriptions are pointers to what only the library knows.
struct Functions {
  size_t (*GetVersion)();
  Status (*Create)(void** handle);
  Status (*Destroy)(void* handle);
  Status (*SetStream)(void* handle, void* stream);
  Status (*CreateTensorDescriptor)(void** description);
  Status (*DestroyTensorDescriptor)(void* description);
  Status (*SetTensor4dDescriptorEx)(void* description, int type, int n, int c, int h, int w, int n_stride, int c_stride, int h_stride, int w_stride);
  Status (*CreateFilterDescriptor)(void** description);
  Status (*DestroyFilterDescriptor)(void* description);
  Status (*SetFilter4dDescriptor)(void* description, int type, int format, int k, int c, int h, int w);
  Status (*CreateConvolutionDescriptor)(void** description);
  Status (*DestroyConvolutionDescriptor)(void* description);
  Status (*SetConvolution2dDescriptor)(void* description, int pad_h, int pad_w, int stride_h, int stride_w, int dilation_h, int dilation_w, int mode, int type);
  Status (*SetConvolutionMathType)(void* description, int math);
  Status (*CreateActivationDescriptor)(void** description);
  Status (*DestroyActivationDescriptor)(void* description);
  Status (*SetActivationDescriptor)(void* description, int mode, int nan, double coefficient);
  Status (*GetConvolutionForwardWorkspaceSize)(void* handle, void* x, void* w, void* convolution, void* y, int algorithm, size_t* bytes);
  Status (*ConvolutionForward)(void* handle, const void* alpha, void* x_is, const void* x, void* w_is, const void* w, void* convolution, int algorithm,
                               void* workspace, size_t workspace_bytes, const void* beta, void* y_is, void* y);
  Status (*ConvolutionBiasActivationForward)(void* handle, const void* alpha1, void* x_is, const void* x, void* w_is, const void* w, void* convolution,
                                             int algorithm, void* workspace, size_t workspace_bytes, const void* alpha2, void* z_is, const void* z,
                                             void* bias_is, const void* bias, void* activation, void* y_is, void* y);
  Status (*GetConvolutionBackwardFilterWorkspaceSize)(void* handle, void* x, void* dy, void* convolution, void* dw, int algorithm, size_t* bytes);
  Status (*ConvolutionBackwardFilter)(void* handle, const void* alpha, void* x_is, const void* x, void* dy_is, const void* dy, void* convolution, int algorithm,
                                      void* workspace, size_t workspace_bytes, const void* beta, void* dw_is, void* dw);
};

}  // namespace cudnn
}  // namespace kcc
