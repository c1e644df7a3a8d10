/// Clips whose parts are hard to enlarge in different ways: fractals, cellular automata, test patterns,
/// gradients, text. A frame is a function of seed and number.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "video_world/picture.hpp"

namespace stream::video_world {

class Clip {
 public:
  virtual ~Clip() = default;
  virtual Picture frame(int number) const = 0;
};

/// "mixed": four kinds of content in one frame, whose borders move. "cut": three of them, a third of `frames`
/// each. "talk": a smooth background that stands still, a small region of detail that moves, and text.
/// "world": the synthetic video world at level D2. Throws Error(kBadRecipe) for another name.
std::unique_ptr<Clip> make_clip(const std::string& name, std::uint64_t seed, int width, int height,
                                int frames);
std::vector<std::string> clip_names();

}  // namespace stream::video_world
