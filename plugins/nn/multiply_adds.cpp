#include "nn/multiply_adds.hpp"

#include <stdexcept>
#include <string_view>

namespace stream::nn {

namespace {

/// Libtorch's callbacks are plain functions.
thread_local MultiplyAdds* active = nullptr;

at::Tensor operand(const at::RecordFunction& f, std::size_t i) {
  const auto inputs = f.inputs();
  return i < inputs.size() && inputs[i].isTensor() ? inputs[i].toTensor() : at::Tensor();
}

/// Terms in the sum behind each element of the result, or 0 for what is not counted. Composites such as
/// linear or matmul end in one of these, whatever libtorch's version makes of them in between.
std::int64_t terms(const at::RecordFunction& f) {
  const std::string_view name = f.name();
  const at::Tensor first = operand(f, 0), second = operand(f, 1);
  if (name == "aten::mm" || name == "aten::bmm" || name == "aten::mv" || name == "aten::dot")
    return first.size(-1);
  if (name == "aten::addmm" || name == "aten::baddbmm" || name == "aten::addmv") return second.size(-1);
  if (name == "aten::convolution") return second.numel() / second.size(0);
  if (name == "aten::mul" && first.defined() && second.defined() && first.dim() > 0 && second.dim() > 0)
    return 1;
  return 0;
}

}  // namespace

struct MultiplyAddsObserver {
  struct Call final : at::ObserverContext {
    explicit Call(std::int64_t n) : terms(n) {}
    std::int64_t terms;
  };

  static std::unique_ptr<at::ObserverContext> start(const at::RecordFunction& f) {
    if (!active) return nullptr;
    if (f.scope() == at::RecordScope::USER_SCOPE) {
      active->scopes_.emplace_back(f.name());
      return nullptr;
    }
    if (active->inside_) return nullptr;
    const std::int64_t n = terms(f);
    if (n == 0) return nullptr;
    active->inside_ = true;  // a kernel may be made of others: a convolution of a product
    return std::make_unique<Call>(n);
  }

  static void end(const at::RecordFunction& f, at::ObserverContext* context) {
    if (!active) return;
    if (f.scope() == at::RecordScope::USER_SCOPE) {
      if (active->scopes_.size() > 1) active->scopes_.pop_back();
    } else if (const auto* call = dynamic_cast<const Call*>(context)) {
      active->inside_ = false;
      if (!f.outputs().empty() && f.outputs().front().isTensor())
        active->counts_[active->scopes_.back()] += f.outputs().front().toTensor().numel() * call->terms;
    }
  }
};

MultiplyAdds::MultiplyAdds() {
  if (active) throw std::logic_error("this thread counts multiply-adds already");
  active = this;
  handle_ = at::addThreadLocalCallback(
      at::RecordFunctionCallback(&MultiplyAddsObserver::start, &MultiplyAddsObserver::end)
          .needsInputs(true)
          .needsOutputs(true)
          .scopes({at::RecordScope::FUNCTION, at::RecordScope::USER_SCOPE}));
}

MultiplyAdds::~MultiplyAdds() {
  at::removeCallback(handle_);
  active = nullptr;
}

void MultiplyAdds::note(std::int64_t multiply_adds) {
  if (active) active->counts_[active->scopes_.back()] += multiply_adds;
}

std::int64_t MultiplyAdds::within(const std::string& scope) const {
  const auto found = counts_.find(scope);
  return found == counts_.end() ? 0 : found->second;
}

}  // namespace stream::nn
