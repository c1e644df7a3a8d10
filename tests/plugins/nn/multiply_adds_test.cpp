#include "nn/multiply_adds.hpp"

#include <gtest/gtest.h>

#include "nn/blocks.hpp"
#include "nn/device.hpp"

namespace stream::nn {
namespace {

std::int64_t counted(const std::function<void()>& f) {
  return inference([&] {
    const MultiplyAdds adds;
    f();
    return adds.count();
  });
}

at::Tensor random(at::IntArrayRef shape) { return torch::empty(shape).uniform_(-1, 1, generator(1)); }

TEST(MultiplyAdds, ProductsCountTheirShapes) {
  const at::Tensor a = random({3, 5}), b = random({5, 7}), many = random({2, 4, 3, 5});
  EXPECT_EQ(counted([&] { a.matmul(b); }), 3 * 7 * 5);
  EXPECT_EQ(counted([&] { many.matmul(random({2, 4, 5, 6})); }), 2 * 4 * 3 * 6 * 5);
  EXPECT_EQ(counted([&] { many.matmul(b); }), 2 * 4 * 3 * 7 * 5);
  EXPECT_EQ(counted([&] { a.matmul(random({5})); }), 3 * 5);
  EXPECT_EQ(counted([&] { random({5}).dot(random({5})); }), 5);
}

TEST(MultiplyAdds, LayersWithAndWithoutBias) {
  for (const bool bias : {false, true}) {
    const Linear layer(6, 4, generator(2), bias);
    for (const auto& shape : {std::vector<std::int64_t>{6}, {3, 6}, {1, 3, 6}, {2, 3, 6}}) {
      const at::Tensor x = random(shape);
      EXPECT_EQ(counted([&] { layer.forward(x); }), x.numel() * 4) << bias << ' ' << x.sizes();
    }
  }
  const CausalDepthwiseConv1d depthwise(6, 3, generator(3));
  EXPECT_EQ(counted([&] { depthwise.forward(random({1, 2 + 5, 6})); }), 5 * 6 * 3);
}

TEST(MultiplyAdds, ConvolutionsCountPaddingStrideAndGroups) {
  const at::Tensor x = random({1, 4, 11, 9});  // 3x3, stride 2: 5 x 4 outputs
  EXPECT_EQ(counted([&] { at::conv2d(x, random({6, 4, 3, 3}), {}, 2); }), 6 * 5 * 4 * (4 * 3 * 3));
  EXPECT_EQ(counted([&] { at::conv2d(x, random({6, 4, 1, 1})); }), 6 * 11 * 9 * 4);
  EXPECT_EQ(counted([&] {
              at::conv2d(x, random({4, 1, 3, 3}), {}, at::IntArrayRef{2, 2}, at::IntArrayRef{1, 1},
                         at::IntArrayRef{1, 1}, /*groups=*/4);
            }),
            4 * 6 * 5 * 9);
}

TEST(MultiplyAdds, OtherArithmeticIsNotCounted) {
  const at::Tensor x = random({3, 5});
  EXPECT_EQ(counted([&] {
              (x * 2.0 + x).softmax(-1).sum();
              at::layer_norm(x, {5}, torch::ones({5}), torch::zeros({5}));
              at::silu(x);
            }),
            0);
}

TEST(MultiplyAdds, ScopesAreCountedApartAndEndWithTheCounter) {
  const at::Tensor a = random({2, 2});
  inference([&] {
    {
      const MultiplyAdds adds;
      a.mm(a);
      {
        RECORD_USER_SCOPE("outer");
        a.mm(a);
        a.mm(a);
        {
          RECORD_USER_SCOPE("inner");
          a.mm(a);
        }
      }
      a.mm(a);
      EXPECT_EQ(adds.count(), 16);
      EXPECT_EQ(adds.within("outer"), 16);
      EXPECT_EQ(adds.within("inner"), 8);
      EXPECT_EQ(adds.within("none"), 0);
      EXPECT_THROW(MultiplyAdds(), std::logic_error);
    }
    a.mm(a);
    const MultiplyAdds next;
    EXPECT_EQ(next.count(), 0);
  });
}

}  // namespace
}  // namespace stream::nn
