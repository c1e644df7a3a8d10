#include "arguments.hpp"

#include <CLI/CLI.hpp>

#include "help.hpp"
#include "stream/error.hpp"

namespace stream::cli {
namespace {

void add(CLI::App& app, const Option& option) {
  CLI::Option* added = std::visit(
      [&](auto* target) -> CLI::Option* {
        using T = std::remove_pointer_t<decltype(target)>;
        // CLI11 gives an int flag the number of its occurrences.
        if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, int>) {
          return app.add_flag(option.flags, *target);
        } else {
          return app.add_option(option.flags, *target);
        }
      },
      option.target);
  if (option.required) added->required();
  // `--set a=1 recipe` must not take the recipe for a second value.
  if (option.repeats() && !option.positional()) added->allow_extra_args(false);
  if (!option.choices.empty()) added->check(CLI::IsMember(option.choices));
}

[[noreturn]] void unexpected(const Verb& verb, const std::vector<std::string>& words) {
  const auto flag = std::find_if(words.begin(), words.end(),
                                 [](const std::string& w) { return w.size() > 1 && w[0] == '-'; });
  const std::string where = "stream " + verb.name();
  if (flag == words.end()) {
    throw Error(ExitCode::kUsage,
                where + ": unexpected argument '" + words.front() + "' (see '" + where + " --help')");
  }
  const std::string name = flag->substr(0, flag->find('='));
  throw Error(ExitCode::kUsage, where + ": unknown option '" + name + "'" +
                                    did_you_mean(name, flags_of(verb)) + " (see '" + where + " --help')");
}

}  // namespace

bool parse_arguments(Verb& verb, std::vector<std::string> words) {
  CLI::App app(verb.summary(), "stream " + verb.name());
  app.set_help_flag("-h,--help", "print this page and exit");
  for (const Option& option : verb.options()) add(app, option);
  std::reverse(words.begin(), words.end());  // CLI11 takes them last first
  try {
    app.parse(std::move(words));
  } catch (const CLI::CallForHelp&) {
    return false;
  } catch (const CLI::ParseError& e) {
    // An unknown flag is the likelier fault even when something required is missing as well.
    const auto extras = app.remaining();
    if (!extras.empty()) unexpected(verb, extras);
    throw Error(ExitCode::kUsage,
                "stream " + verb.name() + ": " + e.what() + " (see 'stream " + verb.name() + " --help')");
  }
  return true;
}

}  // namespace stream::cli
