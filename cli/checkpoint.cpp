/// stream checkpoint show, verify and diff: what a checkpoint (or a model) holds. Any archive will do.
#include <cstdio>

#include "archive_tree.hpp"
#include "hdf5/archive_library.hpp"
#include "stream/error.hpp"
#include "text.hpp"
#include "verb.hpp"

namespace stream::cli {
namespace {

class Show final : public Verb {
 public:
  Show() : Verb("checkpoint show", "Print what a checkpoint or model file holds.") {
    option("FILE", "FILE", &file_, "checkpoint or model").required = true;
    option("--json", "", &json_, "one JSON object for each value");
    example("weights imported from elsewhere",
            "stream import weights.npz weights.h5 && stream checkpoint show weights.h5");
  }
  int run() override {
    const Archive archive = archive_library().read(file_);
    Table table;
    std::string json;
    for (const ArchiveLine& line : lines_of(archive)) {
      if (json_) {
        json += Value(Object{{"path", line.path},
                             {"kind", line.kind},
                             {"shape", line.shape},
                             {"value", line.value},
                             {"bytes", static_cast<std::int64_t>(line.bytes)}})
                    .dump() +
                "\n";
      } else {
        table.row({line.path, line.kind, line.shape.empty() ? line.value : line.shape,
                   bytes_text(static_cast<double>(line.bytes))});
      }
    }
    print(json_ ? json : table.text() + "total " + bytes_text(static_cast<double>(archive.bytes())) + "\n");
    return 0;
  }

 private:
  std::string file_;
  bool json_ = false;
};

class Verify final : public Verb {
 public:
  Verify() : Verb("checkpoint verify", "Check that checkpoint or model files are whole and undamaged.") {
    option("FILE", "FILE", &files_, "checkpoints or models").required = true;
    example("before relying on it",
            "stream import weights.npz weights.h5 && stream checkpoint verify weights.h5");
  }
  int run() override {
    int worst = 0;
    for (const std::string& file : files_) {
      try {
        const Archive archive = archive_library().read(file);
        print(file + ": good, " + bytes_text(static_cast<double>(archive.bytes())) + "\n");
      } catch (const Error& e) {
        std::fprintf(stderr, "stream: error: %s\n", e.what());
        worst = static_cast<int>(e.code());
      }
    }
    return worst;
  }

 private:
  std::vector<std::string> files_;
};

class Diff final : public Verb {
 public:
  Diff()
      : Verb("checkpoint diff",
             "Say where two checkpoints or models differ; the exit code is 1 when they do.") {
    option("FILE1", "FILE", &first_, "the one before").required = true;
    option("FILE2", "FILE", &second_, "the one after").required = true;
    example("a file equals itself",
            "stream import weights.npz weights.h5 && stream checkpoint diff weights.h5 weights.h5");
  }
  int run() override {
    const auto found = differences(archive_library().read(first_), archive_library().read(second_));
    Table table;
    for (const ArchiveDifference& d : found) table.row({d.path, d.what});
    print(table.text());
    return found.empty() ? 0 : 1;
  }

 private:
  std::string first_, second_;
};

}  // namespace

std::unique_ptr<Verb> make_checkpoint_show() { return std::make_unique<Show>(); }
std::unique_ptr<Verb> make_checkpoint_verify() { return std::make_unique<Verify>(); }
std::unique_ptr<Verb> make_checkpoint_diff() { return std::make_unique<Diff>(); }

}  // namespace stream::cli
