#include "check/processes.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

#include <cstring>

#include "check/channel.hpp"
#include "check/wire.hpp"

extern char** environ;

namespace stream::laws {
namespace {

/// Loading a plugin may bring in half a gigabyte of libraries from a cold disk.
constexpr double kLoadSeconds = 120;

std::string job_of(Job kind, const Scenario& scenario) {
  Writer out;
  out.number(kind);
  out.scenario(scenario);
  return out.bytes();
}

}  // namespace

Process::Process(Setup setup, std::vector<std::string> program)
    : setup_(std::move(setup)), program_(std::move(program)) {}

Process::~Process() { stop(); }

void Process::stop() {
  if (socket_ >= 0) ::close(socket_);
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  socket_ = pid_ = -1;
}

void Process::start() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    throw failed(std::string("no socket can be made: ") + std::strerror(errno));
  // The worker's end under a number that survives its start.
  const int inherited = ::fcntl(ends[1], F_DUPFD, 3);
  ::close(ends[1]);
  std::vector<std::string> words = program_;
  words.push_back(std::to_string(inherited));
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const int error = ::posix_spawn(&pid_, argv[0], nullptr, nullptr, argv.data(), environ);
  ::close(inherited);
  socket_ = ends[0];
  if (error != 0) {
    pid_ = -1;
    throw failed(words[0] + ": " + std::strerror(error));
  }
  send_message(socket_, setup_.to_value().dump());
  const auto reply = receive_message(socket_, kLoadSeconds);
  if (!reply || reply->empty()) {
    int status = 0;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    const std::string how = WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL
                                ? std::string(": ") + ::strsignal(WTERMSIG(status))
                                : std::string();
    throw failed(setup_.library + ": loading the plugin ended its process" + how);
  }
  if (reply->front() != '+')
    throw bad_recipe((setup_.operation.empty() ? "" : setup_.operation + ": ") + reply->substr(1));
  const Value description = Value::parse(std::string_view(*reply).substr(1));
  const Object& o = description.as_object();
  if (const Value* spec = o.find("spec")) spec_ = Spec::from_value(*spec);
  if (const Value* names = o.find("operators")) {
    for (const Value& name : names->as_array()) operators_.push_back(name.as_string());
  }
}

const Spec& Process::spec() {
  if (socket_ < 0) start();
  return spec_.value();
}

const std::vector<std::string>& Process::operators() {
  if (socket_ < 0) start();
  return operators_;
}

std::string Process::ask(const std::string& job, std::optional<Fault>& fault) {
  if (socket_ < 0) start();
  if (send_message(socket_, job)) {
    if (auto reply = receive_message(socket_, -1); reply && !reply->empty()) {
      const std::string_view rest = std::string_view(*reply).substr(1);
      if (reply->front() == '+') return std::string(rest);
      fault = Reader(rest).fault();
      return {};
    }
  }
  stop();
  throw failed("the process that plays " + setup_.operation + " has gone");
}

ProcessRunner::ProcessRunner(const Setup& setup, const std::vector<std::string>& program)
    : usual_(setup, program), fresh_(setup, program) {}

Outcome ProcessRunner::run(const Scenario& scenario, Where where) {
  Outcome outcome;
  const std::string reply =
      (where == Where::kFresh ? fresh_ : usual_).ask(job_of(Job::kRun, scenario), outcome.fault);
  return outcome.fault ? outcome : Reader(reply).outcome();
}

Measures ProcessRunner::measure(const Scenario& scenario, std::uint64_t packets, double seconds) {
  Writer job;
  job.number(Job::kMeasure);
  job.scenario(scenario);
  job.number(packets);
  job.number(seconds);
  Measures measures;
  const std::string reply = usual_.ask(job.bytes(), measures.fault);
  return measures.fault ? measures : Reader(reply).measures();
}

GraphOutcome ProcessRunner::run_graph(const Scenario& scenario, int threads, std::uint64_t delays,
                                      std::size_t copies) {
  Writer job;
  job.number(Job::kGraph);
  job.scenario(scenario);
  job.number(threads);
  job.number(delays);
  job.number<std::uint64_t>(copies);
  GraphOutcome outcome;
  const std::string reply = usual_.ask(job.bytes(), outcome.fault);
  if (outcome.fault) return outcome;
  Reader in(reply);
  for (auto n = in.number<std::uint64_t>(); n > 0; --n) outcome.emitted.push_back(in.emissions());
  for (auto n = in.number<std::uint64_t>(); n > 0; --n) outcome.written.push_back(in.text());
  outcome.fault = in.fault();
  return outcome;
}

std::vector<Packet> ProcessRunner::read_file(const std::string& reader, const Object& params,
                                             std::size_t packets) {
  Writer job;
  job.number(Job::kRead);
  job.text(reader);
  job.text(Value(params).dump());
  job.number<std::uint64_t>(packets);
  std::optional<Fault> fault;
  const std::string reply = usual_.ask(job.bytes(), fault);
  if (fault) throw bad_data("--input: " + fault->message);
  std::vector<Packet> out;
  for (Input& input : Reader(reply).inputs()) out.push_back(std::move(input.packet));
  return out;
}

std::optional<Fault> ProcessRunner::interrupt(const Feed& feed) {
  Scenario scenario;
  scenario.feed = feed;
  std::optional<Fault> fault;
  const std::string reply = usual_.ask(job_of(Job::kInterrupt, scenario), fault);
  return fault ? fault : Reader(reply).fault();
}

}  // namespace stream::laws
