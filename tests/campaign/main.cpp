/// usage: campaign kill|crash|faults|damage|delivery|long [--short] [--count N] [--minutes M] [--seed N]
///                 [--length N] [--pipelines NAME,NAME...]
/// Disturbs runs and prints what they went through. Exit code 1 when one of them did not come out right.
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <sstream>

#include "stream/log.hpp"
#include "trial.hpp"

namespace {

using namespace stream::campaign;

struct Part {
  const char* name;
  int (*run)(const Options&);
  const char* about;
};
constexpr Part kParts[] = {
    {"kill", kill_campaign, "stop running programs at random instants (--count: SIGKILLs, 500 by default)"},
    {"crash", crash_campaign,
     "die at one file operation, with or without the machine's power (--count: of each kind, 60)"},
    {"faults", fault_campaign,
     "make every file operation fail in turn (--count: only so many of each kind; --length: of the input)"},
    {"damage", damage_campaign, "damage checkpoints in every way"},
    {"delivery", delivery_campaign, "kill writers and readers of pipes (--count: rounds, 12 by default)"},
    {"long", long_run, "an hour's stream: memory, files and latency stay flat (--minutes: wall-clock, 3)"},
};

int usage() {
  std::fputs(
      "usage: campaign PART [--short] [--count N] [--minutes M] [--seed N] [--length N] [--pipelines "
      "NAME,NAME...]\n",
      stderr);
  for (const Part& part : kParts) std::fprintf(stderr, "  %-10s %s\n", part.name, part.about);
  std::fputs("pipelines:\n", stderr);
  for (const Pipeline& pipeline : pipelines())
    std::fprintf(stderr, "  %-10s %s\n", pipeline.name.c_str(), pipeline.about.c_str());
  return 2;
}

std::vector<std::string> split(const char* text) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, ',');) parts.push_back(part);
  return parts;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return usage();
  if (std::strcmp(argv[1], "die") == 0) return die({argv + 2, argv + argc});
  Options options;
  for (int i = 2; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--short") {
      options.short_form = true;
      continue;
    }
    if (i + 1 == argc) return usage();
    const char* value = argv[++i];
    if (name == "--count")
      options.count = std::atoi(value);
    else if (name == "--minutes")
      options.minutes = std::atof(value);
    else if (name == "--seed")
      options.seed = std::strtoull(value, nullptr, 10);
    else if (name == "--length")
      options.length = std::atoi(value);
    else if (name == "--pipelines")
      options.only = split(value);
    else
      return usage();
  }
  for (const Part& part : kParts) {
    if (std::strcmp(part.name, argv[1]) != 0) continue;
    try {
      std::printf("seed %llu\n", static_cast<unsigned long long>(options.seed));
      return part.run(options);
    } catch (const std::exception& e) {
      std::fprintf(stderr, "campaign: %s: %s\n", part.name, e.what());
      return 1;
    }
  }
  return usage();
}
