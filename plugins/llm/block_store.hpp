/// Keys and values of blocks of tokens that have left the local window: in memory, or on disk, a file of HDF5
/// for each layer and block.
///
/// A block never changes once it is written. Files are written whole, beside their place and renamed into it,
/// so a crash leaves a block or none; what a checkpoint counts is there, and what came after it is written
/// again, the same.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "llm/model_config.hpp"

namespace stream::llm {

/// [kv_heads, length, head_dim] each.
struct KvBlock {
  std::vector<float> keys, values;
  std::size_t bytes() const { return (keys.size() + values.size()) * sizeof(float); }
};

class BlockStore {
 public:
  /// `folder`: where blocks go, made when the first is written; empty: memory. `owner` names the model, and
  /// is checked when a block is read. `working_set`: blocks of each layer, 1 or more, that are held in memory
  /// beside the files.
  BlockStore(const ModelConfig& config, std::int64_t length, std::string folder, std::string owner,
             std::int64_t working_set);

  /// The next block of a layer. Throws Error(kCannotWrite).
  void append(std::int64_t layer, KvBlock block);
  /// Throws Error(kNoInput) or Error(kBadData) for a file that is gone, damaged, or of another stream's
  /// shape. Holds as long as the pointer does; the store itself forgets the least recently used one.
  std::shared_ptr<const KvBlock> get(std::int64_t layer, std::int64_t block);
  std::int64_t size(std::int64_t layer) const { return counts_[static_cast<std::size_t>(layer)]; }
  bool on_disk() const { return !folder_.empty(); }

  std::int64_t reads() const { return reads_; }
  std::int64_t misses() const { return misses_; }  ///< reads that went to a file
  /// Bytes held in memory, and of those what the working set holds.
  std::size_t resident_bytes() const;
  std::size_t working_set_bytes() const;
  std::size_t largest_working_set() const { return largest_; }

  /// The same blocks; what either appends from now on is its own, in memory.
  BlockStore fork() const;
  /// Blocks in memory are saved, those in files counted.
  void save(Archive& group) const;
  void load(const Archive& group);

 private:
  struct Recent {
    std::int64_t block;
    std::shared_ptr<const KvBlock> data;
  };
  std::string path(std::int64_t layer, std::int64_t block) const;
  std::size_t block_floats() const {
    return static_cast<std::size_t>(config_.kv_heads * length_ * config_.head_dim);
  }
  ModelConfig config_;
  std::int64_t length_;
  std::string folder_, owner_;
  std::int64_t working_set_;
  std::vector<std::int64_t> counts_;
  std::vector<std::int64_t> in_files_;  ///< of a layer: the first so many are in files, the rest in memory
  std::vector<std::vector<std::shared_ptr<const KvBlock>>> held_;
  std::vector<std::deque<Recent>> recent_;  ///< the newest in front
  std::int64_t reads_ = 0, misses_ = 0;
  std::size_t largest_ = 0;
  bool forked_ = false;
};

}  // namespace stream::llm
