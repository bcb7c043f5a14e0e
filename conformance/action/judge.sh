#!/usr/bin/env bash
# Runs the kit for each role that has a command; writes the reports, and the verdict into the summary of the job.
set -uo pipefail
report=${RUNNER_TEMP:-/tmp}/channelkit
mkdir -p "$report"
echo "report=$report" >> "${GITHUB_OUTPUT:-/dev/null}"
status=0
for role in CHILD PARENT WORKER PRIMARY; do
  command=${!role:-}
  [ -n "$command" ] || continue
  name=${role,,}
  words=("--$name" "$command" --level "${LEVEL:-INFO}" --report "json=$report/$name.json" --report "md=$report/$name.md")
  [ -z "${KNOWN:-}" ] || words+=(--known "$KNOWN")
  channelkit run "${words[@]}" || status=1
  [ ! -f "$report/$name.md" ] || cat "$report/$name.md" >> "${GITHUB_STEP_SUMMARY:-/dev/null}"
done
exit $status
