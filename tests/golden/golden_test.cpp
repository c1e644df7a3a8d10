/// Runs every folder beside this file: a recipe, an input, the expected output.
///
///   recipe.toml      the recipe (required); run in a scratch folder that holds a copy of the golden folder
///   input.*          given with -i, and once more through stdin; without it the recipe names its own inputs
///   args             more arguments, one a line; lines that start with # are left out
///   expected.*       what must appear on stdout, byte for byte
///   expected/NAME    what must stand in the file NAME of the scratch folder afterwards
///   stderr           lines that stderr must contain; `${input}` stands for the input's name
///   exit             the exit code, 0 when there is no such file
///
/// A folder is run with its input as a file, as a pipe, as a pipe that trickles, with 1, 2 and 8 threads and,
/// when it succeeds, stopped in the middle (by SIGTERM and by SIGKILL) and resumed: everything must come out
/// the same.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <csignal>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <sstream>
#include <thread>

#include "program/program.hpp"

namespace stream::testing {
namespace {

namespace fs = std::filesystem;

struct Golden {
  std::string name;
  fs::path folder;
  std::optional<fs::path> input, expected;
  std::vector<std::string> args, complaints;
  int exit_code = 0;
};

std::vector<std::string> lines_of(const fs::path& file) {
  std::vector<std::string> lines;
  if (!fs::exists(file)) return lines;
  std::istringstream text(contents(file));
  for (std::string line; std::getline(text, line);) {
    if (!line.empty() && line[0] != '#') lines.push_back(line);
  }
  return lines;
}

Golden read_golden(const fs::path& folder) {
  Golden golden{.name = folder.filename().string(), .folder = folder};
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const std::string file = entry.path().filename().string();
    if (file.starts_with("input.")) golden.input = entry.path();
    if (file.starts_with("expected.")) golden.expected = entry.path();
  }
  golden.args = lines_of(folder / "args");
  golden.complaints = lines_of(folder / "stderr");
  if (fs::exists(folder / "exit")) golden.exit_code = std::stoi(contents(folder / "exit"));
  return golden;
}

std::vector<Golden> all_golden_folders() {
  std::vector<Golden> found;
  for (const fs::directory_entry& entry : fs::directory_iterator(STREAM_SOURCE_DIR "/tests/golden")) {
    if (fs::exists(entry.path() / "recipe.toml")) found.push_back(read_golden(entry.path()));
  }
  std::sort(found.begin(), found.end(), [](const Golden& a, const Golden& b) { return a.name < b.name; });
  return found;
}

void PrintTo(const Golden& golden, std::ostream* out) { *out << golden.name; }

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

class GoldenTest : public ::testing::TestWithParam<Golden> {
 protected:
  const Golden& golden() const { return GetParam(); }

  /// A fresh copy of the folder, without what is expected of it.
  void copy_to(const fs::path& scratch) const {
    for (const fs::directory_entry& entry : fs::directory_iterator(golden().folder)) {
      const std::string file = entry.path().filename().string();
      if (!file.starts_with("expected")) fs::copy(entry.path(), scratch / file, fs::copy_options::recursive);
    }
  }

  Program program(const fs::path& scratch, std::vector<std::string> more = {}) const {
    Program p{
        .argv = {STREAM_BINARY_DIR "/bin/stream", "run", "recipe.toml"}, .input = "", .folder = scratch};
    p.argv.insert(p.argv.end(), golden().args.begin(), golden().args.end());
    p.argv.insert(p.argv.end(), more.begin(), more.end());
    return p;
  }

  std::string input_name() const { return golden().input ? golden().input->filename().string() : "-"; }

  void check(const Outcome& outcome, const fs::path& scratch, const std::string& name_of_input) const {
    EXPECT_FALSE(outcome.timed_out);
    EXPECT_EQ(outcome.signal, 0);
    EXPECT_EQ(outcome.exit_code, golden().exit_code) << outcome.err;
    if (golden().expected) expect_same(outcome.out, contents(*golden().expected));
    for (const std::string& line : golden().complaints) {
      EXPECT_THAT(outcome.err, ::testing::HasSubstr(replaced(line, "${input}", name_of_input)));
    }
    check_files(scratch);
  }

  void check_files(const fs::path& scratch) const {
    if (!fs::exists(golden().folder / "expected")) return;
    for (const fs::directory_entry& entry : fs::directory_iterator(golden().folder / "expected")) {
      const fs::path made = scratch / entry.path().filename();
      ASSERT_TRUE(fs::exists(made)) << made << " was not written";
      expect_same(contents(made), contents(entry.path()));
    }
  }

