/* Two endpoints of a channel. The user of each sends plain messages and handles, and disconnects at any time.
 *
 * The moves of the channel and of a hand-over are not written here: `check.py` generates `tables.pml` from the tables of the reference,
 * and a move that is in no table is an error. Each assertion names the rule that it checks. `check.py` defines a macro anew to break a
 * rule, and expects that an assertion fails.
 *
 * The kernel is a bounded queue in each direction. `copies` counts the descriptors that a sender still holds for its handles.
 */

#include "tables.pml"

#ifndef SENDS
#define SENDS 2        /* messages that each user may send */
#endif
#ifndef REFUSALS
#define REFUSALS 1     /* envelopes that find no room for their descriptor, at each end */
#endif
#define ROOM 2         /* frames that the kernel keeps in one direction */
#define QUEUE 4        /* frames that an endpoint keeps: more than it can have */

#ifndef GIVE_UP_AT
#define GIVE_UP_AT 4   /* HND-016 */
#endif

mtype = { MSG, ENV, ACKED, REFUSED };

/* A frame: its kind, and the number of its message. Every envelope has its descriptor. */
chan wire[2] = [ROOM] of { mtype, byte };

byte channel[2];      /* state of each end */
byte handover[2];     /* state of the handle that each end sends */
byte sent[2];         /* messages of each user */
byte written[2];      /* number of the last message that each end wrote */
byte delivered[2];    /* number of the last message that each user got */
byte given_up[2];     /* number of the last message that each end gave up */
byte unanswered[2];   /* envelopes of each end without an answer */
byte refusals[2];     /* refusals of the handle under way */
byte refused[2];      /* refusals that each end has written */
byte copies[2];       /* descriptors that each sender holds */
byte unsettled[2];    /* handles of each user without an outcome */
byte reported[2];     /* number of the last handle whose loss each user was told */
byte ends[2];         /* ends that each user was told */
bool closed[2];       /* each end has closed its descriptor */

#define peer (1 - me)
#define can_write ((channel[me] == OPEN || channel[me] == DISCONNECTING) && nfull(wire[peer]) && !closed[peer])

#ifndef MAY_SEND
#define MAY_SEND (channel[me] == OPEN)
#endif
#ifndef HOLDS_BACK
#define HOLDS_BACK (handover[me] != IDLE || (len(held) > 0))
#endif
#ifndef RELEASES
#define RELEASES (handover[me] == IDLE)
#endif
#ifndef MAY_CLOSE
#define MAY_CLOSE ((len(answers) == 0) && (len(out) == 0) && (len(held) == 0) && handover[me] == IDLE)
#endif
#ifndef READS
#define READS (channel[me] != CLOSED)
#endif
#ifndef SEES_END
#define SEES_END (closed[peer] && (len(wire[me]) == 0))
#endif
#ifndef ANSWER
#define ANSWER(kind) answers!kind, 0
#endif
#ifndef ACKNOWLEDGE
#define ACKNOWLEDGE ANSWER(ACKED)
#endif
#ifndef REFUSE
#define REFUSE ANSWER(REFUSED)
#endif
#ifndef WHEN_ACKNOWLEDGED
#define WHEN_ACKNOWLEDGED copies[me]--
#endif
#ifndef WHEN_GIVEN_UP
#define WHEN_GIVEN_UP copies[me]--
#endif
#ifndef AFTER_GIVING_UP
#define AFTER_GIVING_UP release()
#endif
#ifndef REPORT
#define REPORT reported[me] = current
#endif
#ifndef WHEN_REFUSED
#define WHEN_REFUSED skip
#endif
#ifndef WHEN_WRITTEN
#define WHEN_WRITTEN skip
#endif
#ifndef AT_END
#define AT_END copies[me] = 0
#endif
#ifndef TELL
#define TELL ends[me]++
#endif

inline close_end() {
    assert(!closed[me]);
    assert(copies[me] == unsettled[me]);   /* HND-055, HND-056, SEC-006 */
    closed[me] = true;
    TELL;
    assert(ends[me] == 1);               /* LIF-001 */
    AT_END
}

/* Write the messages that were held back, up to and with the next handle (HND-020, HND-023). */
inline release() {
    do
    :: !(RELEASES && (len(held) > 0)) -> break
    :: RELEASES && (len(held) > 0) ->
        held?kind, number;
        if
        :: kind == ENV -> handover_move(handover[me], SEND); current = number; refusals[me] = 0
        :: kind != ENV
        fi;
        out!kind, number
    od
}

