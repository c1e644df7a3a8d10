/// What a frame costs in memory on its way from reader to writer: nothing but bookkeeping.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "video_convert.hpp"
#include "video_files.hpp"

namespace {
std::atomic<std::size_t> allocated = 0;

void* counted(std::size_t size, std::size_t alignment) {
  allocated += size;
  void* const memory = alignment <= alignof(std::max_align_t)
                           ? std::malloc(size)
                           : std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
}  // namespace

void* operator new(std::size_t size) { return counted(size, 1); }
void* operator new(std::size_t size, std::align_val_t a) {
  return counted(size, static_cast<std::size_t>(a));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

namespace stream {
namespace {

/// Hands each frame to a converter that has nothing to do, and on to a writer, as a fused chain does.
class Chain final : public Output {
 public:
  Chain(Operator& convert, Operator& write) : convert_(convert), write_(write) {}
  bool unused(std::size_t) const override { return false; }
  std::size_t frames = 0;
  bool same = true;  ///< the frame that comes out of the converter is the one that went in

 protected:
  void put(std::size_t, Packet&& packet) override {
    if (inside_) {
      same = same && packet.payload.get() == sent_;
      write_.process(std::move(packet), *this);
      return;
    }
    inside_ = true;
    sent_ = packet.payload.get();
    convert_.process(std::move(packet), *this);
    inside_ = false;
    ++frames;
  }
  void mark(std::size_t, Time) override {}

 private:
  Operator &convert_, &write_;
  const Payload* sent_ = nullptr;
  bool inside_ = false;
};

TEST(Memory, AFrameIsNeverCopiedBetweenOperators) {
  constexpr int kFrames = 40, kWarm = 10;
  const FrameLayout layout{640, 360, PixelFormat::kYuv420};
  const laws::ScratchFile in(written(moving(layout, kFrames), {}, ".y4m"), ".y4m"), out("", ".y4m");
  const auto read = testing::make<VideoRead>({{"path", in.path()}});
  const auto convert = testing::make<VideoConvert>({{"format", "yuv420p"}});
  const auto write = testing::make<VideoWrite>({{"path", out.path()}});
  auto& source = dynamic_cast<Source&>(*read);
  Chain chain(*convert, *write);
  while (chain.frames < kWarm) ASSERT_TRUE(source.read(chain));
  const std::size_t before = allocated;
  while (source.read(chain)) {
  }
  const std::size_t for_each = (allocated - before) / (kFrames - kWarm);
  RecordProperty("bytes_allocated_for_each_frame", static_cast<int>(for_each));
  std::printf("%zu bytes allocated for each frame of %zu bytes\n", for_each, layout.bytes());
  EXPECT_TRUE(chain.same);
  EXPECT_LT(for_each, 2048u);
}

}  // namespace
}  // namespace stream
