#!/usr/bin/env bash
# Rung 0: answers {"echo": m} to each message m. Tcl takes no descriptor by its number, the shell does: \
exec tclsh "$0" <&"$NODE_CHANNEL_FD" >&"$NODE_CHANNEL_FD"
fconfigure stdin -encoding iso8859-1 -translation lf -eofchar {}
fconfigure stdout -encoding iso8859-1 -translation lf -buffering line
# Whether the last `cmd` of the object itself, wherever it stands, is a text that begins with NODE_ and goes on.
proc is_internal {line} {
    set depth 0; set found 0; set is_name 0; set is_cmd 0
    foreach token [regexp -all -inline {"(?:[^"\\]|\\.)*"|[^:[:space:]]} $line] {
        set word {}
        if {[string index $token 0] eq "\""} {set word [subst -nocommands -novariables [string range $token 1 end-1]]}
        if {$is_cmd && $token ni {, \}}} {set found [regexp {^NODE_.} $word]}
        set is_cmd [expr {$is_name && $word eq "cmd"}]
        incr depth [expr {($token in {\{ \[}) - ($token in {\} \]})}]
        set is_name [expr {$depth == 1 && $token in {\{ ,}}]
    }
    return $found
}
# A reset, which is an error in Tcl, is an end, too.
while {![catch {gets stdin line} length] && $length >= 0} {
    if {[eof stdin]} break ;# half a line at the end is no message
    if {[regexp {cmd|\\u} $line] && [regexp {^\s*\{} $line] && [is_internal $line]} continue
    if {[string trim $line] ne {}} {if {[catch {puts "{\"echo\":$line}"}]} break}
}
