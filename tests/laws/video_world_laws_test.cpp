/// The laws for made-up videos.
#include <gmock/gmock.h>

#include "laws.hpp"
#include "video_world/clip_source.hpp"
#include "video_world/world_source.hpp"

namespace stream::video_world {
namespace {

template <typename Op>
auto source(stream::Object params) {
  return [params = std::move(params)] {
    auto op = testing::make<Op>(params, {.seed = 3});
    return std::unique_ptr<Source>(dynamic_cast<Source*>(op.release()));
  };
}

TEST(Laws, VideoWorldClip) {
  for (const std::string& clip : clip_names())
    laws::resuming_a_source_is_exact(
        source<ClipSource>({{"clip", clip}, {"frames", 9}, {"width", 32}, {"height", 20}}));
}

TEST(Laws, VideoWorldScenes) {
  for (int level = 0; level <= 4; ++level)
    laws::resuming_a_source_is_exact(source<WorldSource>({{"seconds", 20}, {"level", level}, {"size", 16}}),
                                     2);
}

}  // namespace
}  // namespace stream::video_world
