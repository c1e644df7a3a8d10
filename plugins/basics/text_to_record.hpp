/// text.to_record: a text as a member of a record.
#pragma once

#include "stream/plugin.hpp"

namespace stream {

class TextToRecord final : public Operator {
 public:
  static Spec spec() {
    return Spec{"text.to_record", "Wrap each text in a record: {\"text\": ...}."}
        .input<Text>("in")
        .output<Record>("out")
        .param("member", "text", "name of the member")
        .contract({.order = Order::kStateless})
        .example("Lines as JSON Lines",
                 "[nodes.lines]\nuse = \"text.read\"\n\n[nodes.wrapped]\nuse    = \"text.to_record\"\nfrom   "
                 "= \"lines\"\n"
                 "member = \"line\"\n\n[nodes.print]\nuse  = \"jsonl.write\"\nfrom = \"wrapped\"\n");
  }
  explicit TextToRecord(const Params& p) : member_(p.get<std::string>("member")) {}
  void process(Packet in, Output& out) override {
    out.emit(in.with<Record>(Object{{member_, Value(in.as<Text>().str())}}));
  }

 private:
  std::string member_;
};

}  // namespace stream
