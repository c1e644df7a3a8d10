#include "prompt_output.hpp"

#include <utility>

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
  std::unique_lock lock(mutex_);
  if (failure_) std::rethrow_exception(failure_);
  const std::size_t size = item.size() + terminator.size();
  if (filling_.size() + size > kPiece) hand_over(lock);
  if (size > kPiece) {  // too large to be worth a copy
    wait_idle(lock);
    to_file({item, terminator});
  } else {
    filling_.append(item).append(terminator);
  }
  if (armed_) return;
  const auto now = Clock::now();
  if (now - flushed_ >= patience_) {
    wait_idle(lock);
    write_out();
    flushed_ = now;
    return;
  }
  armed_ = true;
  due_ = now + patience_;
  start();
}

void PromptOutput::flush() {
  std::unique_lock lock(mutex_);
  wait_idle(lock);
  write_out();
}

std::uint64_t PromptOutput::offset() const {
  const std::lock_guard lock(mutex_);
  return handed_ + filling_.size();
}

void PromptOutput::resume_at(std::uint64_t offset) {
  std::unique_lock lock(mutex_);
  wait_idle(lock);
  filling_.clear();
  file_.resume_at(offset);
  handed_ = file_.offset();
}

/// A full piece to the thread, once that is done with the one before.
void PromptOutput::hand_over(std::unique_lock<std::mutex>& lock) {
  if (filling_.empty()) return;
  wait_idle(lock);
  if (filling_.empty()) return;  // it went out while we waited
  handed_ += filling_.size();
  std::swap(filling_, emptying_);
  busy_ = true;
  start();
}

void PromptOutput::wait_idle(std::unique_lock<std::mutex>& lock) {
  idle_.wait(lock, [&] { return !busy_; });
  if (failure_) std::rethrow_exception(failure_);
}

/// To the file, while the thread writes no piece.
void PromptOutput::to_file(std::initializer_list<std::string_view> texts, bool flush) {
  try {
    for (const std::string_view text : texts) file_.write(text);
    if (flush) file_.flush();
    handed_ = file_.offset();
  } catch (...) {
    failure_ = std::current_exception();  // some of it may be there: nothing is to follow
    throw;
  }
}

/// Everything to the operating system, while the thread writes no piece.
void PromptOutput::write_out() {
  to_file({filling_}, true);
  filling_.clear();
}

void PromptOutput::start() {
  if (!thread_.joinable()) thread_ = std::thread(&PromptOutput::serve, this);
  wake_.notify_one();
}

void PromptOutput::serve() {
  std::unique_lock lock(mutex_);
  for (;;) {
    bool due = false;
    if (armed_)
      due = !wake_.wait_until(lock, due_, [&] { return busy_ || ending_; });
    else
      wake_.wait(lock, [&] { return busy_ || armed_ || ending_; });
    if (busy_) {
      lock.unlock();
      std::exception_ptr failure;
      try {
        file_.write(emptying_);
      } catch (...) {
        failure = std::current_exception();
      }
      emptying_.clear();
      lock.lock();
      busy_ = false;
      if (failure) failure_ = std::move(failure);
      idle_.notify_all();
    } else if (ending_) {
      return;
    } else if (due) {
      armed_ = false;
      try {
        write_out();
      } catch (...) {  // kept for who writes
      }
      flushed_ = Clock::now();
    }
  }
}

}  // namespace stream
