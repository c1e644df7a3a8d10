#include "nn/weights.hpp"

#include <gtest/gtest.h>

#include "nn/blocks.hpp"
#include "nn/device.hpp"
#include "nn/tensor_view.hpp"
#include "stream/error.hpp"

namespace stream::nn {
namespace {

TEST(TensorView, SharesMemoryBothWays) {
  const Tensor tensor = Tensor::of(std::vector<float>{1, 2, 3, 4, 5, 6}, {2, 3});
  const at::Tensor seen = view(tensor);
  EXPECT_EQ(seen.data_ptr(), static_cast<const void*>(tensor.buffer().data()));
  EXPECT_EQ(seen[1][0].item<float>(), 4);
  const Tensor back = payload(seen);
  EXPECT_EQ(back.buffer().data(), tensor.buffer().data());
  const Tensor apart = snapshot(seen);
  EXPECT_NE(apart.buffer().data(), tensor.buffer().data());
}

TEST(Weights, ComeBackAndNameWhatIsWrong) {
  Linear one(3, 2, generator(1)), other(3, 2, generator(2));
  Archive group;
  save_weights(one, group);
  load_weights(other, group);
  EXPECT_TRUE(at::equal(one.weight, other.weight));
  Linear larger(4, 2, generator(1));
  try {
    load_weights(larger, group);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kBadData);
    EXPECT_NE(std::string(error.what()).find("'weight' has the shape [2, 3], expected [2, 4]"),
              std::string::npos);
  }
  Archive empty;
  EXPECT_THROW(load_weights(other, empty), Error);
  group.set("wieght", Tensor::of(std::vector<float>{1}, {1}));
  EXPECT_THROW(load_weights(other, group), Error);
}

TEST(Device, UnknownNamesAreRefused) {
  EXPECT_EQ(device("cpu"), torch::Device(torch::kCPU));
  for (const char* name : {"gpu", "cuda:", "cuda:x", "cuda:99999"}) EXPECT_THROW(device(name), Error) << name;
}

}  // namespace
}  // namespace stream::nn
