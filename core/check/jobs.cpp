#include "check/jobs.hpp"

#include <chrono>
#include <filesystem>
#include <thread>

#include "check/fed_pipe.hpp"
#include "check/wire.hpp"
#include "stream/file.hpp"

namespace stream::laws {
namespace {

constexpr std::uint64_t kLargestOutput = std::uint64_t{1} << 30;

/// What a source reads, for as long as it lives.
class Fed {
 public:
  Fed(const Feed& feed, const std::string& folder) {
    if (feed.most > 0)
      pipe_ = std::make_unique<FedPipe>(feed.bytes, feed.most, feed.seed, true, feed.slow);
    else
      file_ = std::make_unique<ScratchFile>(feed.bytes, feed.ending, folder);
  }
  std::string path() const { return pipe_ ? pipe_->path() : file_->path(); }

 private:
  std::unique_ptr<FedPipe> pipe_;
  std::unique_ptr<ScratchFile> file_;
};

Outcome run_scenario(Workbench& bench, const Scenario& scenario, Progress& progress) {
  if (scenario.feed) {
    const Fed fed(*scenario.feed, bench.setup().scratch);
    return play(bench.subject(fed.path()), scenario, progress);
  }
  // What an earlier run wrote is no part of this one, unless it continues that.
  if (!scenario.output.empty() && !scenario.state) std::filesystem::remove(scenario.output);
  Outcome outcome = play(bench.subject(scenario.output), scenario, progress);
  if (!scenario.output.empty() && std::filesystem::exists(scenario.output))
    outcome.written = read_file(scenario.output, kLargestOutput);
  return outcome;
}

Measures run_measure(Workbench& bench, const Scenario& scenario, std::uint64_t packets, double seconds,
                     Progress& progress) {
  if (scenario.feed) {
    const Fed fed(*scenario.feed, bench.setup().scratch);
    return play_growing(bench.subject(fed.path()), scenario, packets, seconds, progress);
  }
  return play_growing(bench.subject(scenario.output), scenario, packets, seconds, progress);
}

/// What a file holds, as the reader of its kind delivers it.
Inputs read_inputs(Workbench& bench, const std::string& reader, const Object& params, std::size_t packets) {
  const auto op = bench.registry().make(reader, params, bench.context());
  auto* source = dynamic_cast<Source*>(op.get());
  if (source == nullptr) throw failed(reader + " is no source");
  testing::Collector out(1);
  while (out.packets[0].size() < packets && source->read(out)) {
  }
  if (out.packets[0].size() < packets) source->finish(out);
  Inputs inputs;
  for (Packet& packet : out.packets[0]) {
    if (inputs.size() == packets) break;
    packet.sequence = 0;
    packet.arrival = 0;
    inputs.push_back({0, std::move(packet)});
  }
  return inputs;
}

/// A source whose input never comes must come back when it is interrupted.
std::optional<Fault> interrupted(Workbench& bench, const Feed& feed, Progress& progress) {
  const FedPipe pipe(feed.bytes, 1000, feed.seed, false);
  const Subject subject = bench.subject(pipe.path());
  try {
    progress.at(Phase::kMake, 0);
    const auto op = subject.make();
    auto& source = dynamic_cast<Source&>(*op);
    std::atomic<bool> done{false};
    progress.at(Phase::kRead, 0);
    std::thread timer([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      done = true;
      source.interrupt();
    });
    testing::Collector out(subject.outputs);
    try {
      while (!done && source.read(out)) {
      }
    } catch (...) {
      timer.join();
      throw;
    }
    timer.join();
  } catch (const Error&) {  // what the input was refused for does not matter here
  } catch (...) {
    return fault_in_flight(progress);
  }
  return {};
}

}  // namespace

Workbench::Workbench(Setup setup) : setup_(std::move(setup)), spec_("", "") {
  registry_.scan(Registry::default_folders());
  if (!setup_.library.empty()) operators_ = registry_.load(setup_.library).operators;
  if (setup_.operation.empty()) return;
  const OperatorInfo* info = registry_.find(setup_.operation);
  if (info == nullptr)
    throw bad_recipe(setup_.library + ": has no operator '" + setup_.operation + "'" +
                     did_you_mean(setup_.operation, registry_.names()));
  spec_ = info->spec;
  Object given = setup_.params;
  // The path that the check itself sets need not be given.
  const Param* path = spec_.source() || spec_.sink() ? path_param(spec_) : nullptr;
  if (path != nullptr && given.find(path->name) == nullptr) given.set(path->name, "-");
  contract_ = spec_.contract(Params(spec_, given, context()));
}

Context Workbench::context() const {
  return Context{setup_.operation, setup_.recipe_dir, {}, setup_.device, setup_.seed};
}

Object Workbench::params(const std::string& path) const {
  Object params = setup_.params;
  const Param* param = path_param(spec_);
  if (!path.empty()) {
    params.set(param->name, path);
  } else if (spec_.sink() && param != nullptr) {
    // Nothing that is tried may write where the user's own runs do.
    const Value* given = params.find(param->name);
    const std::string ending =
        given != nullptr ? std::filesystem::path(given->as_string()).extension().string() : std::string();
    params.set(param->name, (std::filesystem::path(setup_.scratch) / ("unread" + ending)).string());
  }
  return params;
}

Subject Workbench::subject(const std::string& path) {
  return {[this, path] { return registry_.make(setup_.operation, params(path), context()); }, contract_,
          spec_.outputs().size(), spec_.inputs().size()};
}

std::string do_job(Workbench& bench, std::string_view job, Progress& progress) {
  Reader in(job);
  Writer out;
  switch (in.number<Job>()) {
    case Job::kRun:
      out.outcome(run_scenario(bench, in.scenario(), progress));
      break;
    case Job::kMeasure: {
      const Scenario scenario = in.scenario();
      const auto packets = in.number<std::uint64_t>();
      out.measures(run_measure(bench, scenario, packets, in.number<double>(), progress));
      break;
    }
    case Job::kGraph: {
      const Scenario scenario = in.scenario();
      GraphRun run{scenario.inputs, in.number<int>(), in.number<std::uint64_t>(), in.number<std::uint64_t>()};
      progress.at(Phase::kGraph, 0);
      const GraphOutcome outcome = run_graph(bench, run, scenario.feed, scenario.output);
      out.number<std::uint64_t>(outcome.emitted.size());
      for (const auto& emitted : outcome.emitted) out.emissions(emitted);
      out.number<std::uint64_t>(outcome.written.size());
      for (const auto& written : outcome.written) out.text(written);
      out.fault(outcome.fault);
      break;
    }
    case Job::kRead: {
      const std::string reader = in.text();
      const Value params = Value::parse(in.text());
      out.inputs(read_inputs(bench, reader, params.as_object(), in.number<std::uint64_t>()));
      break;
    }
    case Job::kInterrupt: {
      const Scenario scenario = in.scenario();
      out.fault(interrupted(bench, scenario.feed.value_or(Feed{}), progress));
      break;
    }
  }
  return out.bytes();
}

}  // namespace stream::laws
