/// video_world.clip: made-up video.
#pragma once

#include "stream/plugin.hpp"
#include "video_world/clips.hpp"
#include "video_world/scene.hpp"

namespace stream::video_world {

class ClipSource final : public Source {
 public:
  static Spec spec() {
    return Spec{"video_world.clip", "Made-up video whose parts are hard to enlarge in different ways."}
        .output<Frame>("out", "RGB, 8 bits")
        .param("clip", "mixed",
               "mixed: fractal, cellular automaton, test pattern and gradient in one frame, with moving "
               "borders; cut: "
               "three of them one after the other; talk: a still background, a small moving region of "
               "detail, text; "
               "world: shapes that move in changing places",
               choices({"mixed", "cut", "talk", "world"}))
        .param("frames", 90, "how many", range(1, 1e6))
        .param("width", 320, "of a frame", range(16, 4096), unit("pixels"))
        .param("height", 192, "of a frame", range(16, 4096), unit("pixels"))
        .param("rate", 30, "frames per second", range(1, 1000))
        .param("video_seed", -1, "what differs from clip to clip of a kind; -1: the run's seed", at_least(-1))
        .about(
            "Every frame is a function of the seed and its number, in integers, or in products and sums of "
            "doubles for "
            "the fractal: the same on every machine. Nothing is downloaded, and another seed is another "
            "clip.")
        .contract({.order = Order::kStateful})
        .example("Two seconds of test video",
                 "[nodes.clip]\nuse    = \"video_world.clip\"\nframes = 20\nwidth  = 64\nheight = 48\n\n"
                 "[nodes.yuv]\nuse    = \"video.convert\"\nfrom   = \"clip\"\nformat = \"yuv420p\"\n\n"
                 "[nodes.out]\nuse  = \"video.write\"\nfrom = \"yuv\"\npath = \"-\"\n");
  }
  explicit ClipSource(const Params& p) : frames_(p.get<int>("frames")), rate_(p.get<int>("rate")) {
    const auto seed = p.get<std::int64_t>("video_seed");
    clip_ =
        make_clip(p.get<std::string>("clip"), seed < 0 ? p.context().seed : static_cast<std::uint64_t>(seed),
                  p.get<int>("width"), p.get<int>("height"), frames_);
  }
  bool read(Output& out) override {
    if (next_ >= frames_) return false;
    Packet packet = Packet::of<Frame>(duration_of(next_, rate_), clip_->frame(next_).frame());
    packet.duration = duration_of(next_ + 1, rate_) - packet.time;
    ++next_;
    out.emit(std::move(packet));
    return true;
  }
  double fraction() const override { return static_cast<double>(next_) / frames_; }
  void save(Archive& state) const override { state.set("next", next_); }
  void load(const Archive& state) override {
    next_ = state.get<int>("next");
    if (next_ < 0 || next_ > frames_) throw bad_data("the saved clip is at no frame of it");
  }

 private:
  int frames_, rate_, next_ = 0;
  std::unique_ptr<Clip> clip_;
};

}  // namespace stream::video_world
