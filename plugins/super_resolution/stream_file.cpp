#include "super_resolution/stream_file.hpp"

#include <zlib.h>

#include <algorithm>
#include <cstring>

#include "stream/error.hpp"
#include "super_resolution/label_map.hpp"

namespace stream::super_resolution {
namespace {

constexpr std::string_view kMagic = "STREAMSR";
constexpr std::uint32_t kVersion = 1;
constexpr std::uint32_t kHeader = 1, kModel = 2, kLabels = 3, kEnd = 4;
/// The largest model there may be has 256 features and 64 blocks: half a gigabyte. Records are read in pieces
/// of this size, so that a length that is not borne out costs no memory.
constexpr std::size_t kLargest = std::size_t{1} << 30, kPiece = 1 << 16;
constexpr std::int64_t kMostFrames = 4096;  ///< described by one record
constexpr std::size_t kMostLabels = std::size_t{1} << 26;

template <typename T>
void put(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}
template <typename T>
T take(std::string_view& bytes) {
  if (bytes.size() < sizeof(T)) throw bad_data("a record that ends too early");
  T value;
  std::memcpy(&value, bytes.data(), sizeof value);
  bytes.remove_prefix(sizeof value);
  return value;
}

std::uint32_t digest(std::string_view bytes) {
  return static_cast<std::uint32_t>(
      ::crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size())));
}

std::string record(std::uint32_t kind, std::string_view content) {
  std::string out;
  put(out, kind);
  put(out, static_cast<std::uint32_t>(content.size()));
  out += content;
  put(out, digest(out));
  return out;
}

StreamHeader parse_header(std::string_view content) {
  const auto version = take<std::uint32_t>(content);
  if (version != kVersion)
    throw bad_data("a stream file of version " + std::to_string(version) + ", expected " +
                   std::to_string(kVersion));
  const auto number = [&](std::uint32_t most, const char* what) {
    const auto value = take<std::uint32_t>(content);
    if (value > most)
      throw bad_data(std::string(what) + " of " + std::to_string(value) + ", expected at most " +
                     std::to_string(most));
    return static_cast<int>(value);
  };
  StreamHeader h;
  h.grid.width = number(32768, "a width");
  h.grid.height = number(32768, "a height");
  h.shape.scale = number(4, "a scale");
  h.grid.columns = number(32768, "columns");
  h.grid.rows = number(32768, "rows");
  h.models = number(256, "a number of models");
  h.shape.features = number(256, "features");
  h.shape.blocks = number(64, "blocks");
  h.shape.expansion = number(16, "an expansion");
  h.halo = static_cast<Halo>(number(1, "a halo"));
  h.precision = static_cast<Precision>(number(2, "a precision"));
  h.rate_num = take<std::uint32_t>(content);
  h.rate_den = take<std::uint32_t>(content);
  h.method = content;
  if (const std::string fault = h.shape.fault(); !fault.empty()) throw bad_data(fault);
  if (h.models < 1 || h.rate_num < 1 || h.rate_den < 1)
    throw bad_data("a header without models or frame rate");
  if (h.grid.width < 1 || h.grid.height < 1) throw bad_data("a header without a size");
  try {
    h.grid.check();
  } catch (const Error& e) {
    throw bad_data(e.what());
  }
  return h;
}

}  // namespace

std::string begin_bytes(const StreamHeader& h) {
  std::string content;
  put(content, kVersion);
  for (const int value :
       {h.grid.width, h.grid.height, h.shape.scale, h.grid.columns, h.grid.rows, h.models, h.shape.features,
        h.shape.blocks, h.shape.expansion, static_cast<int>(h.halo), static_cast<int>(h.precision),
        static_cast<int>(h.rate_num), static_cast<int>(h.rate_den)})
    put(content, static_cast<std::uint32_t>(value));
  content += h.method;
  return std::string(kMagic) + record(kHeader, content);
}

std::string model_bytes(int number, const Weights& weights, Precision precision) {
  std::string content;
  put(content, static_cast<std::uint32_t>(number));
  content += weights.bytes(precision);
  return record(kModel, content);
}

std::string labels_bytes(const StreamHeader& header, std::int64_t first, const std::vector<Labels>& frames) {
  std::string out;
  for (std::size_t at = 0; at < frames.size(); at += kMostFrames) {
    const auto begin = frames.begin() + static_cast<std::ptrdiff_t>(at);
    const std::vector<Labels> part(
        begin, begin + static_cast<std::ptrdiff_t>(std::min<std::size_t>(kMostFrames, frames.size() - at)));
    std::string content;
    put(content, static_cast<std::uint64_t>(first) + at);
    put(content, static_cast<std::uint32_t>(part.size()));
    content += encode_labels(part, header.grid.columns, header.models);
    out += record(kLabels, content);
  }
  return out;
}

std::string end_bytes(std::int64_t frames) {
  std::string content;
  put(content, static_cast<std::uint64_t>(frames));
  return record(kEnd, content);
}