  /// Says where two outputs part instead of printing both.
  static void expect_same(const std::string& got, const std::string& expected) {
    if (got == expected) return;
    const auto parting = std::mismatch(got.begin(), got.end(), expected.begin(), expected.end());
    const std::size_t at = static_cast<std::size_t>(parting.first - got.begin()),
                      from = at < 40 ? 0 : at - 40;
    ADD_FAILURE() << "outputs part at byte " << at << ": " << got.size() << " bytes, expected "
                  << expected.size() << "\n  got      ..."
                  << ::testing::PrintToString(got.substr(std::min(from, got.size()), 120))
                  << "\n  expected ..."
                  << ::testing::PrintToString(expected.substr(std::min(from, expected.size()), 120));
  }

  Outcome run_from_pipe(const fs::path& scratch, std::size_t piece) const {
    Program p = program(scratch, {"-i", "-"});
    p.input = contents(*golden().input);
    p.piece = piece;
    return run(p);
  }

  void stop_and_resume(int signal) const;
};

TEST_P(GoldenTest, AsFile) {
  const ScratchFolder scratch;
  copy_to(scratch.path());
  const std::vector<std::string> from =
      golden().input ? std::vector<std::string>{"-i", input_name()} : std::vector<std::string>{};
  check(run(program(scratch.path(), from)), scratch.path(), input_name());
}

TEST_P(GoldenTest, AsPipe) {
  if (!golden().input) GTEST_SKIP() << "the recipe names its inputs";
  const ScratchFolder scratch;
  copy_to(scratch.path());
  check(run_from_pipe(scratch.path(), 1 << 16), scratch.path(), "stdin");
}

TEST_P(GoldenTest, AsTricklingPipe) {
  if (!golden().input) GTEST_SKIP() << "the recipe names its inputs";
  const std::size_t size = fs::file_size(*golden().input);
  const ScratchFolder scratch;
  copy_to(scratch.path());
  // Every byte by itself where the input is small, some thousands of odd pieces otherwise.
  check(run_from_pipe(scratch.path(), std::max<std::size_t>(1, size / 4001)), scratch.path(), "stdin");
}

TEST_P(GoldenTest, WithAnyNumberOfThreads) {
  for (const char* threads : {"1", "2", "8"}) {
    SCOPED_TRACE(std::string("--threads ") + threads);
    const ScratchFolder scratch;
    copy_to(scratch.path());
    std::vector<std::string> more = {"--threads", threads};
    if (golden().input) more.insert(more.end(), {"-i", input_name()});
    check(run(program(scratch.path(), more)), scratch.path(), input_name());
  }
}

/// Feeds half of the input, stops the run while it waits for more, and resumes from the whole input as a
/// file.
void GoldenTest::stop_and_resume(int signal) const {
  if (!golden().input || golden().exit_code != 0) GTEST_SKIP() << "nothing to resume";
  const ScratchFolder scratch;
  copy_to(scratch.path());
  std::vector<std::string> checkpointed = {"--checkpoint", "run.checkpoint", "--every", "10ms", "--resume"};
  // A pipe cannot take back what was written to it: what else goes to stdout goes to a file here.
  if (golden().expected) checkpointed.insert(checkpointed.end(), {"-o", "stdout"});

  Program first = program(scratch.path(), checkpointed);
  first.argv.insert(first.argv.end(), {"-i", "-"});
  const std::string whole = contents(*golden().input);
  first.input = whole.substr(0, whole.size() / 2);
  first.when_fed = [&](int pid) {
    // Long enough for the first checkpoint; a run that is stopped before it starts over, which must come out
    // the same.
    for (int i = 0; i < 100 && !fs::exists(scratch / "run.checkpoint"); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    ::kill(pid, signal);
  };
  const Outcome stopped = run(first);
  EXPECT_EQ(stopped.exit_code, 128 + signal) << stopped.err;

  Program second = program(scratch.path(), checkpointed);
  second.argv.insert(second.argv.end(), {"-i", input_name()});
  const Outcome resumed = run(second);
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  if (golden().expected) expect_same(contents(scratch / "stdout"), contents(*golden().expected));
  check_files(scratch.path());
}

TEST_P(GoldenTest, ResumesAfterSigterm) { stop_and_resume(SIGTERM); }
TEST_P(GoldenTest, ResumesAfterSigkill) { stop_and_resume(SIGKILL); }

INSTANTIATE_TEST_SUITE_P(Folders, GoldenTest, ::testing::ValuesIn(all_golden_folders()),
                         [](const ::testing::TestParamInfo<Golden>& info) {
                           std::string name = info.param.name;
                           std::replace_if(
                               name.begin(), name.end(),
                               [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); }, '_');
                           return name;
                         });

}  // namespace
}  // namespace stream::testing
