/// An outside program that plays the world: lines of JSON to its stdin, lines of JSON from its stdout.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <string_view>

#include "stream/time.hpp"

namespace stream::bandits {

class WorldProcess {
 public:
  /// `command` is run by the shell. Throws Error(kFailed) when it cannot be started.
  WorldProcess(std::string command, Duration patience);
  ~WorldProcess();  ///< closes its stdin, and waits for it; after two seconds it is killed
  WorldProcess(const WorldProcess&) = delete;
  WorldProcess& operator=(const WorldProcess&) = delete;

  void send(std::string_view line);
  /// The next line, without its end. Throws Error(kFailed) when the world has ended or says nothing for as
  /// long as `patience`, Error(kBadData) for a line of more than 1 MiB.
  std::string receive();

 private:
  [[noreturn]] void died(const char* when);
  std::string command_;
  Duration patience_;
  int socket_ = -1;
  pid_t process_ = -1;
  std::string received_;
};

}  // namespace stream::bandits
