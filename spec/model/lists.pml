/* The socket list of one key: a sender hands connections over, asks for their number and announces that its server closes.
 *
 * Both queues are those of the channel, which keeps order. The receiver's program closes connections when it likes.
 */

#ifndef CONNECTIONS
#define CONNECTIONS 3 /* connections that are handed over */
#endif
#define QUESTIONS 2   /* questions that are asked */
#define CLOSINGS 2    /* announcements */
#define ROOM 3

mtype = { CONNECTION, GET_COUNT, NOTIFY_CLOSE, COUNT, ALL_CLOSED };

chan down = [ROOM] of { mtype };      /* from the sender of connections */
chan up = [ROOM] of { mtype, byte };  /* from their receiver */

byte handed;      /* connections that the sender has handed over */
byte open;        /* connections that are open in the receiver */
byte arrived;     /* connections that have arrived there */

/* The choices of the receiver that a mutation replaces. */
#ifndef DUE
#define DUE (due && open == 0)
#endif
#ifndef SPEND
#define SPEND due = false
#endif
#ifndef NUMBER
#define NUMBER open
#endif
#ifndef KNOWN
#define KNOWN (arrived > 0)
#endif
#ifndef AT_ONCE
#define AT_ONCE tell()
#endif
#ifndef AT_CLOSE
#define AT_CLOSE tell()
#endif

inline tell() {
    if
    :: DUE -> assert(open == 0); up!ALL_CLOSED, 0; SPEND   /* SLS-016 */
    :: !(DUE)
    fi
}

active proctype sender() {
    byte asked, counted, closing, closed, count;

    do
    :: handed < CONNECTIONS && nfull(down) -> atomic { handed++; down!CONNECTION }
    :: handed > 0 && asked < QUESTIONS && nfull(down) -> atomic { asked++; down!GET_COUNT }
    :: handed > 0 && closing < CLOSINGS && nfull(down) -> atomic { closing++; down!NOTIFY_CLOSE }
    :: up?COUNT, count ->
        counted++;
        assert(counted <= asked);          /* SLS-005 */
        assert(count <= handed)            /* SLS-011 */
    :: up?ALL_CLOSED, count ->
        closed++;
        assert(closed <= closing)          /* SLS-020 */
    :: handed == CONNECTIONS && asked == QUESTIONS && closing == CLOSINGS && counted == asked && closed > 0 -> break
    od
}

active proctype receiver() {
    bool due;

    /* Nothing is left to do once all connections are closed and every announcement is answered. */
end:
    do
    :: atomic { nempty(down) && nfull(up) ->
        if
        :: down?CONNECTION -> open++; arrived++
        :: down?GET_COUNT ->
            if
            :: KNOWN -> assert(NUMBER == open); up!COUNT, NUMBER   /* SLS-011 */
            :: !(KNOWN)
            fi
        :: down?NOTIFY_CLOSE ->
            if
            :: KNOWN -> due = true; AT_ONCE
            :: !(KNOWN)
            fi
        fi }
    :: atomic { open > 0 && nfull(up) -> open--; AT_CLOSE }
    od
}
