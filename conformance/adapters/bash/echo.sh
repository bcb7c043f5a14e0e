#!/usr/bin/env bash
# Rung 0: answers {"echo": m} to each message m. Internal messages have a `cmd` that starts with NODE_ and more. It can stand anywhere in
# the object, which bash cannot see: Python looks into each line that may have one.
coproc look { exec {NODE_CHANNEL_FD}>&-; exec python3 -uc 'import json, sys
for line in sys.stdin.buffer:
    try: print("NODE_" == (cmd := json.loads(line)["cmd"])[:5] != cmd)
    except Exception: print(False)'; }
while IFS= read -r -u "$NODE_CHANNEL_FD" line; do
  [[ $line == *cmd* || $line == *\\u* ]] && printf '%s\n' "$line" >&"${look[1]}" && read -r -u "${look[0]}" internal &&
    [[ $internal == True ]] && continue
  [[ $line =~ [^[:space:]] ]] && printf '{"echo":%s}\n' "$line" >&"$NODE_CHANNEL_FD"
done
exit 0
