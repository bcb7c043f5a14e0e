#!/usr/bin/env bash
# Rung 0: answers {"echo": m} to each message m. Tcl takes no descriptor by its number, the shell does: \
exec tclsh "$0" <&"$NODE_CHANNEL_FD" >&"$NODE_CHANNEL_FD"
fconfigure stdin -encoding iso8859-1 -translation lf -eofchar {}
fconfigure stdout -encoding iso8859-1 -translation lf -buffering line
# The last `cmd` of the object itself, wherever it stands; empty when it is no string.
proc cmd {line} {
    set depth 0; set name {}; set found {}; set before {}
    foreach token [regexp -all -inline {"(?:[^"\\]|\\.)*"|[][{}:,]|[^][{}:,"[:space:]]+} $line] {
        if {$token in {\} \]}} {incr depth -1}
        if {$depth == 1 && $token ne ":" && $before ne ":" && [string index $token 0] eq "\""} {
            set name [subst -nocommands -novariables [string range $token 1 end-1]]
        } elseif {$depth == 1 && $before eq ":" && $name eq "cmd"} {
            set found [expr {[string index $token 0] eq "\"" ? [subst -nocommands -novariables [string range $token 1 end-1]] : {}}]
        }
        if {$token in {\{ \[}} {incr depth}
        set before $token
    }
    return $found
}
while {[gets stdin line] >= 0} {
    if {[eof stdin]} break ;# half a line at the end is no message
    if {[regexp {cmd|\\u} $line] && [regexp {^\s*\{} $line] && [regexp {^NODE_.} [cmd $line]]} continue
    if {[string trim $line] ne {}} {puts "{\"echo\":$line}"}
}
