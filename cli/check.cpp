/// stream check: the laws tried on operators, plugins and recipes. The plugin itself is loaded by a worker,
/// so that whatever it does ends there.
#include "check/check.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "check_text.hpp"
#include "console.hpp"
#include "engine/engine.hpp"
#include "plans.hpp"
#include "recipe/recipe_params.hpp"
#include "scratch.hpp"
#include "stream/error.hpp"
#include "stream/params.hpp"
#include "text.hpp"
#include "verb.hpp"

namespace stream::cli {
namespace {

/// How to start a worker: this program, though its file may have been replaced since.
std::vector<std::string> worker_program() { return {"/proc/self/exe", "__check-worker"}; }

/// One operator to be tried, as the command line or a recipe wants it.
struct Subject {
  std::string title;  ///< the operator's name, with the node in front when it comes from a recipe
  laws::Setup setup;
  std::string input;  ///< a file of packets for it, or empty
};

/// What the packets of a file are, by its name.
PayloadType type_of_file(const std::string& path) {
  const std::string ending = std::filesystem::path(path).extension().string();
  const auto is = [&](std::initializer_list<const char*> endings) {
    return std::find(endings.begin(), endings.end(), ending) != endings.end();
  };
  return is({".wav", ".flac", ".ogg", ".oga"}) ? PayloadType::kAudio
         : is({".jsonl", ".ndjson"})           ? PayloadType::kRecord
                                               : PayloadType::kText;
}

class Check final : public Verb {
 public:
  Check() : Verb("check", "Try the five laws on an operator, a plugin or the operators of a recipe.") {
    option("NAME", "NAME|FILE", &names_, "operator, plugin, plugin file (.so) or recipe").required = true;
    option("--set", "PARAM=VALUE", &set_,
           "a parameter: PARAM=VALUE, OPERATOR.PARAM=VALUE, or NODE.PARAM=VALUE of a recipe");
    option("-i,--input", "FILE", &input_,
           "try on the packets of this file instead of made-up ones: audio, JSON Lines, text or bytes");
    option("--seed", "N", &seed_, "seed of the first trial; trial i has N + i");
    option("--trials", "N", &trials_, "streams to try; otherwise 100, or 8 for heavy operators");
    option("--max-time", "DUR", &max_time_, "begin no trial of an operator after so long");
    option("--timeout", "DUR", &timeout_, "one call that takes longer is a hang");
    option("--memory", "MB", &memory_, "memory that an operator's process may take");
    option("--json", "", &json_, "one JSON object for each operator, on a line");
    example("all laws on one operator", "stream check identity --trials 20");
    example("a failure again, by the seed that was printed",
            "stream check text.to_record --seed 37 --trials 1");
    example("on recorded speech instead of made-up sound",
            "stream check audio.gain --input examples/numbers.flac --trials 3");
    example("a recipe as a whole, and each of its operators", "stream check copy-lines --trials 1");
  }

  int run() override {
    log_to_console(LogFormat::kText, LogLevel::kWarning);
    prepare_process();
    scan_plugins(registry_);
    find_input();
    std::vector<Subject> subjects;
    for (const std::string& name : names_) add_subjects(name, subjects);
    require_used_settings();
    bool broken = false, failed_to_try = false;
    for (laws::RecipeSetup& recipe : recipes_) {
      const laws::SubjectReport report = examine_whole(recipe);
      broken = broken || report.broken();
      print(json_ ? to_value(report).dump() + "\n" : report_text(report));
    }
    for (Subject& subject : subjects) {
      try {
        const laws::SubjectReport report = examine(subject);
        broken = broken || report.broken();
        print(json_ ? to_value(report).dump() + "\n" : report_text(report));
      } catch (const Error& e) {
        if (e.code() != ExitCode::kBadRecipe || subjects.size() == 1) throw;
        failed_to_try = true;
        if (json_)
          print(Value(Object{{"subject", subject.title}, {"error", e.what()}}).dump() + "\n");
        else
          print(subject.title + "  could not be tried\n  " + e.what() + "\n\n");
      }
    }
    return broken ? 1 : failed_to_try ? static_cast<int>(ExitCode::kBadRecipe) : 0;
  }

