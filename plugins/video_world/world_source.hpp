/// video_world.scenes: the synthetic video world, with a log of what happens in it.
#pragma once

#include "stream/plugin.hpp"
#include "video_world/scene.hpp"

namespace stream::video_world {

class WorldSource final : public Source {
 public:
  static Spec spec() {
    return Spec{"video_world.scenes",
                "Shapes that move in changing places, and an exact log of what they do."}
        .output<Frame>("out", "RGB, 8 bits, square")
        .output<Record>(
            "events", "{\"t0\", \"t1\", \"type\", \"a\", \"arg\", \"scene\"}, ticks of 1/8 s, when it begins")
        .param("seconds", 60, "length", range(1, 36000), unit("s"))
        .param("size", 64, "width and height", range(16, 2048), unit("pixels"))
        .param("level", 2, "how much there is and happens: 0 (two objects, no noise) to 4", range(0, 4))
        .param("every", 4, "ticks from frame to frame: 1 is 8 frames a second, 4 is 2", range(1, 64))
        .param("split", "train", "what the video is for; no two splits share one",
               choices({"train", "val", "test", "comp", "long", "ood"}))
        .param("index", 0, "which video of the split", at_least(0))
        .about(
            "Integer arithmetic alone, and every tick can be painted without those before it. Of the world's "
            "events, "
            "there are moves, bounces, spins, growing and shrinking, blinking, changes of colour and of "
            "scene.")
        .contract({.order = Order::kStateful})
        .example("A video and its log",
                 "[nodes.world]\nuse     = \"video_world.scenes\"\nseconds = 5\n\n"
                 "[nodes.yuv]\nuse    = \"video.convert\"\nfrom   = \"world\"\nformat = \"yuv444p\"\n\n"
                 "[nodes.video]\nuse  = \"video.write\"\nfrom = \"yuv\"\npath = \"world.y4m\"\n\n"
                 "[nodes.log]\nuse  = \"jsonl.write\"\nfrom = \"world.events\"\npath = \"-\"\n");
  }
  explicit WorldSource(const Params& p)
      : size_(p.get<int>("size")),
        every_(p.get<std::int64_t>("every")),
        world_(video_seed(p.context().seed, split_of(p.get<std::string>("split")), 0,
                          static_cast<std::uint64_t>(p.get<std::int64_t>("index"))),
               p.get<int>("level"), kTicks * p.get<std::int64_t>("seconds")) {}

  bool read(Output& out) override {
    if (tick_ >= world_.ticks()) return false;
    const auto& events = world_.events();
    for (; logged_ < events.size() && events[logged_].begin < tick_ + every_; ++logged_) {
      const Event& e = events[logged_];
      out.emit(1, Packet::of<Record>(duration_of(e.begin, kTicks), stream::Object{{"t0", e.begin},
                                                                                  {"t1", e.end},
                                                                                  {"type", name_of(e.kind)},
                                                                                  {"a", e.object},
                                                                                  {"arg", e.amount},
                                                                                  {"scene", e.scene}}));
    }
    Packet packet = Packet::of<Frame>(duration_of(tick_, kTicks), world_.render(tick_, size_).frame());
    packet.duration = duration_of(tick_ + every_, kTicks) - packet.time;
    tick_ += every_;
    out.emit(std::move(packet));
    return true;
  }
  double fraction() const override {
    return static_cast<double>(tick_) / static_cast<double>(world_.ticks());
  }
  void save(Archive& state) const override {
    state.set("tick", tick_);
    state.set("logged", static_cast<std::uint64_t>(logged_));
  }
  void load(const Archive& state) override {
    tick_ = state.get<std::int64_t>("tick");
    logged_ = state.get<std::uint64_t>("logged");
    if (tick_ < 0 || logged_ > world_.events().size()) throw bad_data("the saved world is at no tick of it");
  }

 private:
  static Split split_of(const std::string& name) {
    constexpr const char* kNames[] = {"train", "val", "test", "comp", "long", "ood"};
    for (int i = 0; i < 6; ++i)
      if (name == kNames[i]) return static_cast<Split>(i + 1);
    return Split::kTrain;
  }
  int size_;
  std::int64_t every_;
  World world_;
  std::int64_t tick_ = 0;
  std::size_t logged_ = 0;
};

}  // namespace stream::video_world
