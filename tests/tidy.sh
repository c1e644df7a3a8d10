#!/usr/bin/env bash
# usage: tests/tidy.sh BUILD_FOLDER [FILE...]
# clang-format and clang-tidy over the tree, or over the named sources; warnings are errors.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
build=${1:?the folder that holds compile_commands.json}
shift

if [[ $# -gt 0 ]]; then
  sources=("$@")
else
  mapfile -t sources < <(git ls-files 'core/*.cpp' 'formats/*.cpp' 'plugins/*.cpp' 'cli/*.cpp' 'tests/*.cpp')
fi
mapfile -t formatted < <(git ls-files '*.cpp' '*.hpp')

status=0
clang-format --dry-run --Werror "${formatted[@]}" || status=1

# GCC's precompiled headers and warning names mean nothing to clang: a copy of the compile commands without them.
commands=$(mktemp -d)
trap 'rm -rf "$commands"' EXIT
sed -E 's/-Winvalid-pch//g; s/-include [^ ]*cmake_pch\.hxx//g' "$build/compile_commands.json" >"$commands/compile_commands.json"
compiled=()
for source in "${sources[@]}"; do
  # Templates and files that this configuration leaves out have no compile command.
  if grep -qF -- "$source\"" "$commands/compile_commands.json"; then compiled+=("$source"); fi
done
printf '%s\0' "${compiled[@]}" |
  xargs -0 -P "$(nproc)" -n 1 clang-tidy --quiet -p "$commands" --extra-arg=-Wno-unknown-warning-option 2> >(grep -v 'warnings generated' >&2) ||
  status=1
exit "$status"
