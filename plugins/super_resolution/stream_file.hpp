/// What goes with an LR video: models and the patch map, in one file or pipe that says what it is.
///
/// Eight bytes "STREAMSR", then records, numbers little-endian:
///
///     u32 kind, u32 length of the content, content, u32 CRC-32 of kind, length and content
///
/// kind 1, header, once, first: u32 version (1); u32 LR width, LR height, scale, columns, rows, models,
/// features,
///   blocks, expansion, halo (0 none, 1 full), precision (0 float32, 1 float16, 2 int8); u32 numerator and
///   denominator of the frame rate; then the name of the method, in UTF-8.
/// kind 2, model: u32 number; its weights, layer by layer (see network.hpp). Replaces an earlier one.
/// kind 3, labels: u64 number of the first frame; u32 frames; the coded map (see label_map.hpp).
/// kind 4, end, once, last: u64 frames in all.
///
/// Models come before the labels that need them, so that a player can follow a file that is still being
/// written.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "stream/error.hpp"
#include "stream/file.hpp"
#include "super_resolution/network.hpp"
#include "super_resolution/upscaler.hpp"

namespace stream::super_resolution {

struct StreamHeader {
  PatchGrid grid;
  WdsrShape shape;
  int models = 1;
  Halo halo = Halo::kNone;
  Precision precision = Precision::kFloat16;
  std::int64_t rate_num = 30, rate_den = 1;
  std::string method;
};

/// Records as bytes; what writes a file or feeds a pipe.
std::string begin_bytes(const StreamHeader& header);
std::string model_bytes(int number, const Weights& weights, Precision precision);
std::string labels_bytes(const StreamHeader& header, std::int64_t first, const std::vector<Labels>& frames);
std::string end_bytes(std::int64_t frames);

/// Reads forward, record by record: memory for the models and one record.
class StreamFile {
 public:
  explicit StreamFile(std::string path) : in_(std::move(path)) {}
  /// The first record. Throws Error(kBadData) that names byte and fault for whatever is wrong, here and
  /// below.
  const StreamHeader& header();
  /// Labels of a frame, and the models that it needs; frames are asked for in rising order. Throws when the
  /// file describes fewer.
  const Labels& labels(std::int64_t frame);
  /// Those that the newest labels are for. Changes when `version` does.
  const std::vector<std::shared_ptr<const Network>>& models() const { return models_; }
  std::int64_t version() const { return version_; }
  const std::string& name() const { return in_.name(); }

 private:
  struct RecordBytes {
    std::uint32_t kind;
    std::string content;
  };
  RecordBytes next();
  void read_all(char* to, std::size_t size, const char* what);
  Error wrong(const std::string& what) const;
  void take_model(std::string_view content);
  void take_labels(std::string_view content);

  InputFile in_;
  std::optional<StreamHeader> header_;
  std::vector<std::shared_ptr<const Network>> pending_, models_;
  std::int64_t version_ = 0, record_at_ = 0;
  std::int64_t first_ = 0, described_ = 0;  ///< frames of labels_, and those before and with it
  bool changed_ = false, ended_ = false;
  std::vector<Labels> labels_;
};

}  // namespace stream::super_resolution
