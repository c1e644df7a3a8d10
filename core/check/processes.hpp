/// Plays scenarios in processes of the plugin's own, so that this one survives whatever it does.
#pragma once

#include <memory>

#include "check/jobs.hpp"

namespace stream::laws {

/// A worker process, started when it is first needed.
class Process {
 public:
  Process(Setup setup, std::vector<std::string> program);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  /// The spec, with the contract under the setup's parameters. Throws Error(kBadRecipe) when the plugin
  /// cannot be loaded or refuses the parameters, Error(kFailed) when loading it ends its process.
  const Spec& spec();
  /// What the plugin offers.
  const std::vector<std::string>& operators();
  /// The reply to a job: its bytes, or what became of the process.
  std::string ask(const std::string& job, std::optional<Fault>& fault);

 private:
  void start();
  void stop();
  Setup setup_;
  std::vector<std::string> program_;
  int socket_ = -1, pid_ = -1;
  std::optional<Spec> spec_;
  std::vector<std::string> operators_;
};

class ProcessRunner final : public Runner {
 public:
  /// `program`: how to start a worker; a descriptor's number is added.
  ProcessRunner(const Setup& setup, const std::vector<std::string>& program);
  const Spec& spec() { return usual_.spec(); }
  Outcome run(const Scenario& scenario, Where where) override;
  Measures measure(const Scenario& scenario, std::uint64_t packets, double seconds) override;
  GraphOutcome run_graph(const Scenario& scenario, int threads, std::uint64_t delays, std::size_t copies);
  /// At most `packets` of a file as the reader delivers them. Throws Error(kBadData) when it does not.
  std::vector<Packet> read_file(const std::string& reader, const Object& params, std::size_t packets);
  std::optional<Fault> interrupt(const Feed& feed);

 private:
  Process usual_, fresh_;
};

}  // namespace stream::laws
