/// stream completion: scripts that ask `stream __complete` at each press of the key, so that recipes,
/// operators, nodes and parameters complete as they are at that moment.
#include "text.hpp"
#include "verb.hpp"

namespace stream::cli {
namespace {

// Answers with a tab have a description behind it. "files" on a line of its own asks the shell for file names
// as well.
constexpr const char* kBash = R"(# bash completion for stream; to use it: source <(stream completion bash)
_stream() {
  local cur words answer
  cur="${COMP_LINE:0:COMP_POINT}"
  # Split by blanks alone: '=' and ':' belong to the word.
  read -r -a words <<< "$cur"
  [[ "$cur" == *" " ]] && words+=("")
  local word="${words[${#words[@]}-1]}" prefix=""
  # bash replaces only what follows the last '=' or ':' of the word.
  [[ "$word" == *[=:]* && "$COMP_WORDBREAKS" == *=* ]] && prefix="${word%"${word##*[=:]}"}"
  COMPREPLY=()
  while IFS=$'\t' read -r answer _; do
    if [[ "$answer" == ":files" ]]; then
      COMPREPLY+=($(compgen -f -- "${word#"$prefix"}"))
    else
      COMPREPLY+=("${answer#"$prefix"}")
    fi
  done < <("${words[0]}" __complete -- "${words[@]:1}" 2>/dev/null)
  [[ ${#COMPREPLY[@]} == 1 && "${COMPREPLY[0]}" == *= ]] && compopt -o nospace
  return 0
}
complete -o filenames -F _stream stream
)";

constexpr const char* kZsh = R"(#compdef stream
# zsh completion for stream; to use it: stream completion zsh > "${fpath[1]}/_stream"
_stream() {
  local -a answers open
  local line files=0
  while IFS= read -r line; do
    if [[ "$line" == ":files" ]]; then files=1
    else
      local word="${line%%$'\t'*}"
      word="${word//:/\\:}"
      [[ "$line" == *$'\t'* ]] && line="$word:${line#*$'\t'}" || line="$word"
      # After '=' the value follows at once.
      if [[ "$word" == *= ]]; then open+=("$line"); else answers+=("$line"); fi
    fi
  done < <("${words[1]}" __complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)
  (( ${#answers} )) && _describe 'stream' answers
  (( ${#open} )) && _describe 'stream' open -S ''
  (( files )) && _files
}
if [ "$funcstack[1]" = "_stream" ]; then _stream "$@"; else compdef _stream stream; fi
)";

constexpr const char* kFish = R"(# fish completion for stream; to use it: stream completion fish | source
function __stream_complete
  set -l words (commandline -opc) (commandline -ct)
  for answer in ($words[1] __complete -- $words[2..-1] 2>/dev/null)
    if test "$answer" = ":files"
      __fish_complete_path (commandline -ct)
    else
      echo $answer
    end
  end
end
complete -c stream -f -a '(__stream_complete)'
)";

class Completion final : public Verb {
 public:
  Completion() : Verb("completion", "Print the completion script for a shell.") {
    auto& shell = option("SHELL", "SHELL", &shell_, "which shell");
    shell.required = true;
    shell.choices = {"bash", "zsh", "fish"};
    example("for this session of bash", "source <(stream completion bash)");
  }
  int run() override {
    print(shell_ == "bash" ? kBash : shell_ == "zsh" ? kZsh : kFish);
    return 0;
  }

 private:
  std::string shell_;
};

}  // namespace

std::unique_ptr<Verb> make_completion() { return std::make_unique<Completion>(); }

}  // namespace stream::cli