 private:
  laws::SubjectReport examine(Subject& subject) {
    const ScratchFolder scratch;
    laws::Setup& setup = subject.setup;
    setup.scratch = scratch.file("");
    setup.timeout = seconds(parse_duration(timeout_));
    setup.memory = std::clamp<std::uint64_t>(memory_, 16, 1 << 24) << 20;
    auto report = laws::checker().check(setup, options(subject.input), watcher(subject.title));
    if (shows()) show_progress("");
    report.name = subject.title;
    return report;
  }

  laws::SubjectReport examine_whole(laws::RecipeSetup& recipe) {
    const ScratchFolder scratch;
    recipe.scratch = scratch.file("");
    auto report = laws::checker().check_recipe(recipe, options({}), watcher(recipe.title));
    if (shows()) show_progress("");
    return report;
  }

  laws::CheckOptions options(const std::string& input) const {
    laws::CheckOptions options;
    options.program = worker_program();
    options.run_program = {options.program.front(), "run"};
    options.seed = seed_;
    if (!trials_.empty()) options.trials = number_of_trials();
    options.seconds = seconds(parse_duration(max_time_));
    options.input = input;
    return options;
  }

  bool shows() const { return !json_ && stderr_is_terminal(); }

  laws::Watcher watcher(const std::string& title) const {
    return [this, title](const std::string& law, std::size_t trial, std::size_t trials) {
      if (shows())
        show_progress(title + "  " + law + "  " + std::to_string(trial + 1) + " of " +
                      std::to_string(trials));
    };
  }

  /// A file as it is, or one of the installed share folder, as for parameters.
  void find_input() {
    if (input_.empty() || std::filesystem::exists(input_)) return;
    const std::string shared = share_dir() + "/" + input_;
    if (!std::filesystem::exists(shared)) throw no_input(input_ + ": there is no such file");
    input_ = shared;
  }

  std::size_t number_of_trials() const {
    const Param number{.name = "--trials", .type = ParamType::kInteger, .range = Range{1, 1e6}};
    const Value value = value_of_text(number, trials_);
    if (const std::string fault = check_param(number, value); !fault.empty())
      throw Error(ExitCode::kUsage, fault);
    return static_cast<std::size_t>(value.as_integer());
  }

  void add_subjects(const std::string& name, std::vector<Subject>& subjects) {
    if (const OperatorInfo* info = registry_.find(name)) {
      subjects.push_back(of_operator(name, info->plugin->library.string()));
      return;
    }
    for (const PluginInfo& plugin : registry_.plugins()) {
      if (plugin.name != name) continue;
      for (const std::string& op : plugin.operators)
        subjects.push_back(of_operator(op, plugin.library.string()));
      return;
    }
    if (name.ends_with(".so") && std::filesystem::exists(name)) {
      for (const std::string& op : laws::checker().operators_of(name, worker_program()))
        subjects.push_back(of_operator(op, std::filesystem::absolute(name).string()));
      return;
    }
    if (!is_recipe(name))
      throw no_input("no operator, plugin, plugin file or recipe is called '" + name + "'" +
                     did_you_mean(name, everything()));
    add_recipe(name, subjects);
  }

  Subject of_operator(const std::string& op, const std::string& library) {
    Subject subject;
    subject.title = op;
    subject.setup.library = library;
    subject.setup.operation = op;
    subject.input = input_;
    const OperatorInfo* info = registry_.find(op);
    for (std::size_t i = 0; i < set_.size(); ++i) {
      const auto equals = set_[i].find('=');
      if (equals == std::string::npos || equals == 0)
        throw Error(ExitCode::kUsage, "--set " + set_[i] + ": expected PARAM=VALUE");
      std::string param = set_[i].substr(0, equals);
      if (param.starts_with(op + ".")) param = param.substr(op.size() + 1);
      const Param* known = info != nullptr ? info->spec.find_param(param) : nullptr;
      if (info != nullptr && known == nullptr) continue;
      // Of a plugin that has no manifest here the worker knows the types; text is what most are.
      if (info == nullptr && param.find('.') != std::string::npos) continue;
      const std::string text = set_[i].substr(equals + 1);
      subject.setup.params.set(param, known != nullptr ? value_of_text(*known, text) : guessed(text));
      used_.resize(set_.size());
      used_[i] = true;
    }
    return subject;
  }

