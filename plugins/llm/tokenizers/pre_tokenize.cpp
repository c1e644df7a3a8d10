#include "llm/tokenizers/pre_tokenize.hpp"

#include "llm/tokenizers/byte_alphabet.hpp"
#include "llm/tokenizers/json_entry.hpp"
#include "llm/tokenizers/pattern.hpp"
#include "llm/tokenizers/utf8.hpp"
#include "stream/error.hpp"

namespace stream::llm {
namespace {

/// GPT-2's words (Radford et al. 2019).
constexpr const char* kGpt2Words =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

/// What becomes of a match between two words.
enum class Delimiter { kRemoved, kIsolated, kMergedWithPrevious, kMergedWithNext, kContiguous };

Delimiter delimiter_named(const std::string& name) {
  const std::vector<std::string> names{"Removed", "Isolated", "MergedWithPrevious", "MergedWithNext",
                                       "Contiguous"};
  for (std::size_t i = 0; i < names.size(); ++i)
    if (name == names[i]) return static_cast<Delimiter>(i);
  throw bad_data("unknown behavior '" + name +
                 "', expected Removed, Isolated, MergedWithPrevious, MergedWithNext or Contiguous" +
                 did_you_mean(name, names));
}

class Split final : public InnerStage {
 public:
  Split(std::shared_ptr<const Pattern> pattern, Delimiter delimiter, bool invert, std::unique_ptr<Stage> next)
      : InnerStage(std::move(next)), scanner_(std::move(pattern)), delimiter_(delimiter), invert_(invert) {}
  void text(std::string_view utf8) override { scan(utf8, false); }
  void end() override {
    scan({}, true);
    open_ = last_ = Open::kNothing;
    next().end();
  }
  void finish() override {
    scanner_.reset();
    open_ = last_ = Open::kNothing;
    next().finish();
  }
  void save(Archive& group) const override {
    scanner_.save(group);
    group.set("open", static_cast<int>(open_));
    group.set("last", static_cast<int>(last_));
    InnerStage::save(group);
  }
  void load(const Archive& group) override {
    scanner_.load(group);
    open_ = opened(group, "open");
    last_ = opened(group, "last");
    InnerStage::load(group);
  }

 private:
  enum class Open { kNothing, kBetween, kMatch };

  static Open opened(const Archive& group, const char* name) {
    const int value = group.get<int>(name);
    if (value < 0 || value > 2) throw bad_data(std::string("'") + name + "' is no state of a tokenizer");
    return static_cast<Open>(value);
  }
  void scan(std::string_view utf8, bool ended) {
    scanner_.scan(utf8, ended, [this](std::string_view text, bool found) { item(text, found); });
  }
  void item(std::string_view text, bool found) {
    const bool match = found != invert_;
    // What lies between matches may come in parts.
    const bool continued = !found && last_found_between();
    bool joins = continued;
    switch (delimiter_) {
      case Delimiter::kRemoved:
        if (match) {
          if (open_ != Open::kNothing) next().end();
          open_ = Open::kNothing;
          last_ = found ? Open::kMatch : Open::kBetween;
          return;
        }
        break;
      case Delimiter::kIsolated:
        break;
      case Delimiter::kMergedWithPrevious:
        joins = joins || (match && !last_matched() && open_ != Open::kNothing);
        break;
      case Delimiter::kMergedWithNext:
        joins = joins || (!match && last_matched());
        break;
      case Delimiter::kContiguous:
        joins = joins || (open_ != Open::kNothing && match == last_matched());
        break;
    }
    if (!joins && open_ != Open::kNothing) next().end();
    next().text(text);
    open_ = last_ = found ? Open::kMatch : Open::kBetween;
    if (found && nothing_joins(match)) {
      next().end();
      open_ = Open::kNothing;
    }
  }
  /// No later item becomes part of the word that ends with this one.
  bool nothing_joins(bool match) const {
    switch (delimiter_) {
      case Delimiter::kMergedWithPrevious:
        return match;
      case Delimiter::kMergedWithNext:
        return !match;
      case Delimiter::kContiguous:
        return false;
      default:
        return true;
    }
  }
  bool last_found_between() const { return last_ == Open::kBetween; }
  bool last_matched() const { return last_ != Open::kNothing && (last_ == Open::kMatch) != invert_; }

  PatternScanner scanner_;
  Delimiter delimiter_;
  bool invert_;
  Open open_ = Open::kNothing;  ///< what the word that has not ended ends with
  Open last_ = Open::kNothing;  ///< the item before, removed or not
};

/// Bytes as the characters that stand for them.
class ByteLevel final : public InnerStage {
 public:
  using InnerStage::InnerStage;
  void text(std::string_view utf8) override {
    const auto& characters = byte_characters();
    std::string out;
    out.reserve(utf8.size() * 2);
    for (const char c : utf8) out += characters[static_cast<unsigned char>(c)];
    next().text(out);
  }
  void end() override { next().end(); }
};

/// Which pieces get something in front.
enum class PrependScheme { kAlways, kFirst, kNever };

/// `what` in front of each piece, or of the first, that does not begin with it.
class PrependUnlessThere final : public InnerStage {
 public:
  PrependUnlessThere(std::string what, PrependScheme scheme, std::unique_ptr<Stage> next)
      : InnerStage(std::move(next)), what_(std::move(what)), scheme_(scheme) {}
  void text(std::string_view utf8) override {
    if (utf8.empty()) return;
    // `what` is one character, and pieces come in whole ones.
    if (!begun_ && !utf8.starts_with(what_) && (scheme_ == PrependScheme::kAlways || untouched_))
      next().text(what_);
    begun_ = true;
    untouched_ = false;
    next().text(utf8);
  }
  void end() override {
    begun_ = false;
    next().end();
  }
  void token(TokenId id) override {
    untouched_ = false;
    next().token(id);
  }
  void finish() override {
    begun_ = false;
    untouched_ = true;
    next().finish();
  }
  void save(Archive& group) const override {
    group.set("begun", begun_);
    group.set("untouched", untouched_);
    InnerStage::save(group);
  }
  void load(const Archive& group) override {
    begun_ = group.get<bool>("begun");
    untouched_ = group.get<bool>("untouched");
    InnerStage::load(group);
  }

