/// Stops runs that write to a pipe, and their readers too: what the reader keeps is the undisturbed output.
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <memory>
#include <stdexcept>
#include <thread>

#include "stream/random.hpp"
#include "stream/value.hpp"
#include "trial.hpp"

namespace stream::campaign {
namespace {

/// A pipeline, one of whose outputs goes to stdout instead.
struct Piped {
  const char *pipeline, *output, *node;
};

std::unique_ptr<Site> site_of(const char* name, Random& random) {
  return std::make_unique<Site>(pipelines({name}).at(0), random(), 900);
}

/// Kills the program at a random instant, or not at all when its turn has come to end.
testing::Outcome run_for_a_while(testing::Program program, double seconds, bool to_its_end, Random& random) {
  const auto after = std::chrono::duration<double>(random.uniform(0, 1.2 * seconds + 0.05));
  if (!to_its_end) {
    program.when_fed = [after](int pid) {
      // The pipe holds 64 KB: a program that fills it waits here, as for any slow reader.
      std::this_thread::sleep_for(after);
      ::kill(pid, SIGKILL);
    };
  }
  return testing::run(program);
}

std::int64_t number_of(const std::string& line) {
  const Value record = Value::parse(line);
  const Value* number = record.as_object().find("seq");
  if (number == nullptr) throw std::runtime_error("a record without its number: " + line);
  return number->as_integer();
}

/// A reader that knows nothing but the numbers on records.
class NumberReader {
 public:
  /// The output of one run, from its first byte to its end.
  void read(const std::string& text, Tally& tally) {
    std::size_t at = 0;
    for (std::size_t end; (end = text.find('\n', at)) != std::string::npos; at = end + 1) {
      const std::string line = text.substr(at, end - at);
      const std::int64_t number = number_of(line);
      if (number < next_) {
        tally.count("  records that a reader dropped by their number");
        continue;
      }
      if (number > next_) tally.failure("record " + std::to_string(next_) + " never came");
      next_ = number + 1;
      kept_ += line + "\n";
    }
    if (at < text.size()) tally.count("  last lines without their line feed, dropped");
  }
  const std::string& kept() const { return kept_; }

 private:
  std::int64_t next_ = 0;
  std::string kept_;
};

void by_number(Random& random, int stops, Tally& tally) {
  const auto site = site_of("merge", random);
  const std::string expected = site->take_output("joined.jsonl");
  NumberReader reader;
  for (int left = stops;; --left) {
    const testing::Outcome outcome = run_for_a_while(site->program(2), site->seconds(), left <= 0, random);
    reader.read(outcome.out, tally);
    if (outcome.signal == SIGKILL) {
      tally.count("writers killed, their reader goes by numbers");
      continue;
    }
    if (outcome.exit_code != 0) tally.failure("exit code " + std::to_string(outcome.exit_code) + outcome.err);
    break;
  }
  tally.count("outputs kept by readers that go by numbers");
  if (reader.kept() != expected) tally.failure("a reader that goes by numbers keeps something else");
  if (const std::string wrong = site->differences(); !wrong.empty()) tally.failure("beside a pipe: " + wrong);
}

/// A reader that knows how many bytes it has safe, and may die with its writer.
void by_bytes(const Piped& piped, Random& random, int stops, Tally& tally) {
  const auto site = site_of(piped.pipeline, random);
  const std::string expected = site->take_output(piped.output);
  std::string safe;
  bool finished = false;
  for (int left = stops;; --left) {
    testing::Program program = site->program(2);
    program.argv.insert(program.argv.end(),
                        {"--received", std::string(piped.node) + "=" + std::to_string(safe.size())});
    const testing::Outcome outcome = run_for_a_while(std::move(program), site->seconds(), left <= 0, random);
    const bool killed = outcome.signal == SIGKILL;
    if (!killed && outcome.exit_code != 0) {
      tally.failure(std::string(piped.pipeline) + ": exit code " + std::to_string(outcome.exit_code) + " " +
                    outcome.err);
      return;
    }
    if (killed) tally.count("writers killed, their reader says what it has");
    // Half of the readers die as well, and have saved a part of what came.
    const bool dies = left > 0 && random.below(2) == 0;
    if (dies) tally.count("readers that died with it");
    if (dies && !killed) tally.count("  of those when the writer had finished");
    safe += outcome.out.substr(0, dies ? random.below(outcome.out.size() + 1) : std::string::npos);
    finished = !killed && !dies;
    if (finished) break;
  }
  tally.count("outputs kept by readers that say what they have");
  if (safe != expected)
    tally.failure(std::string(piped.pipeline) + ": the reader has " + std::to_string(safe.size()) +
                  " bytes for " + std::to_string(expected.size()));
  if (const std::string wrong = site->differences(); !wrong.empty()) tally.failure("beside a pipe: " + wrong);
}

/// `stream run ... --resume >> FILE`: stdout is a file, which can be cut.
void into_a_file(const Piped& piped, Random& random, int stops, Tally& tally) {
  const auto site = site_of(piped.pipeline, random);
  const std::string expected = site->take_output(piped.output);
  const testing::ScratchFolder elsewhere;
  const std::string file = (elsewhere / "out").string();
  testing::write_contents(file, "what was there before\n");
  for (int left = stops;; --left) {
    testing::Program program = site->program(2);
    std::string command = "exec";
    for (const auto& argument : program.argv) command += " '" + argument + "'";
    program.argv = {"/bin/bash", "-c", command + " >> '" + file + "'"};
    const testing::Outcome outcome = run_for_a_while(std::move(program), site->seconds(), left <= 0, random);
    if (outcome.signal == SIGKILL) {
      tally.count("writers killed that append to a file");
      continue;
    }
    if (outcome.exit_code != 0) tally.failure("exit code " + std::to_string(outcome.exit_code) + outcome.err);
    break;
  }
  tally.count("files appended to and compared");
  if (testing::contents(file) != "what was there before\n" + expected)
    tally.failure(std::string(piped.pipeline) + ": >> FILE holds something else");
}

}  // namespace

int delivery_campaign(const Options& options) {
  Random random(options.seed);
  Tally tally;
  constexpr Piped kPiped[] = {{"text", "out.txt", "out"},
                              {"merge", "joined.jsonl", "joined"},
                              {"bytes", "out.bin", "out"},
                              {"audio", "out.raw", "raw"}};
  const int rounds = options.count > 0 ? options.count : options.short_form ? 1 : 12;
  for (int round = 0; round < rounds; ++round) {
    const auto stops = [&] { return 2 + static_cast<int>(random.below(5)); };
    by_number(random, stops(), tally);
    for (const Piped& piped : kPiped) {
      if (options.short_form && random.below(2) == 0) continue;
      by_bytes(piped, random, stops(), tally);
      if (round % 3 == 0) into_a_file(piped, random, stops(), tally);
    }
  }
  return tally.report("delivery: output into pipes whose writers and readers are killed");
}

}  // namespace stream::campaign
