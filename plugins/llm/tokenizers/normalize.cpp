#include "llm/tokenizers/normalize.hpp"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>

#include <algorithm>

#include "llm/tokenizers/json_entry.hpp"
#include "llm/tokenizers/pattern.hpp"
#include "llm/tokenizers/utf8.hpp"
#include "stream/error.hpp"

namespace stream::llm {
namespace {

/// Combining marks behind one character, in bytes: more than any text has are cut, so that memory is bounded.
constexpr std::size_t kLongestCluster = 4096;

/// NFC, NFD, NFKC, NFKD.
class UnicodeForm final : public InnerStage {
 public:
  UnicodeForm(const icu::Normalizer2* form, std::unique_ptr<Stage> next)
      : InnerStage(std::move(next)), form_(form) {}
  void text(std::string_view utf8) override {
    // A character that never joins those before it settles them.
    for (std::size_t at = 0; at < utf8.size();) {
      const std::string_view c = utf8.substr(at, utf8_size(utf8[at]));
      if (held_.size() - settled_ >= kLongestCluster ||
          form_->hasBoundaryBefore(static_cast<UChar32>(code_point(c))) != 0)
        settled_ = held_.size();
      held_.append(c);
      at += c.size();
    }
    flush(settled_);
  }
  void end() override {
    flush(held_.size());
    next().end();
  }
  void finish() override {
    held_.clear();
    settled_ = 0;
    next().finish();
  }
  void save(Archive& group) const override {
    group.set("held", held_);
    InnerStage::save(group);
  }
  void load(const Archive& group) override {
    held_ = group.get<std::string>("held");
    settled_ = 0;
    InnerStage::load(group);
  }

 private:
  void flush(std::size_t size) {
    settled_ = 0;
    if (size == 0) return;
    UErrorCode status = U_ZERO_ERROR;
    std::string out;
    icu::StringByteSink<std::string> sink(&out);
    form_->normalizeUTF8(0, icu::StringPiece(held_.data(), static_cast<int>(size)), sink, nullptr, status);
    if (U_FAILURE(status)) throw failed(std::string("normalisation: ") + u_errorName(status));
    held_.erase(0, size);
    next().text(out);
  }
  const icu::Normalizer2* form_;
  std::string held_;
  std::size_t settled_ = 0;  ///< bytes of `held_` that nothing can change
};

class Prepend final : public InnerStage {
 public:
  Prepend(std::string what, std::unique_ptr<Stage> next)
      : InnerStage(std::move(next)), what_(std::move(what)) {}
  void text(std::string_view utf8) override {
    if (!begun_ && !utf8.empty()) {
      begun_ = true;
      next().text(what_);
    }
    next().text(utf8);
  }
  void end() override {
    begun_ = false;
    next().end();
  }
  void finish() override {
    begun_ = false;
    next().finish();
  }
  void save(Archive& group) const override {
    group.set("begun", begun_);
    InnerStage::save(group);
  }
  void load(const Archive& group) override {
    begun_ = group.get<bool>("begun");
    InnerStage::load(group);
  }

 private:
  std::string what_;
  bool begun_ = false;
};

class Replace final : public InnerStage {
 public:
  Replace(std::shared_ptr<const Pattern> pattern, std::string with, std::unique_ptr<Stage> next)
      : InnerStage(std::move(next)), scanner_(std::move(pattern)), with_(std::move(with)) {}
  void text(std::string_view utf8) override { scan(utf8, false); }
  void end() override {
    scan({}, true);
    next().end();
  }
  void finish() override {
    scanner_.reset();
    next().finish();
  }
  void save(Archive& group) const override {
    scanner_.save(group);
    InnerStage::save(group);
  }
  void load(const Archive& group) override {
    scanner_.load(group);
    InnerStage::load(group);
  }