 private:
  std::string what_;
  PrependScheme scheme_;
  bool begun_ = false, untouched_ = true;
};

/// A space as another character.
class Spaces final : public InnerStage {
 public:
  Spaces(std::string as, std::unique_ptr<Stage> next) : InnerStage(std::move(next)), as_(std::move(as)) {}
  void text(std::string_view utf8) override {
    std::string out;
    out.reserve(utf8.size() * 2);
    for (const char c : utf8) c == ' ' ? out += as_ : out += c;
    next().text(out);
  }
  void end() override { next().end(); }

 private:
  std::string as_;
};

void add_split(std::shared_ptr<const Pattern> pattern, Delimiter delimiter, bool invert,
               std::vector<StageMaker>& stages) {
  stages.emplace_back([pattern, delimiter, invert](std::unique_ptr<Stage> next) {
    return std::make_unique<Split>(pattern, delimiter, invert, std::move(next));
  });
}

void add_prepend(std::string what, PrependScheme scheme, std::vector<StageMaker>& stages) {
  if (scheme == PrependScheme::kNever) return;
  stages.emplace_back([what = std::move(what), scheme](std::unique_ptr<Stage> next) {
    return std::make_unique<PrependUnlessThere>(what, scheme, std::move(next));
  });
}

void add_metaspace(const Object& entry, std::vector<StageMaker>& stages) {
  const std::string& replacement = member(entry, "replacement").as_string();
  if (replacement.empty() || first_character(replacement).size() != replacement.size())
    throw bad_data("Metaspace: 'replacement' is '" + replacement + "', expected one character");
  PrependScheme scheme =
      flag(entry, "add_prefix_space", true) ? PrependScheme::kAlways : PrependScheme::kNever;
  if (const Value* named = optional_member(entry, "prepend_scheme")) {
    const std::string& name = named->as_string();
    const std::vector<std::string> names{"always", "first", "never"};
    if (name != "always" && name != "first" && name != "never")
      throw bad_data("Metaspace: unknown prepend_scheme '" + name + "', expected always, first or never" +
                     did_you_mean(name, names));
    scheme = name == "always"  ? PrependScheme::kAlways
             : name == "first" ? PrependScheme::kFirst
                               : PrependScheme::kNever;
  }
  stages.emplace_back([replacement](std::unique_ptr<Stage> next) {
    return std::make_unique<Spaces>(replacement, std::move(next));
  });
  add_prepend(replacement, scheme, stages);
  if (flag(entry, "split", true))
    add_split(Pattern::literal(replacement), Delimiter::kMergedWithNext, false, stages);
}

}  // namespace

void add_pre_tokenizer(const Object& entry, std::vector<StageMaker>& stages) {
  const std::string kind = kind_of(entry, "pre-tokenizer",
                                   {"Sequence", "ByteLevel", "Split", "Metaspace", "Digits", "Punctuation",
                                    "Whitespace", "WhitespaceSplit"});
  if (kind == "Sequence") {
    for (const Value& part : member(entry, "pretokenizers").as_array())
      add_pre_tokenizer(part.as_object(), stages);
  } else if (kind == "ByteLevel") {
    if (flag(entry, "add_prefix_space", true)) add_prepend(" ", PrependScheme::kAlways, stages);
    if (flag(entry, "use_regex", true))
      add_split(Pattern::regex(kGpt2Words), Delimiter::kIsolated, false, stages);
    stages.emplace_back(
        [](std::unique_ptr<Stage> next) { return std::make_unique<ByteLevel>(std::move(next)); });
  } else if (kind == "Split") {
    add_split(pattern_of(entry), delimiter_named(member(entry, "behavior").as_string()),
              flag(entry, "invert", false), stages);
  } else if (kind == "Metaspace") {
    add_metaspace(entry, stages);
  } else if (kind == "Digits") {
    add_split(Pattern::regex("\\p{N}"),
              flag(entry, "individual_digits", false) ? Delimiter::kIsolated : Delimiter::kContiguous, false,
              stages);
  } else if (kind == "Punctuation") {
    const Value* behaviour = optional_member(entry, "behavior");
    add_split(Pattern::regex("[\\p{P}!-/:-@\\[-`{-~]"),
              behaviour == nullptr ? Delimiter::kIsolated : delimiter_named(behaviour->as_string()), false,
              stages);
  } else if (kind == "Whitespace") {
    add_split(Pattern::regex("\\w+|[^\\w\\s]+"), Delimiter::kRemoved, true, stages);
  } else {
    add_split(Pattern::regex("\\s"), Delimiter::kRemoved, false, stages);
  }
}

}  // namespace stream::llm
