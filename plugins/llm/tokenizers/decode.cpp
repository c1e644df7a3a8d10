#include "llm/tokenizers/decode.hpp"

#include "llm/tokenizers/byte_alphabet.hpp"
#include "llm/tokenizers/json_entry.hpp"
#include "llm/tokenizers/normalize.hpp"
#include "llm/tokenizers/utf8.hpp"
#include "stream/error.hpp"

namespace stream::llm {
namespace {

class BytesOfCharacters final : public InnerStage {
 public:
  using InnerStage::InnerStage;
  void text(std::string_view token) override {
    std::string bytes;
    for (std::size_t at = 0; at < token.size();) {
      const std::string_view character = token.substr(at, utf8_size(token[at]));
      const auto byte = byte_of_character(code_point(character));
      // A token that is not made of bytes (an added one) is text.
      if (!byte) {
        bytes = token;
        break;
      }
      bytes.push_back(static_cast<char>(*byte));
      at += character.size();
    }
    next().text(pieces_.push(bytes, false));
  }
  void end() override {}
  void finish() override {
    next().text(pieces_.push({}, true));
    next().end();
    next().finish();
  }
  void save(Archive& group) const override {
    group.set("held", pieces_.held());
    InnerStage::save(group);
  }
  void load(const Archive& group) override {
    pieces_.hold(group.get<std::string>("held"));
    InnerStage::load(group);
  }

 private:
  Utf8Pieces pieces_;
};

/// The byte of "<0xE4>".
std::optional<char> byte_of_token(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token.back() != '>') return std::nullopt;
  int value = 0;
  for (const char c : token.substr(3, 2)) {
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                             : -1;
    if (digit < 0) return std::nullopt;
    value = value * 16 + digit;
  }
  return static_cast<char>(value);
}

class ByteFallback final : public InnerStage {
 public:
  explicit ByteFallback(std::unique_ptr<Stage> next) : InnerStage(std::move(next)) {}
  void text(std::string_view token) override { token_.append(token); }
  void end() override {
    if (const auto byte = byte_of_token(token_)) {
      hand_on(run_.push(std::string_view(&*byte, 1), false));
    } else {
      hand_on(run_.push({}, true));
      hand_on(token_);
    }
    token_.clear();
  }
  void finish() override {
    hand_on(run_.push({}, true));
    next().finish();
  }
  void save(Archive& group) const override {
    group.set("held", run_.held());
    InnerStage::save(group);
  }
  void load(const Archive& group) override {
    run_.hold(group.get<std::string>("held"));
    InnerStage::load(group);
  }

 private:
  void hand_on(std::string_view text) {
    if (text.empty()) return;
    next().text(text);
    next().end();
  }
  std::string token_;
  Utf8Pieces run_{Utf8Pieces::Invalid::kEachByte};
};

/// All tokens as one.
class Fuse final : public InnerStage {
 public:
  explicit Fuse(std::unique_ptr<Stage> next) : InnerStage(std::move(next)) {}
  void text(std::string_view utf8) override { next().text(utf8); }
  void end() override {}
  void finish() override {
    next().end();
    next().finish();
  }
};

/// Up to `start` of a character in front of each piece, and up to `stop` behind.
class Strip final : public InnerStage {
 public:
  Strip(std::string content, std::int64_t start, std::int64_t stop, std::unique_ptr<Stage> next)
      : InnerStage(std::move(next)), content_(std::move(content)), start_(start), stop_(stop) {}
  void text(std::string_view utf8) override {
    for (std::size_t at = 0; at < utf8.size();) {
      const std::string_view c = utf8.substr(at, utf8_size(utf8[at]));
      at += c.size();
      if (c != content_) {
        stripped_ = start_;
        release(0);
        next().text(c);
      } else if (stripped_ < start_) {
        ++stripped_;
      } else {
        ++waiting_;
        release(stop_);
      }
    }
  }
  void end() override {
    stripped_ = waiting_ = 0;
    next().end();
  }
  void save(Archive& group) const override {
    group.set("stripped", stripped_);
    group.set("waiting", waiting_);
    InnerStage::save(group);
  }
  void load(const Archive& group) override {
    stripped_ = group.get<std::int64_t>("stripped");
    waiting_ = group.get<std::int64_t>("waiting");
    if (waiting_ < 0 || waiting_ > stop_) throw bad_data("'waiting' is no state of a tokenizer");
    InnerStage::load(group);
  }

