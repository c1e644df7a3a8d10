#!/usr/bin/env bash
# run.sh BUILD MINUTES [TARGET...]: fuzzes each target for MINUTES of CPU time, and prints what came of it.
# New inputs that reach more code are kept in BUILD/corpus/TARGET, so that a second run goes on where the first stopped.
set -euo pipefail
build=$1 minutes=$2
shift 2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
targets=("$@")
if [[ ${#targets[@]} -eq 0 ]]; then
  for program in "$build"/bin/fuzz-*; do targets+=("${program##*/fuzz-}"); done
fi
for target in "${targets[@]}"; do
  [[ -x $build/bin/fuzz-$target ]] || {
    echo "no fuzz target named '$target': $(cd "$here/corpus" && echo *)" >&2
    exit 2
  }
done
seconds=$(awk -v m="$minutes" 'BEGIN {printf "%d", m * 60}')
mkdir -p "$build/found" "$build/corpus" "$build/log"

# shellcheck disable=SC2317 # xargs calls it
fuzz_one() {
  local target=$1 spent=0 self=$BASHPID began used
  mkdir -p "$build/corpus/$target"
  : >"$build/log/$target"
  # libFuzzer limits wall-clock time; a busy machine gives less CPU for it, so it runs again until the CPU time is spent.
  while ((spent < seconds)); do
    began=$(awk '{print $16 + $17}' "/proc/$self/stat")
    ASAN_OPTIONS=allocator_may_return_null=1:detect_leaks=1 LSAN_OPTIONS=suppressions=$here/../leaks.supp:print_suppressions=0 \
      "$build/bin/fuzz-$target" -max_total_time=$((seconds - spent)) \
      -timeout=20 -rss_limit_mb=2048 -malloc_limit_mb=1024 -print_final_stats=1 -verbosity=1 \
      -artifact_prefix="$build/found/$target-" "$build/corpus/$target" "$here/corpus/$target" >>"$build/log/$target" 2>&1 ||
      return 1
    used=$(awk -v b="$began" -v hz="$(getconf CLK_TCK)" '{print int(($16 + $17 - b) / hz)}' "/proc/$self/stat")
    spent=$((spent + (used > 0 ? used : 1)))
  done
  echo "$spent" >"$build/log/$target.cpu"
}
export -f fuzz_one
export build here seconds
rm -f "$build"/log/*.cpu
printf '%s\n' "${targets[@]}" | xargs -P "$(nproc)" -I{} bash -c 'fuzz_one {} || true'

printf '%-12s %10s %14s %10s  %s\n' target 'CPU s' executions coverage result
failed=0
for target in "${targets[@]}"; do
  log=$build/log/$target
  executions=$(awk '/^stat::number_of_executed_units:/ {n += $2} END {print n + 0}' "$log")
  coverage=$(grep -aoE 'cov: [0-9]+' "$log" | tail -1 | cut -d' ' -f2)
  if [[ -f $log.cpu ]]; then result=good; else result="failed: $log" failed=1; fi
  printf '%-12s %10s %14s %10s  %s\n' "$target" "$(cat "$log.cpu" 2>/dev/null || echo -)" "$executions" "${coverage:--}" "$result"
done
exit $failed
