/// image.write: frames as pictures.
#pragma once

#include "png.hpp"
#include "stream/file.hpp"
#include "stream/plugin.hpp"

namespace stream {

class ImageWrite final : public Sink {
 public:
  static Spec spec() {
    return Spec{"image.write", "Write frames as PNG pictures."}
        .input<Frame>("in")
        .path("path", nullptr,
              "file to write; with %d or %04d in it, a file for each frame with its number there, from 0 on")
        .param("frame", -1, "write this frame alone, counted from 0; -1: all, or the only one", at_least(-1))
        .about(
            "Samples of 8 bits, RGB or gray, are stored as they are; YUV becomes RGB by libswscale, deeper "
            "samples "
            "16 bits. Each picture appears whole or not at all. A path without a number takes one "
            "picture: a second one ends the run with exit code 65. A resumed run writes the pictures after "
            "its checkpoint "
            "again, the same bytes.")
        .contract({.order = Order::kStateful, .cost = Cost::kHeavy})
        .example("The first frame of a video",
                 "[nodes.in]\nuse  = \"video.read\"\npath = \"-\"\n\n"
                 "[nodes.out]\nuse   = \"image.write\"\nfrom  = \"in\"\npath  = \"first.png\"\nframe = 0\n");
  }

  explicit ImageWrite(const Params& p)
      : path_(p.get<std::string>("path")), only_(p.get<std::int64_t>("frame")) {
    const auto at = path_.find('%');
    if (at == std::string::npos) return;
    auto end = at + 1;
    while (end < path_.size() && std::isdigit(static_cast<unsigned char>(path_[end])) != 0) ++end;
    if (end - at > 3 || end == path_.size() || path_[end] != 'd' || path_.find('%', end) != std::string::npos)
      throw bad_recipe("path = \"" + path_ + "\": expected one number in it, as %d or %04d");
    digits_ = end - at == 1 ? 0 : std::stoul(path_.substr(at + 1, end - at - 1));
    before_ = path_.substr(0, at);
    after_ = path_.substr(end + 1);
    numbered_ = true;
  }

  void process(Packet in, Output&) override {
    const std::int64_t number = frames_;
    if (only_ >= 0 && number != only_) {
      ++frames_;
      return;
    }
    if (!numbered_ && only_ < 0 && number > 0)
      throw bad_data(path_ + " takes one picture, and here comes frame " + std::to_string(number) +
                     ": put %d into the path, or say which frame");
    in.as<Frame>();
    write_atomically(name_of(number), png_.encode(std::static_pointer_cast<const Frame>(in.payload)));
    ++frames_;
  }
  void flush() override {}
  void sync() override {}
  void save(Archive& state) const override { state.set("frames", frames_); }
  void load(const Archive& state) override { frames_ = state.get<std::int64_t>("frames"); }

 private:
  std::string name_of(std::int64_t number) const {
    if (!numbered_) return path_;
    std::string text = std::to_string(number);
    if (text.size() < digits_) text.insert(0, digits_ - text.size(), '0');
    return before_ + text + after_;
  }

  std::string path_, before_, after_;
  std::int64_t only_;
  std::size_t digits_ = 0;
  bool numbered_ = false;
  PngEncoder png_;
  std::int64_t frames_ = 0;
};

}  // namespace stream
