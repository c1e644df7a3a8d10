#include "verb.hpp"

namespace stream::cli {

const std::vector<VerbEntry>& verbs() {
  static const std::vector<VerbEntry> kVerbs = {
      {"run", make_run},
      {"validate", make_validate},
      {"graph", make_graph},
      {"list", make_list},
      {"inspect", make_inspect},
      {"test", make_test},
      {"check", make_check},
      {"bench", make_bench},
      {"reproduce", make_reproduce},
      {"checkpoint show", make_checkpoint_show},
      {"checkpoint verify", make_checkpoint_verify},
      {"checkpoint diff", make_checkpoint_diff},
      {"plugin new", make_plugin_new},
      {"import", make_import},
      {"schema", make_schema},
      {"doctor", make_doctor},
      {"completion", make_completion},
      {"__complete", make_complete},
      {"__man", make_man},
      {"__check-worker", make_check_worker},
  };
  return kVerbs;
}

}  // namespace stream::cli
