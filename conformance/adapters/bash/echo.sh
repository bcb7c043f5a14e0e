#!/usr/bin/env bash
# Rung 0: answers {"echo": m} to each message m. Internal messages have a `cmd` that starts with NODE_ and more.
while IFS= read -r -u "$NODE_CHANNEL_FD" line; do
  [[ $line =~ ^[[:space:]]*\{[[:space:]]*\"cmd\"[[:space:]]*:[[:space:]]*\"NODE_[^\"] ]] && continue
  printf '{"echo":%s}\n' "$line" >&"$NODE_CHANNEL_FD"
done
exit 0
