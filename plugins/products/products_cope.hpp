/// products.cope: which product a live stream or a short video shows.
#pragma once

#include <deque>

#include "products/cope_model.hpp"
#include "products/product_frames.hpp"
#include "stream/operator.hpp"
#include "stream/params.hpp"

namespace stream::products {

class CopeOperator final : public Operator {
 public:
  static Spec spec();
  explicit CopeOperator(const Params& params);
  void process(Packet in, Output& out) override { process(0, std::move(in), out); }
  void process(std::size_t port, Packet in, Output& out) override;
  void finish(Output& out) override;
  void save(Archive& state) const override;
  void load(const Archive& state) override;
  std::size_t state_bytes() const override;
  std::string progress() const override;

 private:
  struct Shown {
    Time time;
    std::vector<std::uint8_t> samples;
  };
  struct Said {
    Time time;
    std::string words;
  };
  void frame(const Packet& in, Output& out);
  void words(const Packet& in, Output& out);
  void fault(const Packet& in, const char* what, std::string detail, Output& out) const;
  /// Hops that end before `time`.
  void hop_to(Time time, Output& out);
  /// The window that ends at `end`, its frames and words.
  void window(Time end, Output& out);
  void answer(const Clip& clip, Time begin, Time end, Output& out);
  std::vector<PageIndex::Found> scores(std::span<const float> query);
  void follow(const std::vector<PageIndex::Found>& found, Time time, Output& out);
  Array listed(const std::vector<PageIndex::Found>& found) const;

  std::shared_ptr<const CopeModel> model_;
  std::shared_ptr<const PageIndex> index_;
  Domain domain_;
  bool whole_;  ///< one clip from beginning to end
  Duration window_, hop_, apart_;
  std::size_t k_;
  double smoothing_, least_;
  std::int64_t steady_;
  std::string member_;
  FrameShrinker shrink_;

  std::deque<Shown> frames_;
  std::deque<Said> said_;
  FrameKeeper kept_;         ///< of a whole clip
  std::string spoken_;       ///< in it
  Time first_{0}, last_{0};  ///< of the packets seen
  bool begun_ = false;
  std::int64_t next_hop_ = 0;  ///< number of the hop that is to come: it ends at (number + 1) hop
  std::vector<std::pair<std::size_t, float>> smoothed_;  ///< page and score, the best first
  std::int64_t shown_ = -1, candidate_ = -1, seen_ = 0;  ///< page, page, hops in a row
  int width_ = 0, height_ = 0;                           ///< of the frame before
  Key key_;
};

}  // namespace stream::products
