#include "llm/block_store.hpp"

#include <algorithm>
#include <filesystem>

#include "hdf5/archive_file.hpp"
#include "stream/error.hpp"

namespace stream::llm {

BlockStore::BlockStore(const ModelConfig& config, std::int64_t length, std::string folder, std::string owner,
                       std::int64_t working_set)
    : config_(config),
      length_(length),
      folder_(std::move(folder)),
      owner_(std::move(owner)),
      working_set_(working_set),
      counts_(static_cast<std::size_t>(config.layers)),
      in_files_(counts_.size()),
      held_(counts_.size()),
      recent_(counts_.size()) {
  if (working_set_ < 1) throw bad_recipe("a working set of no blocks");
}

std::string BlockStore::path(std::int64_t layer, std::int64_t block) const {
  return folder_ + "/layer-" + std::to_string(layer) + "/block-" + std::to_string(block) + ".h5";
}

void BlockStore::append(std::int64_t layer, KvBlock block) {
  const auto l = static_cast<std::size_t>(layer);
  if (folder_.empty() || forked_) {
    held_[l].push_back(std::make_shared<const KvBlock>(std::move(block)));
    ++counts_[l];
    return;
  }
  const std::string file = path(layer, counts_[l]);
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(file).parent_path(), error);
  if (error) throw cannot_write(file + ": " + error.message());
  Archive archive;
  const std::vector<std::int64_t> shape{config_.kv_heads, length_, config_.head_dim};
  archive.set("owner", owner_);
  archive.set("layer", layer);
  archive.set("block", counts_[l]);
  archive.set("keys", Tensor::of(std::move(block.keys), shape));
  archive.set("values", Tensor::of(std::move(block.values), shape));
  write_archive(file, archive);
  ++counts_[l];
  ++in_files_[l];
}

std::shared_ptr<const KvBlock> BlockStore::get(std::int64_t layer, std::int64_t block) {
  const auto l = static_cast<std::size_t>(layer);
  ++reads_;
  if (block >= in_files_[l]) return held_[l].at(static_cast<std::size_t>(block - in_files_[l]));
  auto& recent = recent_[l];
  for (auto it = recent.begin(); it != recent.end(); ++it)
    if (it->block == block) {
      Recent found = std::move(*it);
      recent.erase(it);
      recent.push_front(std::move(found));
      return recent.front().data;
    }
  ++misses_;
  const std::string file = path(layer, block);
  const Archive archive = read_archive(file);
  auto data = std::make_shared<KvBlock>();
  try {
    if (archive.get<std::string>("owner") != owner_ || archive.get<std::int64_t>("layer") != layer ||
        archive.get<std::int64_t>("block") != block)
      throw bad_data("a block of another model or place");
    data->keys = archive.get<std::vector<float>>("keys");
    data->values = archive.get<std::vector<float>>("values");
    if (data->keys.size() != block_floats() || data->values.size() != block_floats())
      throw bad_data("a block of another size");
  } catch (const Error& e) {
    throw e.within(file);
  }
  // Room first: the working set is never above its limit, not even for a moment.
  while (static_cast<std::int64_t>(recent.size()) >= working_set_) recent.pop_back();
  recent.push_front({block, std::move(data)});
  largest_ = std::max(largest_, working_set_bytes());
  return recent.front().data;
}

std::size_t BlockStore::working_set_bytes() const {
  std::size_t sum = 0;
  for (const auto& layer : recent_)
    for (const Recent& r : layer) sum += r.data->bytes();
  return sum;
}

std::size_t BlockStore::resident_bytes() const {
  std::size_t sum = working_set_bytes();
  for (const auto& layer : held_)
    for (const auto& block : layer) sum += block->bytes();
  return sum;
}

BlockStore BlockStore::fork() const {
  BlockStore other = *this;
  other.forked_ = true;
  return other;
}

void BlockStore::save(Archive& group) const {
  group.set("counts", counts_);
  group.set("in_files", in_files_);
  for (std::size_t l = 0; l < held_.size(); ++l) {
    KvBlock all;
    for (const auto& block : held_[l]) {
      all.keys.insert(all.keys.end(), block->keys.begin(), block->keys.end());
      all.values.insert(all.values.end(), block->values.begin(), block->values.end());
    }
    group.set("keys_" + std::to_string(l), all.keys);
    group.set("values_" + std::to_string(l), all.values);
  }
}

void BlockStore::load(const Archive& group) {
  counts_ = group.get<std::vector<std::int64_t>>("counts");
  in_files_ = group.get<std::vector<std::int64_t>>("in_files");
  if (counts_.size() != held_.size() || in_files_.size() != held_.size())
    throw bad_data("the saved blocks are those of another model");
  const std::size_t n = block_floats();
  for (std::size_t l = 0; l < held_.size(); ++l) {
    const auto keys = group.get<std::vector<float>>("keys_" + std::to_string(l));
    const auto values = group.get<std::vector<float>>("values_" + std::to_string(l));
    const auto blocks = static_cast<std::int64_t>(keys.size() / n);
    if (keys.size() % n != 0 || values.size() != keys.size() || in_files_[l] < 0 ||
        counts_[l] != in_files_[l] + blocks)
      throw bad_data("the saved blocks are not as many as they are said to be");
    if (in_files_[l] > 0 && folder_.empty())
      throw bad_data("the saved blocks lie in files; name their folder");
    held_[l].clear();
    for (std::size_t at = 0; at < keys.size(); at += n)
      held_[l].push_back(
          std::make_shared<const KvBlock>(KvBlock{{keys.begin() + static_cast<std::ptrdiff_t>(at),
                                                   keys.begin() + static_cast<std::ptrdiff_t>(at + n)},
                                                  {values.begin() + static_cast<std::ptrdiff_t>(at),
                                                   values.begin() + static_cast<std::ptrdiff_t>(at + n)}}));
    recent_[l].clear();
  }
}

}  // namespace stream::llm
