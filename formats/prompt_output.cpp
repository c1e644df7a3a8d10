#include "prompt_output.hpp"

namespace stream {

PromptOutput::~PromptOutput() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void PromptOutput::write(std::string_view item, std::string_view terminator) {
  const std::lock_guard lock(mutex_);
  if (failure_) std::rethrow_exception(failure_);
  file_.write(item);
  if (!terminator.empty()) file_.write(terminator);
  if (armed_) return;
  const auto now = Clock::now();
  if (now - flushed_ >= patience_) {
    file_.flush();
    flushed_ = now;
    return;
  }
  armed_ = true;
  if (!thread_.joinable()) thread_ = std::thread(&PromptOutput::flush_later, this);
  wake_.notify_one();
}

void PromptOutput::flush_later() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [&] { return armed_ || ending_; });
    wake_.wait_for(lock, patience_, [&] { return ending_; });
    if (ending_) return;
    try {
      file_.flush();
    } catch (...) {
      failure_ = std::current_exception();
    }
    flushed_ = Clock::now();
    armed_ = false;
  }
}

void PromptOutput::flush() {
  const std::lock_guard lock(mutex_);
  if (failure_) std::rethrow_exception(failure_);
  file_.flush();
}

}  // namespace stream
