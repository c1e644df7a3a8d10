#!/usr/bin/env bash
# usage: tests/tidy.sh BUILD_FOLDER [FILE...]
# clang-format and clang-tidy over the tree, or over the named sources; warnings are errors.
#
# clang-tidy spends nearly all its time on libraries' headers (libtorch's: 70 s), so sources with the same flags are looked at
# as one, and in halves where they cannot stand together (two of them have a kBar of their own, say).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
build=${1:?the folder that holds compile_commands.json}
shift
together=24 # sources at a time

mapfile -t formatted < <(git ls-files '*.cpp' '*.hpp')
status=0
clang-format --dry-run --Werror "${formatted[@]}" || status=1

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export work
if [[ $# -gt 0 ]]; then
  realpath "$@" >"$work/wanted"
else
  git ls-files '*.cpp' | xargs realpath >"$work/wanted"
fi

# look "FLAGS<tab>SOURCE..."
# shellcheck disable=SC2317 # xargs calls it
look() {
  local flags=${1%%$'\t'*} sources file
  read -ra sources <<<"${1#*$'\t'}"
  file=${sources[0]}
  if ((${#sources[@]} > 1)); then
    file=$(mktemp "$work/XXXXXX.cpp")
    printf '#include "%s"\n' "${sources[@]}" >"$file"
    if ! eval "clang++ -fsyntax-only -w $flags '$file'" 2>/dev/null; then
      local half=$((${#sources[@]} / 2)) bad=0
      look "$flags"$'\t'"${sources[*]:0:half}" || bad=1
      look "$flags"$'\t'"${sources[*]:half}" || bad=1
      return "$bad"
    fi
  fi
  local not=-bugprone-suspicious-include
  # Tests make short lists, and are written to be read.
  [[ ${sources[0]} != "$PWD"/tests/* ]] || not+=,-performance-inefficient-vector-operation
  eval "clang-tidy --quiet --config-file=.clang-tidy --checks=$not --header-filter='^$PWD/(core|formats|plugins|cli|tests)/' \
    --extra-arg=-Wno-unknown-warning-option '$file' -- $flags" 2> >(grep -v 'warnings generated' >&2)
}
export -f look

# The compile commands without what says from where to where, and without GCC's precompiled headers. Templates and files that
# this configuration leaves out have none.
# shellcheck disable=SC2016 # the inner shell expands it
jq -r '.[] | [.file, .command] | @tsv' "$build/compile_commands.json" |
  sed -E 's/\t[^ ]+ /\t/; s/ -o [^ ]+//; s/ -c [^ ]+$//; s/-Winvalid-pch//g; s/-include [^ ]*cmake_pch\.hxx//g; s/\\\\/\\/g' |
  awk -F'\t' -v most=$together -v first="-include $PWD/tests/clang_vector.hpp " '
    FILENAME != "-" {wanted[$1]; next}
    $1 in wanted && !seen[$1]++ {
      n = ++count[$2]
      if (n % most == 1) order[++groups] = $2 SUBSEP int((n - 1) / most)
      at = $2 SUBSEP int((n - 1) / most)
      list[at] = list[at] (n % most == 1 ? "" : " ") $1
    }
    END {for (i = 1; i <= groups; ++i) {split(order[i], key, SUBSEP); print first key[1] "\t" list[order[i]]}}' "$work/wanted" - |
  tr '\n' '\0' | xargs -0 -r -P "$(nproc)" -I{} bash -c 'look "$1"' _ {} || status=1
exit "$status"
