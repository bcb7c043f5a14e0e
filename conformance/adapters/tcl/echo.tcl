#!/usr/bin/env bash
# Rung 0: answers {"echo": m} to each message m. Tcl takes no descriptor by its number, the shell does: \
exec tclsh "$0" <&"$NODE_CHANNEL_FD" >&"$NODE_CHANNEL_FD"
fconfigure stdin -encoding iso8859-1 -translation lf -eofchar {}
fconfigure stdout -encoding iso8859-1 -translation lf -buffering line
while {[gets stdin line] >= 0} {
    if {[eof stdin]} break ;# half a line at the end is no message
    # Internal messages have a `cmd` that starts with NODE_ and more.
    if {[regexp {^\s*\{\s*"cmd"\s*:\s*"NODE_[^"]} $line]} continue
    puts "{\"echo\":$line}"
}
