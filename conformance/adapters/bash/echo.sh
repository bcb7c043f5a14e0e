#!/usr/bin/env bash
# Rung 0: answers {"echo": m} to each message m. Internal messages have a `cmd` that starts with NODE_ and more. It can stand anywhere in
# the object, which bash cannot see: Python looks into each line that may have one.
coproc look { eval "exec $NODE_CHANNEL_FD>&-"; exec python3 -uc 'import json, sys
for line in sys.stdin.buffer:
    try: cmd = json.loads(line)["cmd"]
    except Exception: cmd = None
    print(isinstance(cmd, str) and cmd[:5] == "NODE_" and len(cmd) > 5)'; }
while IFS= read -r -u "$NODE_CHANNEL_FD" line; do
  if [[ $line == *cmd* || $line == *\\u* ]]; then
    printf '%s\n' "$line" >&"${look[1]}"; read -r -u "${look[0]}" internal
    [[ $internal == True ]] && continue
  fi
  [[ $line =~ [^[:space:]] ]] && printf '{"echo":%s}\n' "$line" >&"$NODE_CHANNEL_FD"
done
exit 0
