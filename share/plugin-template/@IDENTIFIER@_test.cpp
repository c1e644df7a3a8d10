/// The operator alone: packets in, packets out, no graph.
#include <cstdio>

#include "@IDENTIFIER@.hpp"
#include "stream/testing.hpp"

int main() {
  const auto op = stream::testing::make<@CLASS@>({{"prefix", "* "}});
  const auto out = stream::testing::run(*op, {stream::Packet::of<stream::Text>(stream::Time{0}, std::string("one")),
                                              stream::Packet::of<stream::Text>(stream::Time{1}, std::string("two"))});
  const auto& packets = out.packets[0];
  const bool good = packets.size() == 2 && packets[0].as<stream::Text>().str() == "* one" &&
                    packets[1].as<stream::Text>().str() == "* two" && packets[1].time == stream::Time{1};
  if (!good) std::fprintf(stderr, "expected the lines '* one' and '* two' at their own times\n");
  return good ? 0 : 1;
}
