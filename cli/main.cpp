/// The program: finds the verb, lets it run, and turns whatever it throws into one message and an exit code.
#include <csignal>
#include <cstdio>
#include <new>

#include "arguments.hpp"
#include "help.hpp"
#include "stream/error.hpp"
#include "stream/file.hpp"
#include "text.hpp"

namespace stream::cli {
namespace {

/// The verb that the first words name, and how many words those are.
std::unique_ptr<Verb> find_verb(const std::vector<std::string>& words, std::size_t& used) {
  const std::string& one = words[0];
  const std::string two = words.size() > 1 ? one + " " + words[1] : one;
  std::vector<std::string> second;
  for (const VerbEntry& entry : verbs()) {
    const std::string name = entry.name;
    if (name == one || name == two) {
      used = name == one ? 1 : 2;
      return entry.make();
    }
    if (name.starts_with(one + " ")) second.push_back(name.substr(one.size() + 1));
  }
  if (second.empty()) {
    const char* what = one.starts_with("-") ? "unknown option '" : "unknown verb '";
    auto candidates = verb_names(true);
    if (one.starts_with("-")) candidates = {"--help", "--version"};
    throw Error(ExitCode::kUsage,
                what + one + "'" + did_you_mean(one, candidates) + " (see 'stream --help')");
  }
  if (words.size() == 1)
    throw Error(ExitCode::kUsage, "stream " + one + ": expected one of " + join(second, ", "));
  throw Error(ExitCode::kUsage, "stream " + one + ": unknown verb '" + words[1] + "'" +
                                    did_you_mean(words[1], second) + ": expected one of " +
                                    join(second, ", "));
}

/// `stream checkpoint --help`: the pages of all its verbs.
bool print_family_help(const std::string& family) {
  std::string page;
  for (const VerbEntry& entry : verbs()) {
    if (std::string_view(entry.name).starts_with(family + " "))
      page += (page.empty() ? "" : "\n") + help_of(*entry.make());
  }
  if (!page.empty()) print(page);
  return !page.empty();
}

int dispatch(const std::vector<std::string>& words) {
  if (words.empty()) {
    std::fputs(program_help().c_str(), stderr);
    return static_cast<int>(ExitCode::kUsage);
  }
  if (words[0] == "--version") return print("stream " STREAM_VERSION "\n"), 0;
  const bool help = words[0] == "help" || words[0] == "--help" || words[0] == "-h";
  if (help && words.size() == 1) return print(program_help()), 0;
  if (!help && words.size() == 2 && (words[1] == "--help" || words[1] == "-h") && print_family_help(words[0]))
    return 0;
  if (help && words.size() == 2 && print_family_help(words[1])) return 0;

  std::vector<std::string> rest(words.begin() + (help ? 1 : 0), words.end());
  std::size_t used = 0;
  const auto verb = find_verb(rest, used);
  rest.erase(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(used));
  if (help || !parse_arguments(*verb, rest)) return print(help_of(*verb)), 0;
  return verb->run();
}

int complain(const char* message, ExitCode code) {
  std::fprintf(stderr, "stream: error: %s\n", message);
  return static_cast<int>(code);
}

}  // namespace
}  // namespace stream::cli

int main(int argc, char** argv) {
  using stream::ExitCode;
  // A reader that goes away is an error of write(2), which ends the run in order.
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return stream::cli::dispatch({argv + (argc > 0 ? 1 : 0), argv + argc});
  } catch (const stream::ClosedPipe&) {
    return 0;
  } catch (const stream::Error& e) {
    return stream::cli::complain(e.what(), e.code());
  } catch (const std::bad_alloc&) {
    return stream::cli::complain("out of memory", ExitCode::kFailed);
  } catch (const std::exception& e) {
    return stream::cli::complain(e.what(), ExitCode::kFailed);
  }
}
