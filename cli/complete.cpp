/// stream __complete -- WORD...: what the last word may become, one answer a line, a tab and a description
/// behind it.
#include <algorithm>

#include "help.hpp"
#include "plans.hpp"
#include "stream/error.hpp"
#include "text.hpp"
#include "verb.hpp"

namespace stream::cli {
namespace {

class Answers {
 public:
  explicit Answers(std::string word) : word_(std::move(word)) {}
  void offer(const std::string& answer, const std::string& about = {}) {
    if (!answer.starts_with(word_)) return;
    text_ += answer + (about.empty() ? "" : "\t" + about) + "\n";
  }
  void offer_files() { text_ += ":files\n"; }
  const std::string& word() const { return word_; }
  const std::string& text() const { return text_; }

 private:
  std::string word_, text_;
};

/// The first recipe among the words, planned as far as that goes.
Plan plan_among(const std::vector<std::string>& words, const Registry& registry) {
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    if (words[i].starts_with("-") || (i > 0 && words[i - 1].starts_with("-"))) continue;
    try {
      Diagnostics ignored;
      return plan_recipe(find_recipe(words[i]), registry, {}, ignored);
    } catch (const Error&) {
    }
  }
  return {};
}

/// "node.param=" and, behind the '=', the values that are known.
void offer_setting(Answers& answers, const std::string& owner, const Param& param) {
  const std::string name = owner + "." + param.name + "=";
  if (!answers.word().starts_with(name)) return answers.offer(name, param.doc);
  for (const std::string& choice : param.choices) answers.offer(name + choice);
  if (param.type == ParamType::kBool) answers.offer(name + "true"), answers.offer(name + "false");
}

/// The recipe's own parameters first, then those of its nodes.
void offer_settings(Answers& answers, const std::vector<std::string>& words) {
  Registry registry;
  scan_plugins(registry);
  const Plan plan = plan_among(words, registry);
  for (const RecipeParam& p : plan.params) offer_setting(answers, "params", p.param);
  for (const PlannedNode& node : plan.nodes) {
    if (node.op == nullptr) continue;
    for (const Param& param : node.op->spec.params()) offer_setting(answers, node.id, param);
  }
}

/// "param=" of the operators among the words, or "node.param=" of a recipe.
void offer_params(Answers& answers, const std::vector<std::string>& words) {
  Registry registry;
  scan_plugins(registry);
  for (const std::string& word : words) {
    const OperatorInfo* info = registry.find(word);
    if (info == nullptr) continue;
    for (const Param& param : info->spec.params()) answers.offer(param.name + "=", param.doc);
  }
  offer_settings(answers, words);
}

void offer_recipes(Answers& answers, bool studies) {
  for (const NamedRecipe& recipe : named_recipes(studies)) answers.offer(recipe.name, recipe.path);
}

void offer_values(Answers& answers, const Option& option, const std::vector<std::string>& words) {
  for (const std::string& choice : option.choices) answers.offer(choice);
  if (option.value == "NODE.PARAM=VALUE") return offer_settings(answers, words);
  if (option.value == "STUDY") return offer_recipes(answers, true);
  if (option.value == "RECIPE") {
    for (const bool studies : {false, true}) offer_recipes(answers, studies);
    return answers.offer_files();
  }
  if (option.value == "EDGE[:N]") {
    Registry registry;
    scan_plugins(registry);
    for (const PlannedNode& node : plan_among(words, registry).nodes) answers.offer(node.id);
  }
  if (option.value == "PARAM=VALUE") return offer_params(answers, words);
  if (option.value == "NAME|FILE") answers.offer_files();
  if (option.value == "NAME" || option.value == "NAME|FILE") {
    Registry registry;
    scan_plugins(registry);
    for (const std::string& name : registry.names()) answers.offer(name, registry.summary(name));
    if (option.value == "NAME") {
      for (const std::string& name : registry.environment_names())
        answers.offer(name, registry.environment_summary(name));
    }
    for (const PluginInfo& plugin : registry.plugins()) answers.offer(plugin.name, "plugin");
    for (const bool studies : {false, true}) offer_recipes(answers, studies);
  }
  if (option.value == "DEVICE") answers.offer("cpu"), answers.offer("cuda");
  if (option.value == "FILE" || option.value == "DIR") answers.offer_files();
}

const Option* option_of(const Verb& verb, const std::string& flag) {
  for (const Option& option : verb.options()) {
    if (("," + option.flags + ",").find("," + flag + ",") != std::string::npos) return &option;
  }
  return nullptr;
}

/// `words`: the verb's own, the last one being completed.
void complete_verb(const Verb& verb, const std::vector<std::string>& words, Answers& answers) {
  if (answers.word().starts_with("-") && answers.word() != "-") {
    for (const Option& option : verb.options()) {
      if (option.positional()) continue;
      const auto comma = option.flags.find(',');
      answers.offer(comma == std::string::npos ? option.flags : option.flags.substr(comma + 1), option.doc);
    }
    return answers.offer("--help", "print its page");
  }
  std::size_t positionals = 0;
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    const Option* option = words[i].starts_with("-") ? option_of(verb, words[i]) : nullptr;
    if (option != nullptr && !option->is_switch()) {
      if (i + 2 == words.size()) return offer_values(answers, *option, words);
      ++i;
    } else if (option == nullptr && !words[i].starts_with("-")) {
      ++positionals;
    }
  }
  for (const Option& option : verb.options()) {
    if (!option.positional()) continue;
    if (positionals == 0 || option.repeats()) return offer_values(answers, option, words);
    --positionals;
  }
}

