/// A plugin for tests: one operator, and a descriptor that says whatever the build tells it to.
#include "stream/plugin.hpp"

namespace {

class Nothing final : public stream::Operator {
 public:
  static stream::Spec spec() {
    return stream::Spec{"foreign.nothing", "Pass on nothing."}
        .input<stream::Text>("in")
        .output<stream::Text>("out")
        .example("None", "");
  }
  void process(stream::Packet, stream::Output&) override {}
};

}  // namespace

#ifdef FOREIGN_NO_DESCRIPTOR
extern "C" __attribute__((visibility("default"))) const int foreign_plugin = 1;
#else
extern "C" __attribute__((visibility("default")))
const stream::PluginDescriptor stream_plugin = {FOREIGN_MAGIC,
                                                sizeof(stream::PluginDescriptor),
                                                FOREIGN_API,
                                                FOREIGN_COMPILER,
                                                stream::plugin_detail::kStdlib,
                                                "foreign",
                                                "1.0.0",
                                                "Apache-2.0",
                                                &stream::plugin_detail::entries<Nothing>};
#endif