  static Value guessed(const std::string& text) {
    return Value::fault(text) ? Value(text) : Value::parse(text);
  }

  /// Every operator of the recipe with the node's parameters, each pair once.
  void add_recipe(const std::string& name, std::vector<Subject>& subjects) {
    Overrides overrides;
    overrides.set = parse_settings(set_);
    used_.assign(set_.size(), true);
    const Plan plan = load_plan(name, registry_, overrides);
    add_whole(plan, name);
    for (const PlannedNode& node : plan.nodes) {
      Subject subject;
      subject.title =
          plan.nodes.size() > 1 ? node.id + " (" + node.op->spec.name() + ")" : node.op->spec.name();
      subject.setup.library = node.op->plugin->library.string();
      subject.setup.operation = node.op->spec.name();
      subject.setup.params = node.params;
      subject.setup.recipe_dir = plan.dir;
      // One file cannot be for every node: those that take its kind of packets get it.
      const Spec& spec = node.op->spec;
      const bool takes = std::any_of(spec.inputs().begin(), spec.inputs().end(),
                                     [&](const Port& p) { return p.type == type_of_file(input_); });
      if (takes || spec.source()) subject.input = input_;
      subjects.push_back(std::move(subject));
    }
  }

  /// The recipe as a whole, when -i and -o reach its one input and output. Of real input there is what the
  /// user gives, or what the recipe's first test reads.
  void add_whole(const Plan& plan, const std::string& name) {
    if (plan.input_node == Plan::npos || plan.output_node == Plan::npos) {
      std::fprintf(stderr, "stream: %s has no single input and output: only its operators are tried\n",
                   name.c_str());
      return;
    }
    laws::RecipeSetup recipe;
    recipe.title = name;
    recipe.file = plan.file;
    for (const std::string& setting : set_) recipe.words.insert(recipe.words.end(), {"--set", setting});
    recipe.input = !input_.empty() ? input_ : plan.tests.empty() ? "" : plan.tests.front().input;
    const Spec& source = plan.nodes[plan.input_node].op->spec;
    if (!source.outputs().empty()) recipe.reads = source.outputs().front().type;
    if (const Value* path = plan.nodes[plan.output_node].params.find("path");
        path != nullptr && path->is_string())
      recipe.ending = std::filesystem::path(path->as_string()).extension().string();
    recipes_.push_back(std::move(recipe));
  }

  void require_used_settings() const {
    for (std::size_t i = 0; i < set_.size(); ++i) {
      if (i >= used_.size() || !used_[i])
        throw Error(ExitCode::kUsage, "--set " + set_[i] + ": no operator that is tried has this parameter");
    }
  }

  static bool is_recipe(const std::string& name) {
    try {
      return !find_recipe(name).empty();
    } catch (const Error&) {
      return false;
    }
  }
  std::vector<std::string> everything() const {
    std::vector<std::string> names = registry_.names();
    for (const PluginInfo& plugin : registry_.plugins()) names.push_back(plugin.name);
    for (const bool studies : {false, true}) {
      for (const NamedRecipe& recipe : named_recipes(studies)) names.push_back(recipe.name);
    }
    return names;
  }

  Registry registry_;
  std::vector<std::string> names_, set_;
  std::vector<bool> used_;
  std::vector<laws::RecipeSetup> recipes_;
  std::string input_, trials_, max_time_ = "60s", timeout_ = "20s";
  std::uint64_t seed_ = 1, memory_ = 4096;
  bool json_ = false;
};

class Worker final : public Verb {
 public:
  Worker() : Verb("__check-worker", "The process that holds a plugin for 'stream check'.") {
    option("WORD", "", &words_, "descriptors");
  }
  int run() override { return laws::checker().work(words_, worker_program()); }

 private:
  std::vector<std::string> words_;
};

}  // namespace

std::unique_ptr<Verb> make_check() { return std::make_unique<Check>(); }
std::unique_ptr<Verb> make_check_worker() { return std::make_unique<Worker>(); }

}  // namespace stream::cli
