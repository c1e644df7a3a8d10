/// record.to_csv: records as lines of CSV.
#pragma once

#include "csv_to_record.hpp"

namespace stream {

class RecordToCsv final : public Operator {
 public:
  static Spec spec() {
    return Spec{"record.to_csv", "Write records as lines of CSV, with a header line first."}
        .input<Record>("in")
        .output<Text>("out")
        .param("columns", std::vector<std::string>{}, "members to write; empty: those of the first record")
        .param("header", true, "begin with the names of the columns")
        .param("separator", ",", "one character between fields")
        .contract({.order = Order::kStateful, .keyed = true})
        .about(
            "A member that a record lacks, or that is null, becomes an empty field; one that is no column is "
            "left "
            "out. Lists and objects are written as JSON. Fields are quoted where they need it (RFC 4180).")
        .example("A table of generated records",
                 "[nodes.records]\nuse   = \"records.generate\"\ncount = 100\n\n[nodes.rows]\nuse     = "
                 "\"record.to_csv\"\nfrom    = \"records\"\ncolumns = [\"index\", "
                 "\"value\"]\n\n[nodes.print]\nuse  = "
                 "\"text.write\"\nfrom = \"rows\"\n");
  }
  explicit RecordToCsv(const Params& p)
      : names_(p.get<std::vector<std::string>>("columns")),
        header_(p.get<bool>("header")),
        separator_(CsvToRecord::separator_of(p)) {}

  void process(Packet in, Output& out) override {
    const auto& record = in.as<Record>();
    const Object& members = record.object();
    if (names_.empty())
      for (const auto& member : members) names_.push_back(member.first);
    if (names_.empty()) throw bad_data("the first record has no members to name columns by");
    const auto line = [&](auto field_of) {
      std::string text;
      for (std::size_t i = 0; i < names_.size(); ++i)
        text += (i > 0 ? std::string(1, separator_) : std::string()) + field_of(names_[i]);
      return text;
    };
    if (header_ && !begun_)
      out.emit(in.with<Text>(line([&](const std::string& name) { return csv_field(name, separator_); })));
    begun_ = true;
    out.emit(in.with<Text>(line([&](const std::string& name) {
      const Value* value = members.find(name);
      return value ? csv_field(*value, separator_) : std::string();
    })));
  }
  void save(Archive& state) const override {
    state.set("begun", begun_);
    state.set("columns", static_cast<std::uint64_t>(names_.size()));
    for (std::size_t i = 0; i < names_.size(); ++i) state.set("column_" + std::to_string(i), names_[i]);
  }
  void load(const Archive& state) override {
    begun_ = state.get<bool>("begun");
    names_.clear();
    for (std::uint64_t i = 0; i < state.get<std::uint64_t>("columns"); ++i)
      names_.push_back(state.get<std::string>("column_" + std::to_string(i)));
  }
  std::size_t state_bytes() const override {
    std::size_t bytes = sizeof *this;
    for (const std::string& name : names_) bytes += sizeof(std::string) + name.size();
    return bytes;
  }

 private:
  std::vector<std::string> names_;
  bool header_;
  char separator_;
  bool begun_ = false;
};

}  // namespace stream
