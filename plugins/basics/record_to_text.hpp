/// record.to_text: one member of each record as text.
#pragma once

#include "stream/plugin.hpp"

namespace stream {

class RecordToText final : public Operator {
 public:
  static Spec spec() {
    return Spec{"record.to_text",
                "Take one member out of each record: a string as it is, anything else as JSON."}
        .input<Record>("in")
        .output<Text>("out")
        .param("member", "text", "name of the member; a record without it is an error")
        .contract({.order = Order::kStateless})
        .example("The words of captions, one a line",
                 "[nodes.captions]\nuse = \"jsonl.read\"\n\n[nodes.words]\nuse    = \"record.to_text\"\nfrom "
                 "  = \"captions\"\n"
                 "member = \"word\"\n\n[nodes.print]\nuse  = \"text.write\"\nfrom = \"words\"\n");
  }
  explicit RecordToText(const Params& p) : member_(p.get<std::string>("member")) {}
  void process(Packet in, Output& out) override {
    const Value& value = in.as<Record>().at(member_);
    out.emit(in.with<Text>(value.is_string() ? value.as_string() : value.dump()));
  }

 private:
  std::string member_;
};

}  // namespace stream
