/// Python's pickles as data. A pickle is a program for a small machine that may import and call anything;
/// this one knows numbers, texts, tuples, lists and dictionaries, and a list of names that its caller gives.
/// What such a name would be called with is kept beside it, and nothing is ever called.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stream {

class Pickle {
 public:
  struct Node;
  struct Value {
    enum class Kind : std::uint8_t {
      kNone,
      kBoolean,
      kInteger,
      kFloat,
      kText,
      kName,        ///< "module.name"
      kTuple,       ///< of `node`
      kList,        ///< of `node`
      kDictionary,  ///< key, value, key, value ... of `node`
      kCall,        ///< of the callee of `node`, with the tuple that is its one value
      kPersistent,  ///< what the one value of `node` stands for lies outside of the pickle
    };
    Kind kind = Kind::kNone;
    std::uint32_t size = 0;  ///< of the text or name
    union {
      std::int64_t integer = 0;  ///< also of a boolean
      double number;
      const char* text;
      Node* node;
    };
    std::string_view view() const { return {text, size}; }
    bool is(Kind wanted) const { return kind == wanted; }
  };
  struct Node {
    std::vector<Value> values;
    Value callee;  ///< kCall
  };
  struct Name {
    std::string_view name;  ///< "module.name"
    bool callable = false;
  };

  /// Runs the pickle that begins at `bytes`; `known` are the names that may stand in it, beside
  /// "collections.OrderedDict", which is a dictionary. Texts are views of `bytes`, which must outlive this.
  /// Throws Error(kBadData) with `name`, the offset and what was expected: for any other name or instruction,
  /// integers of more than 64 bits, and whatever does not fit together. Needs memory in proportion to the
  /// pickle.
  Pickle(std::string_view bytes, const std::string& name, std::span<const Name> known);
  Pickle(const Pickle&) = delete;
  Pickle& operator=(const Pickle&) = delete;

  const Value& root() const { return root_; }
  /// All that lies outside, in the order in which it was referred to.
  std::span<const Value> persistent() const { return persistent_; }
  /// Bytes that it took.
  std::size_t size() const { return at_; }

 private:
  friend class PickleMachine;
  // Flat, so that neither depth nor a list that holds itself matters when it goes.
  std::deque<Node> nodes_;
  std::vector<Value> persistent_;
  Value root_;
  std::size_t at_ = 0;
};

}  // namespace stream
