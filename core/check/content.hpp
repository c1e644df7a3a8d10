/// What a reader finds behind its path: made up by the type that it delivers.
#pragma once

#include <optional>
#include <string>

#include "check/model.hpp"

namespace stream::laws {

/// Bytes of lines, JSON Lines, WAV or anything, as the type wants; none for types without a plain format.
std::optional<Feed> content_for(PayloadType type, const Shape& shape);
/// The same content, `times` as long.
std::optional<Feed> longer_content_for(PayloadType type, const Shape& shape, std::size_t times);
/// The content cut short, with flipped bits, with bytes put in or left out, or noise. `how` says which.
Feed damaged(const Feed& feed, Random& random, std::string& how);

}  // namespace stream::laws
