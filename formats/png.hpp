/// Pictures as the bytes of a PNG file.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "libav.hpp"

namespace stream {

class PngEncoder {
 public:
  /// 8 bits stay 8, more become 16; gray stays gray, all else becomes RGB.
  std::string encode(const std::shared_ptr<const Frame>& frame);

 private:
  libav::ScalerPtr scaler_;
  FrameLayout made_for_;
  libav::CodecPtr codec_;
};

}  // namespace stream
