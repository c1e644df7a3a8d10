/// What an operator's inputs are like: types and ranges from its spec, what it turns out to accept, and how
/// a shape becomes packets.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "check/runner.hpp"
#include "check/shapes.hpp"
#include "stream/random.hpp"
#include "stream/spec.hpp"

namespace stream::laws {

class StreamModel {
 public:
  /// `params`: given ones; strings among them are likely names of members of records.
  StreamModel(const Spec& spec, const Contract& contract, const Object& params);

  /// Finds out by trying which rates, formats and members the operator accepts.
  void learn(Runner& runner);
  /// Packets of a file in place of made-up ones, for the port that takes their type. Throws Error(kUsage)
  /// when there is none.
  void record(std::vector<Packet> packets);
  /// Rate and channels, when the operator does not take all of those that were tried.
  std::optional<std::pair<int, int>> audio_needed() const;
  bool recorded() const { return !recorded_.empty(); }

  const Extent& extent() const { return extent_; }
  void set_extent(int marks, int recorded);
  /// In the order in which the graph would bring them: by time, then port.
  Inputs realise(const Shape& shape) const;
  /// An input of the port that the operator may refuse but must survive. Numbered; `hostile_count` of them.
  static std::size_t hostile_count();
  Packet hostile(std::size_t port, std::size_t number, const Packet& beside, std::string& name) const;

 private:
  struct Layout {
    int rate = 16000, channels = 1;
    PixelFormat format = PixelFormat::kGray;
    DType dtype = DType::kU8;
    int rank = 1;
  };
  struct Member {
    std::string name;
    int kind;  ///< index into the kinds of values; -1: any
  };
  struct PortModel {
    PayloadType type = PayloadType::kAny;
    std::vector<Layout> layouts;
    bool all_layouts = true;  ///< none of those tried was refused
    std::vector<Member> members;
    bool only_members = false;  ///< what the operator asks for is known: always give all of it
  };

  std::shared_ptr<const Payload> payload(const PortModel& port, const Layout& layout, const Mark& mark,
                                         std::int64_t position) const;
  Record record_of(const PortModel& port, const Mark& mark) const;
  std::size_t frames_of(const Layout& layout, const Mark& mark) const;
  Duration gap_of(int gap) const;
  void learn_layouts(Runner& runner, std::size_t port);
  void learn_members(Runner& runner, std::size_t port);

  std::vector<Port> ports_;
  std::vector<PortModel> models_;
  Duration unit_;  ///< of gaps and lengths
  Duration lookahead_;
  Extent extent_;
  std::vector<Packet> recorded_;
  std::size_t recorded_port_ = 0;
};

}  // namespace stream::laws
