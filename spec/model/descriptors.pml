/* Lines and descriptors on their way to one receiver, which pairs them by the algorithm of chapter 50.
 *
 * A line has a first and a last part. The descriptor of an envelope rides on the first. A stray rides on either part of a plain line.
 * A read takes parts as it likes, and ends behind a part that brought descriptors, as on Linux.
 */

#ifndef LINES
#define LINES 4        /* lines that the sender writes */
#endif
#ifndef STRAYS
#define STRAYS 0       /* 1: plain lines carry descriptors */
#endif
#ifndef COPIES
#define COPIES 0       /* 1: the last part of an envelope brings a copy, as from Node before 10 (HND-028) */
#endif
#ifndef KEPT
#define KEPT 1         /* descriptors that stay behind an unfinished line */
#endif
#ifndef NEWEST
#define NEWEST false
#endif
#ifndef UNFINISHED
#define UNFINISHED half
#endif
#ifndef TAKES
#define TAKES waiting!fd
#endif
#define NONE 0
#define STRAY 99

mtype = { PLAIN, ENVELOPE };

/* A part: its line, its kind, whether it ends the line, and the descriptor that it brings. */
chan wire = [8] of { byte, mtype, bool, byte };

active proctype sender() {
    byte line = 1;
    byte first;
    byte last;
    mtype kind;

    do
    :: line <= LINES ->
        atomic {
            first = NONE;
            last = NONE;
            if
            :: kind = ENVELOPE; first = line; last = (COPIES -> STRAY : NONE)
            :: kind = PLAIN
            :: STRAYS -> kind = PLAIN; first = STRAY
            :: STRAYS -> kind = PLAIN; last = STRAY
            fi;
            wire!line, kind, false, first;
            wire!line, kind, true, last;
            line++
        }
    :: line > LINES -> break
    od
}

active proctype receiver() {
    chan waiting = [8] of { byte };
    byte line;
    byte fd;
    byte closed;
    bool last;
    bool half;     /* a line is unfinished */
    bool stop;     /* the read ends here */
    mtype kind;

end:
    do
    :: nempty(wire) ->
        atomic {
            stop = false;
            do
            :: !stop && nempty(wire) ->
                wire?line, kind, last, fd;
                half = !last;
                if
                :: fd != NONE ->
                    stop = true;
                    TAKES
                :: fd == NONE
                fi;
                if
                :: last && kind == ENVELOPE ->
                    if
                    :: len(waiting) > 1 && NEWEST -> waiting?closed; waiting?fd
                    :: len(waiting) > 0 && !(NEWEST && len(waiting) > 1) -> waiting?fd
                    :: len(waiting) == 0 -> fd = NONE
                    fi;
                    /* An honest sender's descriptors are paired with their own envelopes: HND-030, HND-031, HND-046. */
                    assert(STRAYS || fd == line)
                :: !(last && kind == ENVELOPE)
                fi;
                if
                :: true
                :: stop = true
                fi
            :: stop || empty(wire) -> break
            od;
            do
            :: len(waiting) > (UNFINISHED -> KEPT : 0) ->
                /* The oldest stays, so the newer ones go. */
                waiting?fd;
                do
                :: len(waiting) > 0 -> waiting?closed
                :: len(waiting) == 0 -> break
                od;
                if
                :: UNFINISHED && KEPT > 0 -> waiting!fd
                :: !(UNFINISHED && KEPT > 0)
                fi
            :: len(waiting) <= (UNFINISHED -> KEPT : 0) -> break
            od;
            assert(len(waiting) <= (half -> 1 : 0))     /* SEC-003, HND-008 */
        }
    od
}
