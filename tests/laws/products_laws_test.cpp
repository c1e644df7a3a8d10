/// The laws for the operators of plugins/products.
#include <gtest/gtest.h>

#include "laws.hpp"
#include "plugins/products/small.hpp"
#include "png.hpp"
#include "products/products_cope.hpp"
#include "products/products_index.hpp"
#include "products/products_made.hpp"
#include "products/products_train.hpp"
#include "products/study_cope.hpp"
#include "program/program.hpp"

namespace stream::products {
namespace {

using stream::testing::ScratchFolder;

template <typename Op>
void expect_resumable(const Object& params, std::size_t outputs = 1) {
  laws::resuming_a_source_is_exact(
      [&params] {
        auto made = stream::testing::make<Op>(params, Context{.node = "source", .seed = 3});
        return std::unique_ptr<Source>(dynamic_cast<Source*>(made.release()));
      },
      outputs);
}

Object small_world_params() {
  return {{"products", 20}, {"unseen", 8}, {"twin_groups", 2}, {"twins", 3}, {"size", 16}, {"world_seed", 3}};
}

TEST(Laws, ProductsPages) { expect_resumable<PagesSource>(small_world_params(), 2); }

TEST(Laws, ProductsShow) {
  Object params = small_world_params();
  params.set("first", 4).set("count", 2);
  expect_resumable<ShowSource>(params, 3);
}

TEST(Laws, ProductsCopeTrain) {
  const ScratchFolder folder;
  Object params = small_world_params();
  params.set("model", (folder / "cope.h5").string());
  for (const char* eight : {"width", "embedding", "text_width"}) params.set(eight, 8);
  params.set("blocks", 1).set("heads", 2).set("vocabulary", 64).set("epochs", 2).set("batch", 4);
  params.set("clips_each", 1);
  expect_resumable<CopeTrainSource>(params);
}

TEST(Laws, ProductsCopeIndex) {
  const ScratchFolder folder;
  const std::string model = (folder / "cope.h5").string(), index = (folder / "pages.h5").string();
  testing::write_small_model(model, index);
  std::string table;
  for (std::int32_t p = 0; p < 20; ++p) {
    const Clip clip = testing::small_world().clip(p, Domain::kPage, 0);
    const Packet packet = testing::frame_packet(clip.frame(0), 16, Time{0});
    const std::string name = std::to_string(p) + ".png";
    stream::testing::write_contents(
        folder / name, PngEncoder().encode(std::static_pointer_cast<const Frame>(packet.payload)));
    table +=
        Value(Object{{"id", "p" + std::to_string(p % 18)}, {"title", clip.text}, {"image", name}}).dump() +
        "\n";
  }
  stream::testing::write_contents(folder / "pages.jsonl", table);
  expect_resumable<CopeIndexSource>(
      {{"model", model}, {"pages", (folder / "pages.jsonl").string()}, {"index", index}}, 2);
}

TEST(Laws, ProductsCope) {
  const ScratchFolder folder;
  const std::string model = (folder / "cope.h5").string(), index = (folder / "pages.h5").string();
  testing::write_small_model(model, index);
  const auto packets = testing::show(2, 2);
  laws::check_all(
      laws::subject<CopeOperator>({{"model", model}, {"index", index}, {"window", "3s"}, {"smoothing", 0.7}}),
      packets);
  laws::resuming_is_exact(laws::subject<CopeOperator>({{"model", model}, {"index", index}, {"emit", "clip"}}),
                          packets);
  laws::state_is_bounded(laws::subject<CopeOperator>({{"model", model}, {"index", index}, {"emit", "clip"}}),
                         packets);
}

/// Words are part of the state, too.
TEST(Laws, ProductsCopeWithWords) {
  const ScratchFolder folder;
  const std::string model = (folder / "cope.h5").string(), index = (folder / "pages.h5").string();
  testing::write_small_model(model, index);
  const auto frames = testing::show(2, 1);
  const auto run = [&](std::size_t stop) {
    stream::testing::Collector out(4);
    auto op = stream::testing::make<CopeOperator>({{"model", model}, {"index", index}, {"window", "3s"}});
    for (std::size_t i = 0; i < frames.size(); ++i) {
      if (i == stop) {
        const Archive saved = stream::testing::saved(*op);
        op = stream::testing::make<CopeOperator>({{"model", model}, {"index", index}, {"window", "3s"}});
        op->load(saved);
      }
      op->process(0, frames[i], out);
      op->process(1, Packet::of<Record>(frames[i].time, Object{{"text", "word " + std::to_string(i)}}), out);
    }
    op->finish(out);
    return laws::transcript(out);
  };
  const auto whole = run(1000);
  for (std::size_t stop = 0; stop < frames.size(); ++stop) laws::require_equal(whole, run(stop), "law 3");
}

TEST(Laws, ProductsCopeStudy) { expect_resumable<CopeStudy>({{"parts", Array{"exact"}}}); }

}  // namespace
}  // namespace stream::products