class Complete final : public Verb {
 public:
  Complete() : Verb("__complete", "Answers the completion scripts.") {
    option("WORD", "", &words_, "words so far");
  }

  int run() override {
    if (words_.empty()) words_.emplace_back();
    Answers answers(words_.back());
    const std::string family = words_.size() > 1 ? words_[0] : "";
    for (const VerbEntry& entry : verbs()) {
      const std::string name = entry.name;
      if (name.starts_with("__")) continue;
      const auto blank = name.find(' ');
      if (words_.size() == 1) continue;
      if (blank == std::string::npos ? name == family
                                     : words_.size() > 2 && name == family + " " + words_[1]) {
        const std::size_t used = blank == std::string::npos ? 1 : 2;
        complete_verb(*entry.make(), {words_.begin() + static_cast<std::ptrdiff_t>(used), words_.end()},
                      answers);
      } else if (words_.size() == 2 && name.starts_with(family + " ")) {
        answers.offer(name.substr(blank + 1), entry.make()->summary());
      }
    }
    if (words_.size() == 1) {
      for (const std::string& name : verb_names(true)) answers.offer(name);
      answers.offer("--help"), answers.offer("--version");
    }
    print(answers.text());
    return 0;
  }

 private:
  std::vector<std::string> words_;
};

class Man final : public Verb {
 public:
  Man() : Verb("__man", "Prints the option and example sections of a verb's man page in scdoc's markup.") {
    option("VERB", "", &name_, "first word of the verb").required = true;
  }
  int run() override {
    std::string out;
    for (const VerbEntry& entry : verbs()) {
      const std::string name = entry.name;
      if (name == name_) return print("# OPTIONS\n\n" + man_sections_of(*entry.make())), 0;
      if (name.starts_with(name_ + " ")) {
        const auto verb = entry.make();
        std::string sections = man_sections_of(*verb);
        // In a page for several verbs each has one section, with its examples below its options.
        if (const auto at = sections.find("# EXAMPLES"); at != std::string::npos) sections.insert(at, "#");
        out += "# " + usage_of(*verb) + "\n\n" + verb->summary() + "\n\n" + sections;
      }
    }
    if (out.empty())
      throw Error(ExitCode::kUsage, "no verb '" + name_ + "'" + did_you_mean(name_, verb_names(true)));
    print(out);
    return 0;
  }

 private:
  std::string name_;
};

}  // namespace

std::unique_ptr<Verb> make_complete() { return std::make_unique<Complete>(); }
std::unique_ptr<Verb> make_man() { return std::make_unique<Man>(); }

}  // namespace stream::cli
