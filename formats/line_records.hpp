/// Records of lines, many in one piece of memory: what a record costs is then its reference count.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <new>

#include "stream/payload.hpp"

namespace stream {

class LineRecords {
 public:
  /// A record of `json`, a part of `block`. Whoever keeps one record keeps the few that were made with it,
  /// and the block, which they all lie in.
  std::shared_ptr<const Record> make(const Buffer& block, std::string_view json) {
    if (!group_ || group_->full() || group_->block().data() != block.data())
      group_ = std::make_shared<Group>(block);
    const Record* made = group_->add(json);
    return {group_, made};
  }

 private:
  class Group {
   public:
    explicit Group(Buffer block) : block_(std::move(block)) {}
    Group(const Group&) = delete;
    Group& operator=(const Group&) = delete;
    ~Group() {
      while (count_ > 0) at(--count_)->~Record();
    }
    bool full() const { return count_ == kTogether; }
    const Buffer& block() const { return block_; }
    const Record* add(std::string_view json) {
      // The group owns the text; its records need no share of it each.
      const auto* bytes = reinterpret_cast<const std::byte*>(json.data());
      return new (&places_[sizeof(Record) * count_++]) Record(Buffer({}, bytes, json.size()));
    }

   private:
    static constexpr std::size_t kTogether = 32;
    Record* at(std::size_t i) {
      return std::launder(reinterpret_cast<Record*>(&places_[sizeof(Record) * i]));
    }
    Buffer block_;
    std::size_t count_ = 0;
    alignas(Record) std::array<std::byte, kTogether * sizeof(Record)> places_;
  };
  std::shared_ptr<Group> group_;
};

}  // namespace stream