 private:
  void release(std::int64_t keep) {
    for (; waiting_ > keep; --waiting_) next().text(content_);
  }
  std::string content_;
  std::int64_t start_, stop_;
  std::int64_t stripped_ = 0;  ///< in front of this piece; `start_` once something else has come
  std::int64_t waiting_ = 0;   ///< seen behind, not handed on
};

/// The replacement as a space; without it in the first token.
class MetaspaceToSpace final : public InnerStage {
 public:
  MetaspaceToSpace(std::string replacement, bool drop_first, std::unique_ptr<Stage> next)
      : InnerStage(std::move(next)), replacement_(std::move(replacement)), drop_first_(drop_first) {}
  void text(std::string_view utf8) override {
    std::string out;
    for (std::size_t at = 0; at < utf8.size();) {
      const std::string_view c = utf8.substr(at, utf8_size(utf8[at]));
      at += c.size();
      if (c != replacement_)
        out += c;
      else if (!first_ || !drop_first_)
        out += ' ';
    }
    next().text(out);
  }
  void end() override {
    first_ = false;
    next().end();
  }
  void finish() override {
    first_ = true;
    next().finish();
  }
  void save(Archive& group) const override {
    group.set("first", first_);
    InnerStage::save(group);
  }
  void load(const Archive& group) override {
    first_ = group.get<bool>("first");
    InnerStage::load(group);
  }

 private:
  std::string replacement_;
  bool drop_first_, first_ = true;
};

class SpacesBetween final : public InnerStage {
 public:
  explicit SpacesBetween(std::unique_ptr<Stage> next) : InnerStage(std::move(next)) {}
  void text(std::string_view utf8) override {
    if (!first_) next().text(" ");
    first_ = false;
    next().text(utf8);
  }
  void end() override {}
  void finish() override {
    first_ = true;
    next().finish();
  }
  void save(Archive& group) const override {
    group.set("first", first_);
    InnerStage::save(group);
  }
  void load(const Archive& group) override {
    first_ = group.get<bool>("first");
    InnerStage::load(group);
  }

 private:
  bool first_ = true;
};

template <typename T>
void add(std::vector<StageMaker>& stages) {
  stages.emplace_back([](std::unique_ptr<Stage> next) { return std::make_unique<T>(std::move(next)); });
}

}  // namespace

void add_spaces_between(std::vector<StageMaker>& stages) { add<SpacesBetween>(stages); }
void add_byte_fallback(std::vector<StageMaker>& stages) { add<ByteFallback>(stages); }

void add_decoder(const Object& entry, std::vector<StageMaker>& stages) {
  const std::string kind = kind_of(
      entry, "decoder", {"Sequence", "ByteLevel", "Replace", "ByteFallback", "Fuse", "Strip", "Metaspace"});
  if (kind == "Sequence") {
    for (const Value& part : member(entry, "decoders").as_array()) add_decoder(part.as_object(), stages);
  } else if (kind == "ByteLevel") {
    add<BytesOfCharacters>(stages);
  } else if (kind == "Replace") {
    add_normalizer(entry, stages);
  } else if (kind == "ByteFallback") {
    add_byte_fallback(stages);
  } else if (kind == "Fuse") {
    add<Fuse>(stages);
  } else if (kind == "Strip") {
    const std::string& content = member(entry, "content").as_string();
    const std::int64_t start = member(entry, "start").as_integer(), stop = member(entry, "stop").as_integer();
    if (content.empty() || first_character(content).size() != content.size() || start < 0 || stop < 0)
      throw bad_data("Strip: expected one character and two counts");
    stages.emplace_back([content, start, stop](std::unique_ptr<Stage> next) {
      return std::make_unique<Strip>(content, start, stop, std::move(next));
    });
  } else {
    const Value* scheme = optional_member(entry, "prepend_scheme");
    const bool drop =
        scheme == nullptr ? flag(entry, "add_prefix_space", true) : scheme->as_string() != "never";
    stages.emplace_back(
        [replacement = member(entry, "replacement").as_string(), drop](std::unique_ptr<Stage> next) {
          return std::make_unique<MetaspaceToSpace>(replacement, drop, std::move(next));
        });
  }
}

}  // namespace stream::llm