 private:
  void scan(std::string_view utf8, bool ended) {
    scanner_.scan(utf8, ended, [&](std::string_view text, bool match) { next().text(match ? with_ : text); });
  }
  PatternScanner scanner_;
  std::string with_;
};

/// Each character by itself, as Rust's char::to_lowercase has it.
class Lowercase final : public InnerStage {
 public:
  using InnerStage::InnerStage;
  void text(std::string_view utf8) override {
    std::string out;
    for (std::size_t at = 0; at < utf8.size();) {
      const std::string_view c = utf8.substr(at, utf8_size(utf8[at]));
      const char32_t code = code_point(c);
      // The one character whose lower case is two.
      out +=
          code == 0x130 ? "i\xCC\x87" : utf8_of(static_cast<char32_t>(u_tolower(static_cast<UChar32>(code))));
      at += c.size();
    }
    next().text(out);
  }
  void end() override { next().end(); }
};

/// White space at either end of a piece.
class StripEnds final : public InnerStage {
 public:
  StripEnds(bool left, bool right, std::unique_ptr<Stage> next)
      : InnerStage(std::move(next)), left_(left), right_(right) {}
  void text(std::string_view utf8) override {
    for (std::size_t at = 0; at < utf8.size();) {
      const std::string_view c = utf8.substr(at, utf8_size(utf8[at]));
      at += c.size();
      const bool blank = u_isUWhiteSpace(static_cast<UChar32>(code_point(c))) != 0;
      if (blank && left_ && !begun_) continue;
      begun_ = true;
      if (!blank || !right_) {
        next().text(held_);
        held_.clear();
        next().text(c);
      } else if (held_.size() < kLongestPiece) {
        held_.append(c);
      } else {
        throw bad_data("more than a megabyte of white space");
      }
    }
  }
  void end() override {
    held_.clear();
    begun_ = false;
    next().end();
  }
  void finish() override {
    held_.clear();
    begun_ = false;
    next().finish();
  }
  void save(Archive& group) const override {
    group.set("held", held_);
    group.set("begun", begun_);
    InnerStage::save(group);
  }
  void load(const Archive& group) override {
    held_ = group.get<std::string>("held");
    begun_ = group.get<bool>("begun");
    InnerStage::load(group);
  }

 private:
  bool left_, right_, begun_ = false;
  std::string held_;
};

const icu::Normalizer2* form_named(const std::string& kind) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* form = kind == "NFC"    ? icu::Normalizer2::getNFCInstance(status)
                                 : kind == "NFD"  ? icu::Normalizer2::getNFDInstance(status)
                                 : kind == "NFKC" ? icu::Normalizer2::getNFKCInstance(status)
                                                  : icu::Normalizer2::getNFKDInstance(status);
  if (U_FAILURE(status)) throw failed(std::string("normalisation: ") + u_errorName(status));
  return form;
}

}  // namespace

void add_normalizer(const Object& entry, std::vector<StageMaker>& stages) {
  const std::string kind =
      kind_of(entry, "normalizer",
              {"Sequence", "NFC", "NFD", "NFKC", "NFKD", "Prepend", "Replace", "Lowercase", "Strip"});
  if (kind == "Sequence") {
    for (const Value& part : member(entry, "normalizers").as_array())
      add_normalizer(part.as_object(), stages);
  } else if (kind == "Prepend") {
    stages.emplace_back([what = member(entry, "prepend").as_string()](std::unique_ptr<Stage> next) {
      return std::make_unique<Prepend>(what, std::move(next));
    });
  } else if (kind == "Replace") {
    stages.emplace_back([pattern = pattern_of(entry),
                         with = member(entry, "content").as_string()](std::unique_ptr<Stage> next) {
      return std::make_unique<Replace>(pattern, with, std::move(next));
    });
  } else if (kind == "Lowercase") {
    stages.emplace_back(
        [](std::unique_ptr<Stage> next) { return std::make_unique<Lowercase>(std::move(next)); });
  } else if (kind == "Strip") {
    stages.emplace_back([left = member(entry, "strip_left").as_bool(),
                         right = member(entry, "strip_right").as_bool()](std::unique_ptr<Stage> next) {
      return std::make_unique<StripEnds>(left, right, std::move(next));
    });
  } else {
    stages.emplace_back([form = form_named(kind)](std::unique_ptr<Stage> next) {
      return std::make_unique<UnicodeForm>(form, std::move(next));
    });
  }
}

double growth_of(const Object& entry) {
  const std::string& kind = member(entry, "type").as_string();
  double growth = 1;
  for (const char* parts : {"normalizers", "decoders"}) {
    if (kind != "Sequence") break;
    if (const Value* list = optional_member(entry, parts))
      for (const Value& part : list->as_array()) growth *= growth_of(part.as_object());
  }
  if (kind == "Replace") {
    const Value* text = member(entry, "pattern").as_object().find("String");
    const std::size_t least = text == nullptr ? 1 : std::max<std::size_t>(1, text->as_string().size());
    growth = std::max(
        1.0, static_cast<double>(member(entry, "content").as_string().size()) / static_cast<double>(least));
  }
  return growth;
}

}  // namespace stream::llm
