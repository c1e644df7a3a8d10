/// An outside program that plays the world: lines of JSON to its stdin, lines of JSON from its stdout.
#pragma once

#include <string>

#include "stream/line_process.hpp"

namespace stream::bandits {

class WorldProcess {
 public:
  /// `command` is run by the shell. Throws Error(kFailed) when it cannot be started.
  WorldProcess(std::string command, Duration patience)
      : command_(std::move(command)), patience_(patience), process_(command_) {}

  void send(std::string line) { process_.say(std::move(line), std::chrono::steady_clock::now() + patience_); }
  /// The next line, without its end. Throws Error(kFailed) when the world has ended or says nothing for as
  /// long as `patience`, Error(kBadData) for a line of more than 16 MiB.
  std::string receive();

 private:
  std::string command_;
  Duration patience_;
  LineProcess process_;
};

}  // namespace stream::bandits
