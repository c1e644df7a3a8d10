/// The laws for the operators of plugins/signals.
#include <gmock/gmock.h>

#include "fed_pipe.hpp"
#include "laws.hpp"
#include "signals/signals_code.hpp"
#include "signals/signals_dictionary.hpp"
#include "signals/signals_vectors.hpp"
#include "signals/study_dictionary.hpp"

namespace stream::signals {
namespace {

template <typename Op>
auto source(Object params) {
  return [params = std::move(params)] {
    auto op = testing::make<Op>(params, {.seed = 2});
    return std::unique_ptr<Source>(dynamic_cast<Source*>(op.release()));
  };
}

std::vector<Packet> vectors(int count) {
  return testing::drain(*source<SparseVectors>({{"size", 6}, {"count", count}})(), 2).packets[0];
}

TEST(Laws, SignalsDictionary) {
  const Object params{{"size", 6}, {"batch", 3}, {"refresh", 16}, {"centre", true}};
  laws::check_all(laws::subject<DictionaryOperator>(params), vectors(60));
}

TEST(Laws, SignalsEncode) {
  const laws::ScratchFile file("", ".h5");
  Random random(1);
  write_dictionary(file.path(), Codebook(Matrix::random_orthogonal(6, random), std::vector<double>(6)), 0);
  laws::check_all(laws::subject<EncodeOperator>(Object{{"model", file.path()}, {"terms", 2}}), vectors(40));
}

/// Two ports in one, as the graph would bring them: dictionaries first.
class OnePort final : public Operator {
 public:
  void process(Packet in, Output& out) override {
    const std::size_t port = in.is(PayloadType::kTensor) ? 0 : 1;
    inner_.process(port, std::move(in), out);
  }
  void save(Archive& state) const override { inner_.save(state); }
  void load(const Archive& state) override { inner_.load(state); }
  std::size_t state_bytes() const override { return inner_.state_bytes(); }

 private:
  DecodeOperator inner_;
};

TEST(Laws, SignalsDecode) {
  const auto learner = testing::make<DictionaryOperator>({{"size", 6}, {"refresh", 8}});
  testing::Collector out = testing::run(*learner, vectors(40), 4);
  std::vector<Packet> merged = out.packets[0];
  merged.insert(merged.end(), out.packets[1].begin(), out.packets[1].end());
  std::stable_sort(merged.begin(), merged.end(),
                   [](const Packet& a, const Packet& b) { return a.time < b.time; });
  const laws::Subject subject{[] { return std::make_unique<OnePort>(); }, DecodeOperator::spec().contract()};
  ASSERT_EQ(laws::run(subject, merged)[0].size(), 40u);
  laws::resuming_is_exact(subject, merged);
  laws::output_is_punctual(subject, merged);
}

TEST(Laws, SignalsAudioVectors) {
  std::vector<Packet> packets;
  Random random(3);
  for (int i = 0; i < 20; ++i) {
    std::vector<float> samples(50);
    for (float& x : samples) x = static_cast<float>(random.uniform(-1, 1));
    packets.push_back(Packet::of<Audio>(duration_of(25 * i, 8000), std::move(samples), 2, 8000));
    packets.back().duration = duration_of(25, 8000);
  }
  laws::check_all(laws::subject<AudioVectors>(Object{{"size", 16}}), packets);
}

TEST(Laws, SignalsVectorsAudio) { laws::check_all(laws::subject<VectorsAudio>(), vectors(20)); }

TEST(Laws, SignalsRecordVectors) {
  std::vector<Packet> packets;
  for (int i = 0; i < 20; ++i) {
    Object record{{"a", i}};
    if (i % 3 == 0) record.set("b", 0.5 * i);
    packets.push_back(Packet::of<Record>(Time{i}, std::move(record)));
  }
  laws::check_all(laws::subject<RecordVectors>(Object{{"members", Array{"a", "b"}}}), packets);
}

TEST(Laws, SignalsSparseVectors) {
  laws::resuming_a_source_is_exact(source<SparseVectors>({{"count", 300}}), 2);
}

TEST(Laws, SignalsStudyDictionary) {
  laws::resuming_a_source_is_exact(source<DictionaryStudy>({{"parts", Array{"exact"}}}));
}

}  // namespace
}  // namespace stream::signals
