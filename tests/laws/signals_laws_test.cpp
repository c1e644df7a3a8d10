/// The laws for the operators of plugins/signals.
#include <gmock/gmock.h>

#include "fed_pipe.hpp"
#include "laws.hpp"
#include "signals/signals_bytes.hpp"
#include "signals/signals_code.hpp"
#include "signals/signals_dictionary.hpp"
#include "signals/signals_image.hpp"
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

TEST(Laws, SignalsReconstruct) {
  const laws::ScratchFile file("", ".h5");
  Random random(1);
  write_dictionary(file.path(), Codebook(Matrix::random_orthogonal(6, random), std::vector<double>(6)), 0);
  const Object params{{"model", file.path()}};
  const auto coder = testing::make<EncodeOperator>(params);
  laws::check_all(laws::subject<ReconstructOperator>(params),
                  testing::run(*coder, vectors(40), 2).packets[0]);
}

/// Codes of three versions of a dictionary of six atoms.
std::vector<Packet> codes() {
  std::vector<Packet> out;
  Random random(5);
  for (int i = 0; i < 30; ++i) {
    SparseCode code;
    for (std::int64_t k = 0; k < 6; ++k)
      if (random.uniform() < 0.4) code.indices.push_back(k), code.values.push_back(random.normal());
    out.push_back(Packet::of<Record>(Time{i}, code_record(code, i / 10)));
  }
  return out;
}

/// `bytes` in packets of one to nine.
std::vector<Packet> in_pieces(const std::string& bytes) {
  std::vector<Packet> out;
  Random random(6);
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t n = std::min<std::size_t>(1 + random.below(9), bytes.size() - at);
    out.push_back(Packet::of<Bytes>(Time{static_cast<std::int64_t>(at)}, Buffer::own(bytes.substr(at, n))));
    at += n;
  }
  return out;
}

std::string packed(const Object& params) {
  std::string bytes;
  const auto packer = testing::make<PackOperator>(params);
  const testing::Collector out = testing::run(*packer, codes(), 2);
  for (const Packet& p : out.packets[0]) bytes += p.as<Bytes>().buffer().text();
  return bytes;
}

TEST(Laws, SignalsPack) { laws::check_all(laws::subject<PackOperator>(Object{{"size", 6}}), codes()); }

TEST(Laws, SignalsUnpack) {
  laws::check_all(laws::subject<UnpackOperator>(), in_pieces(packed({{"size", 6}, {"values", "float32"}})));
}

TEST(Laws, SignalsBytesVectors) {
  std::string raw;
  Random random(7);
  for (int i = 0; i < 60; ++i) {
    const auto v = static_cast<float>(random.normal());
    raw.append(reinterpret_cast<const char*>(&v), sizeof v);
  }
  laws::check_all(laws::subject<BytesVectors>(Object{{"size", 4}}), in_pieces(raw));
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (12, 5), }\n";
  const std::string npy =
      std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(header.size()) + '\0' + header + raw;
  laws::check_all(laws::subject<BytesVectors>(Object{{"format", "npy"}}), in_pieces(npy));
}

std::vector<Packet> pictures(int count) {
  std::vector<Packet> out;
  Random random(8);
  for (int i = 0; i < count; ++i) {
    const auto plane = [&](int width, int height) {
      std::vector<std::uint8_t> samples(static_cast<std::size_t>(width * height));
      for (auto& s : samples) s = static_cast<std::uint8_t>(random.below(256));
      return Frame::Plane{Buffer::own(std::move(samples)), width, height, static_cast<std::size_t>(width)};
    };
    out.push_back(Packet::of<Frame>(Time{i * 40'000'000}, 7, 5, PixelFormat::kYuv420, DType::kU8,
                                    std::vector<Frame::Plane>{plane(7, 5), plane(4, 3), plane(4, 3)}));
  }
  return out;
}

TEST(Laws, SignalsFramePatches) {
  laws::check_all(laws::subject<FramePatches>(Object{{"size", 4}}), pictures(6));
}

/// Two ports in one: a picture, then its patches.
class PicturesInOnePort final : public Operator {
 public:
  explicit PicturesInOnePort() : inner_(Params(PatchesFrame::spec(), {{"size", 4}})) {}
  void process(Packet in, Output& out) override {
    const std::size_t port = in.is(PayloadType::kFrame) ? 0 : 1;
    inner_.process(port, std::move(in), out);
  }
  void save(Archive& state) const override { inner_.save(state); }
  void load(const Archive& state) override { inner_.load(state); }
  std::size_t state_bytes() const override { return inner_.state_bytes(); }

 private:
  PatchesFrame inner_;
};

TEST(Laws, SignalsPatchesFrame) {
  const auto cut = testing::make<FramePatches>({{"size", 4}});
  std::vector<Packet> merged;
  for (const Packet& picture : pictures(6)) {
    merged.push_back(picture);
    const testing::Collector patches = testing::run(*cut, {picture}, 1);
    merged.insert(merged.end(), patches.packets[0].begin(), patches.packets[0].end());
  }
  laws::check_all({[] { return std::make_unique<PicturesInOnePort>(); }, PatchesFrame::spec().contract()},
                  merged);
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
