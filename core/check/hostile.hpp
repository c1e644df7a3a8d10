/// Payloads that an operator may refuse but must survive: the right type with odd content, or another type.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "stream/payload.hpp"
#include "stream/value.hpp"

namespace stream::laws {

/// Odd contents are numbered, and there are fewer than this of each type: null when there is none of that
/// number. `name` becomes what it is, for people.
inline constexpr std::size_t kHostilePayloads = 14;

std::shared_ptr<const Payload> hostile_audio(std::size_t number, const Audio& like, std::string& name);
std::shared_ptr<const Payload> hostile_text(std::size_t number, std::string& name);
/// `like`: its members are given odd values.
std::shared_ptr<const Payload> hostile_record(std::size_t number, const Object& like, std::string& name);
std::shared_ptr<const Payload> hostile_frame(std::size_t number, PixelFormat format, DType depth,
                                             std::string& name);
std::shared_ptr<const Payload> hostile_tensor(std::size_t number, DType type, std::string& name);

/// Nothing is wrong with it but its type.
std::shared_ptr<const Payload> plain_payload(PayloadType type);

}  // namespace stream::laws