Error StreamFile::wrong(const std::string& what) const {
  return bad_data(in_.name() + ": byte " + std::to_string(record_at_) + ": " + what);
}

void StreamFile::read_all(char* to, std::size_t size, const char* what) {
  for (std::size_t got = 0; got < size;) {
    const auto [status, n] = in_.read({reinterpret_cast<std::byte*>(to) + got, size - got});
    if (status == InputFile::Status::kEnd)
      throw wrong(in_.offset() == 0 ? "empty: expected a stream file of superres.train"
                                    : std::string("the file ends inside ") + what);
    got += n;
  }
}

StreamFile::RecordBytes StreamFile::next() {
  record_at_ = static_cast<std::int64_t>(in_.offset());
  char front[8];
  read_all(front, sizeof front, "a record");
  std::uint32_t kind = 0, length = 0;
  std::memcpy(&kind, front, 4);
  std::memcpy(&length, front + 4, 4);
  if (kind < kHeader || kind > kEnd || length > kLargest)
    throw wrong("no record of a stream file (kind " + std::to_string(kind) + ", " + std::to_string(length) +
                " bytes)");
  std::string all(front, sizeof front);
  for (std::size_t left = length; left > 0;) {
    const std::size_t part = std::min(left, kPiece), at = all.size();
    all.resize(at + part);
    read_all(all.data() + at, part, "a record");
    left -= part;
  }
  char back[4];
  read_all(back, sizeof back, "a record");
  std::uint32_t stated = 0;
  std::memcpy(&stated, back, 4);
  if (stated != digest(all)) throw wrong("wrong checksum: the record is damaged");
  return {kind, all.substr(sizeof front)};
}

const StreamHeader& StreamFile::header() {
  if (header_) return *header_;
  char magic[8];
  read_all(magic, sizeof magic, "its first eight bytes");
  if (std::string_view(magic, sizeof magic) != kMagic)
    throw wrong("no stream file of superres.train: expected 'STREAMSR'");
  const RecordBytes first = next();
  if (first.kind != kHeader) throw wrong("expected the header");
  try {
    header_ = parse_header(first.content);
  } catch (const Error& e) {
    throw wrong(e.what());
  }
  pending_.resize(static_cast<std::size_t>(header_->models));
  return *header_;
}

void StreamFile::take_model(std::string_view content) {
  const auto number = take<std::uint32_t>(content);
  if (number >= pending_.size())
    throw bad_data("model " + std::to_string(number) + " of " + std::to_string(pending_.size()));
  pending_[number] =
      std::make_shared<const Network>(Weights::read(header_->shape, header_->precision, content));
  changed_ = true;
}

void StreamFile::take_labels(std::string_view content) {
  const auto first = static_cast<std::int64_t>(take<std::uint64_t>(content));
  const auto count = static_cast<std::int64_t>(take<std::uint32_t>(content));
  const auto patches = static_cast<std::size_t>(header_->grid.patches());
  if (first != described_ || count < 1 || count > kMostFrames ||
      static_cast<std::size_t>(count) * patches > kMostLabels ||
      // A bit costs at least log2(2048 / 2017) bits: so few bytes cannot hold so many labels.
      static_cast<std::size_t>(count) * patches > (content.size() + 8) * 400)
    throw bad_data("labels of " + std::to_string(count) + " frames from " + std::to_string(first) +
                   " on, expected from " + std::to_string(described_) + " on");
  for (std::size_t i = 0; i < pending_.size(); ++i)
    if (!pending_[i]) throw bad_data("labels before model " + std::to_string(i));
  labels_ = decode_labels(content, static_cast<std::size_t>(count), patches, header_->grid.columns,
                          header_->models);
  first_ = first;
  described_ = first + count;
  if (changed_) {
    models_ = pending_;
    ++version_;
    changed_ = false;
  }
}

const Labels& StreamFile::labels(std::int64_t frame) {
  header();
  while (frame >= described_) {
    if (ended_)
      throw bad_data(in_.name() + ": describes " + std::to_string(described_) +
                     " frames, the video has a frame " + std::to_string(frame));
    const RecordBytes r = next();
    try {
      std::string_view content = r.content;
      if (r.kind == kModel) {
        take_model(content);
      } else if (r.kind == kLabels) {
        take_labels(content);
      } else if (r.kind == kEnd) {
        const auto frames = take<std::uint64_t>(content);
        if (frames != static_cast<std::uint64_t>(described_))
          throw bad_data("an end after " + std::to_string(frames) + " frames, " + std::to_string(described_) +
                         " were described");
        ended_ = true;
      } else {
        throw bad_data("a second header");
      }
    } catch (const Error& e) {
      throw wrong(e.what());
    }
  }
  if (frame < first_) throw wrong("frames are asked for in rising order");
  return labels_[static_cast<std::size_t>(frame - first_)];
}

}  // namespace stream::super_resolution
