/// Payloads made up from small numbers: the same numbers, the same payload.
#pragma once

#include <cstdint>
#include <memory>

#include "check/shapes.hpp"
#include "stream/payload.hpp"
#include "stream/random.hpp"
#include "stream/value.hpp"

namespace stream::laws {

/// Kinds of values that a member may need; the order in which they are tried.
enum ValueKind : int { kString, kInteger, kNumber, kBoolean, kList, kNested, kValueKinds };

Value value_of(int kind, Random& random);
std::string text_of(const Mark& mark);
Buffer random_bytes(std::size_t size, Random& random);
/// `count` elements of the type with values that are numbers.
Buffer elements(DType type, std::size_t count, Random& random);
Frame frame_of(int width, int height, PixelFormat format, DType depth, Random& random);
/// The sample at this position of the stream, whatever packet it comes in.
float sample_at(int kind, std::int64_t position, int channel);

/// Another payload of the same type and length.
std::shared_ptr<const Payload> other_payload(const Payload& payload, Random& random);

}  // namespace stream::laws