proctype endpoint(byte me) {
    chan answers = [QUEUE] of { mtype, byte };
    chan out = [QUEUE] of { mtype, byte };
    chan held = [QUEUE] of { mtype, byte };
    mtype kind;
    byte number;
    byte current;  /* number of the handle under way */

    do
    /* The user sends. */
    :: MAY_SEND && sent[me] < SENDS ->
        atomic {
            channel_move(channel[me], SEND);
            sent[me]++;
            if
            :: kind = MSG
            :: kind = ENV; copies[me]++; unsettled[me]++
            fi;
            if
            :: HOLDS_BACK -> held!kind, sent[me]
            :: !(HOLDS_BACK) ->
                if
                :: kind == ENV -> handover_move(handover[me], SEND); current = sent[me]; refusals[me] = 0
                :: kind != ENV
                fi;
                out!kind, sent[me]
            fi
        }

    /* The user disconnects. */
    :: channel[me] == OPEN -> atomic { channel_move(channel[me], DISCONNECT) }

    /* The disconnect is complete. */
    :: channel[me] == DISCONNECTING && MAY_CLOSE ->
        atomic {
            assert(written[me] == sent[me]);          /* LIF-011 */
            assert(unanswered[me] == 0);              /* LIF-012 */
            channel_move(channel[me], FLUSHED);
            close_end()
        }

    /* An answer is written ahead of messages. */
    :: can_write && (len(answers) > 0) -> atomic { answers?kind, number; wire[peer]!kind, number }

    /* A message is written. */
    :: can_write && (len(answers) == 0) && (len(out) > 0) ->
        atomic {
            out?kind, number;
            wire[peer]!kind, number;
            if
            :: number > written[me] ->
                assert(number == written[me] + 1);    /* FRM-009, HND-010 */
                written[me] = number
            :: number <= written[me]
            fi;
            if
            :: kind == ENV ->
                handover_move(handover[me], WRITE_DONE);
                unanswered[me]++;
                assert(unanswered[me] == 1);          /* HND-017 */
                WHEN_WRITTEN
            :: kind != ENV
            fi
        }

    /* A write fails, because the peer has closed. */
    :: (channel[me] == OPEN || channel[me] == DISCONNECTING) && closed[peer] && ((len(answers) > 0) || (len(out) > 0)) ->
        atomic {
            channel_move(channel[me], WRITE_FAILED);
            if
            :: channel[me] == CLOSED -> close_end()
            :: channel[me] != CLOSED
            fi
        }

    /* A frame is read. */
    :: READS && (len(wire[me]) > 0) ->
        atomic {
            wire[me]?kind, number;
            if
            :: kind == ENV && refused[me] < REFUSALS -> refused[me]++; REFUSE; WHEN_REFUSED
            :: kind == MSG || kind == ENV ->
                if
                :: kind == ENV -> ACKNOWLEDGE
                :: kind == MSG
                fi;
                assert(ends[me] == 0);                /* LIF-003 */
                assert(number > delivered[me]);       /* FLO-003, HND-037 */
                /* FRM-021: only a message that was given up is missing before this one. */
                assert(number == delivered[me] + 1 || given_up[peer] == number - 1);
                delivered[me] = number
            :: kind == ACKED ->
                assert(unanswered[me] == 1);          /* HND-034, HND-050 */
                unanswered[me]--;
                handover_move(handover[me], ACK);
                unsettled[me]--;
                WHEN_ACKNOWLEDGED;                    /* SEC-006, HND-055 */
                release()
            :: kind == REFUSED ->
                assert(unanswered[me] == 1);          /* HND-050 */
                unanswered[me]--;
                refusals[me]++;
                if
                :: refusals[me] < GIVE_UP_AT ->
                    assert(refusals[me] < 4);         /* HND-016 */
                    assert(copies[me] > 0);           /* HND-024 */
                    handover_move(handover[me], NACK);
                    out!ENV, current
                :: refusals[me] >= GIVE_UP_AT ->
                    handover_move(handover[me], GIVE_UP);
                    given_up[me] = current;
                    unsettled[me]--;
                    WHEN_GIVEN_UP;                    /* HND-056 */
                    REPORT;
                    AFTER_GIVING_UP                   /* HND-023 */
                fi
            fi
        }

    /* The end of the peer is read. */
    :: channel[me] != CLOSED && SEES_END ->
        atomic {
            assert((len(wire[me]) == 0));                  /* LIF-004 */
            channel_move(channel[me], EOF);
            close_end()
        }

    :: channel[me] == CLOSED -> break
    od;
    assert(reported[me] == given_up[me]);             /* HND-054 */
    assert(copies[me] == 0)                           /* HND-025 */
}

init {
    atomic { run endpoint(0); run endpoint(1) }
}
