/*
 * One signal, one order: the submit protocol against everything that may fail around it.
 *
 * Workers share one record in Redis and one exchange. Every option below is one atomic move, and
 * any number of other moves and clock ticks may come between two moves of the same worker: a
 * pause, or a slow network, needs no move of its own.
 *
 * Times are countdowns in ticks of the exchange's clock: `left` is stamp + window - now. They stop
 * at PAST, below which no rule tells values apart, so the clock itself may run for ever.
 *
 * An #ifdef takes a safeguard away; check.py does so one by one, to show that each is needed.
 * Without them, this is the protocol as it is built.
 */

#ifndef WORKERS
#define WORKERS 2
#endif
#ifndef ATTEMPTS_MAX
#define ATTEMPTS_MAX 2
#endif
#ifndef ROLLBACKS_MAX
#define ROLLBACKS_MAX 1
#endif
#define REQUESTS_MAX 4 /* Requests alive at once; asserted to be enough, so it hides nothing. */

#define WINDOW 2       /* An order may enter the exchange until this long after its stamp. */
#ifndef UNCERTAINTY
#define UNCERTAINTY 1  /* A worker knows the exchange's clock up to this, either way. */
#endif
#ifndef FORWARD
#define FORWARD 1      /* The engine's bound: from the last check to the match, whatever was answered. */
#endif
#ifndef LAG
#define LAG 1          /* A lookup may miss an order for this long after its acceptance. */
#endif
#define PAST (-(FORWARD + LAG + 2 * UNCERTAINTY + 1))

#ifdef NO_MARGIN
#define MARGIN 0
#elif defined(NO_FORWARD_IN_MARGIN)
#define MARGIN LAG
#elif defined(NO_LAG_IN_MARGIN)
#define MARGIN FORWARD
#else
#define MARGIN (FORWARD + LAG)
#endif

/* With KEPT, an order ends at once, unfilled, and this long after that the exchange forgets it. */
#ifdef KEPT
#define FORGOTTEN (accepted > 0 && known == 0)
#else
#define KEPT 0
#define FORGOTTEN false
#define ALWAYS_KNOWN
#endif

/* SETTLED stands for open, filled, canceled and expired alike: the exchange took the order.
 * QUARANTINED is left to a person, who may find either. */
mtype = { ABSENT, RECEIVED, SUBMITTING, SETTLED, REJECTED, REFUSED, QUARANTINED };
mtype = { IDLE, BEGIN, SEND, WAIT, APPLY, LOOKUP, CONCLUDE };
mtype = { FREE, HELD, NETWORK, ENGINE };
/* DEAD is proof about one attempt only (never sent, or past its window): another may follow. */
mtype = { NONE, ACCEPTED, NO, DEAD };

#define NOBODY 255
#define STALE 255

typedef Record {
    mtype state = ABSENT;
    byte version;
    byte attempt;
    byte epoch; /* No attempt from before this epoch is missing from the record. */
    short left = PAST;
}
typedef Request {
    mtype stage = FREE;
    byte owner = NOBODY; /* The worker that still waits for the answer. */
    short left;
}
typedef Memory { /* What a worker knows, and loses in a crash. */
    mtype step = IDLE;
    mtype verdict = NONE;
    byte version; /* Of the record as it was read or written last. */
    byte request;
    bool passed;  /* The fence had passed when the clock was read. */
    bool found;
}

Record record;
Memory workers[WORKERS];
Request requests[REQUESTS_MAX];
byte accepted; /* The truth: orders that the exchange took for this signal. */
byte known = KEPT;     /* Ticks for which the order that was accepted last is still kept. */
byte published = KEPT; /* Ticks until an order of this signal can have been forgotten. */
byte unseen;   /* Ticks for which a lookup may still miss the order. */
byte epoch;
short restart_left = PAST; /* The latest fence that a lost attempt can have. */
bool doomed;               /* From here on, no write reaches the disk before the next restart. */
Record survivor;           /* What that restart will bring back. */
Record blank;
byte crashes;

/* The broker may deliver the wake-up any number of times, to both workers at once, or never. */
bool message = true;

#define SAID_NO (record.state == REJECTED || record.state == REFUSED)
#define ENDED (record.state == SETTLED || record.state == QUARANTINED || SAID_NO)
#define AGREES ((!SAID_NO || accepted == 0) && (record.state != SETTLED || accepted == 1))
#define SUSPECT (record.epoch != epoch)
#define me workers[_pid]
#define mine requests[me.request]

/* The signal is in the stream before its message is sent, and on disk before the producer is told
 * so: the sweep finds it until the order has ended. */
#ifdef NO_SWEEP
#define SWEPT false
#elif defined(NO_INTENT_FIRST)
#define SWEPT (record.state != ABSENT && !ENDED)
#else
#define SWEPT (!ENDED)
#endif

/* Every write compares the version, and with it the epoch: see STALE in the restart. */
#ifdef NO_CAS
#define UNCHANGED true
#else
#define UNCHANGED (me.version == record.version)
#endif
#ifdef NO_CAS_IN_RESOLVE
#define UNRESOLVED true
#else
#define UNRESOLVED UNCHANGED
#endif

/* An attempt's own write-ahead made the version, so the version also says whose verdict this is. */
#ifdef VERDICT_OF_ANY_ATTEMPT
#define OWN_ATTEMPT (record.state == SUBMITTING && me.version != STALE)
#else
#define OWN_ATTEMPT UNCHANGED
#endif

/* After a restart an attempt may be missing; it was stamped no later than the restart. */
#ifdef NO_EPOCH_WAIT
#define FENCE_LEFT record.left
#elif defined(NO_EPOCH_WAIT_IF_SUBMITTING) /* Its own fence is not the one of a lost attempt. */
#define FENCE_LEFT (SUSPECT && record.state != SUBMITTING -> restart_left : record.left)
#else
#define FENCE_LEFT (SUSPECT -> restart_left : record.left)
#endif

/* The reading is a lower bound: exact at best, and behind by twice the uncertainty at worst. */
#if defined(NO_FENCE_WAIT)
#define PASSED(behind) true
#elif defined(NO_UNCERTAINTY)
#define PASSED(behind) (FENCE_LEFT + behind - UNCERTAINTY + MARGIN < 0)
#else
#define PASSED(behind) (FENCE_LEFT + behind + MARGIN < 0)
#endif

/* Not found says something only while an order of the attempt would still be known; a stamp may be
 * ahead of the time at which its order was accepted. Of an attempt that a restart has made us
 * forget, only the time of its signal is known. */
#if defined(ALWAYS_KNOWN) || defined(NO_END_OF_MEMORY)
#define REMEMBERED true
#elif defined(NO_END_OF_MEMORY_AT_RESTART)
#define MAY_COME_TOO_LATE
#define REMEMBERED (SUSPECT -> true : record.left - WINDOW + KEPT - UNCERTAINTY > 0)
#else
#define MAY_COME_TOO_LATE
#define REMEMBERED (SUSPECT -> published > 0 : record.left - WINDOW + KEPT - UNCERTAINTY > 0)
#endif

#ifdef DOUBLES_ONLY
#define CHECK_AGREES skip
#else
#define CHECK_AGREES assert(AGREES)
#endif

/* What must be reachable, lest the properties hold only because nothing happens. */
#ifndef WITNESS
#define WITNESS false
#endif
#define SECOND_ATTEMPT_SETTLES (record.state == SETTLED && record.attempt == 2)
#define ATTEMPTS_USED_UP (record.state == REFUSED && record.attempt == ATTEMPTS_MAX)
#define LOST_ATTEMPT_FOUND (record.state == SETTLED && record.attempt == 0 && me.found)
#define LEFT_TO_A_PERSON (record.state == QUARANTINED && accepted == 1)
#define SENT_AFTER_RESTART (record.state == SETTLED && record.attempt == 1 && record.epoch == 1)

inline write(new_state) {
    record.state = new_state;
    record.version++;
    record.left = PAST;
    CHECK_AGREES;
    assert(!(WITNESS))
}

/* Proof that the order exists ends the search from any state and any attempt, in any epoch. */
inline settle() {
    if
    :: !ENDED || record.state == QUARANTINED ->
        write(SETTLED);
        printf("worker %d: settles the order\n", _pid)
    :: ENDED && record.state != QUARANTINED -> CHECK_AGREES
    fi
}

inline read_clock() {
    if :: me.passed = PASSED(0) :: me.passed = PASSED(2 * UNCERTAINTY) fi
}

/* The worker's clock may be fast or slow. One that stops between reading it and writing the record
 * has an older stamp, and so a nearer fence: the clock's ticks cover that. */
inline stamp() {
    if :: mine.left = WINDOW + UNCERTAINTY :: mine.left = WINDOW - UNCERTAINTY fi
}

inline hold_request() {
    me.request = 0;
    do
    :: me.request < REQUESTS_MAX && mine.stage != FREE -> me.request++
    :: else -> break
    od;
    assert(me.request < REQUESTS_MAX);
    mine.stage = HELD;
    mine.owner = _pid
}

inline drop(k) {
    requests[k].stage = FREE;
    requests[k].owner = NOBODY;
    requests[k].left = 0
}

/* What becomes of the request goes on unheard; it is another's if this one's was lost. */
inline hang_up() {
    mine.owner = (mine.owner == _pid -> NOBODY : mine.owner)
}

inline rest() {
    me.step = IDLE;
    me.verdict = NONE;
    me.version = 0;
    me.request = 0;
    me.passed = false;
    me.found = false
}

active [WORKERS] proctype Worker()
{
end:do
    :: atomic { me.step == IDLE && (message || SWEPT) -> /* One script makes or reads the record. */
        if
#ifdef NO_DEDUPE
        :: message ->
            record.state = RECEIVED;
            record.version = 1;
            record.attempt = 0;
            printf("worker %d: makes a record for its message\n", _pid)
#endif
        :: record.state == ABSENT -> write(RECEIVED); printf("worker %d: makes the record\n", _pid)
        :: else
        fi;
        me.version = record.version;
        if
        :: ENDED -> rest()
        :: record.state == RECEIVED && !SUSPECT ->
            me.step = BEGIN;
            printf("worker %d: reads %e, version %d\n", _pid, record.state, record.version)
#ifdef REFUSE_UNSEEN
        :: record.state == RECEIVED && SUSPECT -> write(REFUSED); rest()
#endif
        :: record.state == SUBMITTING || (record.state == RECEIVED && SUSPECT) ->
#ifndef LOOKUP_BEFORE_CLOCK
            read_clock(); /* First, since "not found" speaks of the time before the lookup. */
#endif
            me.step = LOOKUP;
            printf("worker %d: reads %e, version %d; fence passed: %d\n",
                _pid, record.state, record.version, me.passed)
        fi
    }
    :: atomic { me.step == BEGIN ->
        if
        :: UNCHANGED && record.attempt < ATTEMPTS_MAX ->
            hold_request();
            stamp();
#ifndef NO_WRITE_AHEAD
            record.attempt++;
            write(SUBMITTING);
            record.left = mine.left;
            me.version = record.version;
#endif
            me.step = SEND;
            printf("worker %d: begins attempt %d, window open for %d ticks\n",
                _pid, record.attempt, mine.left)
        :: UNCHANGED -> /* The signal has expired, or its attempts are used up. */
            write(REFUSED);
            printf("worker %d: refuses the order\n", _pid);
            rest()
        :: !UNCHANGED -> rest()
        fi
    }
    :: atomic { me.step == SEND ->
        if
        ::
#ifdef NO_FIXED_STAMP
            stamp();
#endif
            mine.stage = NETWORK;
            me.step = WAIT;
            printf("worker %d: sends, window open for %d ticks\n", _pid, mine.left)
        ::
            drop(me.request);
            me.request = 0;
            me.verdict = DEAD;
            me.step = APPLY;
            printf("worker %d: finds the connection refused\n", _pid)
        fi
    }
    :: atomic { me.step == WAIT -> /* The record stays as it is; APPLY is reached by an answer. */
        hang_up();
        printf("worker %d: gives up waiting\n", _pid);
#ifdef TIMEOUT_MEANS_DEAD
        me.verdict = DEAD;
        me.step = APPLY
#else
        rest()
#endif
    }
    :: atomic { me.step == APPLY ->
        if
        :: me.verdict == ACCEPTED -> settle()
        :: me.verdict == NO && OWN_ATTEMPT ->
            write(REJECTED);
            printf("worker %d: records the rejection\n", _pid)
        :: me.verdict == DEAD && OWN_ATTEMPT ->
            write(RECEIVED);
            printf("worker %d: records attempt %d as dead\n", _pid, record.attempt)
        :: me.verdict != ACCEPTED && !OWN_ATTEMPT
        fi;
        rest()
    }
    :: atomic { me.step == LOOKUP ->
        if
        :: accepted > 0 && !FORGOTTEN -> me.found = true
        :: accepted == 0 || unseen > 0 || FORGOTTEN -> me.found = false
#ifdef EMPTY_MEANS_NOT_FOUND
        :: me.found = false
#endif
        fi;
        printf("worker %d: looks the order up; found: %d\n", _pid, me.found);
        if
#ifndef LOOKUP_BEFORE_CLOCK
        :: !me.found && !me.passed -> rest() /* Too early to say. */
#endif
        :: else -> me.step = CONCLUDE
        fi
    }
    :: atomic { me.step == CONCLUDE ->
#ifdef LOOKUP_BEFORE_CLOCK
        read_clock();
#endif
        if
        :: me.found -> settle()
        :: !me.found && me.passed && UNRESOLVED && REMEMBERED ->
            record.epoch = epoch;
            write(RECEIVED);
            printf("worker %d: has proof that nothing up to attempt %d is alive\n",
                _pid, record.attempt)
#ifdef MAY_COME_TOO_LATE
        :: !me.found && me.passed && UNRESOLVED && !REMEMBERED ->
            write(QUARANTINED);
            printf("worker %d: came too late to tell what attempt %d became\n",
                _pid, record.attempt)
#endif
        :: !me.found && !(me.passed && UNRESOLVED)
        fi;
        rest()
    }
#ifdef CRASHES_MAX /* Counted only where the signal must end; for safety they are without number. */
    :: atomic { me.step != IDLE && crashes < CRASHES_MAX -> crashes++;
#else
    :: atomic { me.step != IDLE ->
#endif
        if /* A crash also stands for a lookup that failed. */
        :: me.step == SEND -> drop(me.request)
        :: me.step == WAIT -> hang_up()
        :: else
        fi;
        printf("worker %d: crashes\n", _pid);
        rest()
    }
    od
}

/* The answer may be lost on its way back, and nobody may be waiting for it. */
inline answer(k, what) {
    if
    :: requests[k].owner != NOBODY ->
        workers[requests[k].owner].verdict = what;
        workers[requests[k].owner].step = APPLY;
        workers[requests[k].owner].request = 0;
        printf("exchange: answers %e to worker %d\n", what, requests[k].owner)
    :: true -> printf("exchange: answers %e, unheard\n", what)
    fi;
    drop(k)
}

#define UNDER_WAY(k) (requests[k].stage == NETWORK || requests[k].stage == ENGINE)

active proctype Exchange()
{
    byte k;
end:do
    :: atomic {
        if
        :: UNDER_WAY(0) -> k = 0
        :: UNDER_WAY(1) -> k = 1
        :: UNDER_WAY(2) -> k = 2
        :: UNDER_WAY(3) -> k = 3
        fi;
        if
        :: requests[k].stage == NETWORK -> drop(k) /* Lost on its way. */
        :: requests[k].stage == NETWORK && requests[k].left < 0 -> answer(k, DEAD)
        :: requests[k].stage == NETWORK && requests[k].left >= 0 ->
            /* The check before the engine; the one on arrival is weaker, so it needs no move. */
            requests[k].stage = ENGINE;
            requests[k].left = FORWARD;
            printf("exchange: a request passes the last check\n")
        :: requests[k].stage == ENGINE -> answer(k, NO) /* For want of funds, say. */
        :: requests[k].stage == ENGINE ->
            /* A client id protects open orders only, and an earlier one may have filled by now. */
            accepted++;
            unseen = LAG + 1;
            known = KEPT;
            printf("exchange: accepts order %d of this signal\n", accepted);
            assert(accepted <= 1);
            CHECK_AGREES;
            answer(k, ACCEPTED)
        fi;
        k = 0
    }
    od
}

#ifdef EXCHANGE_CHECKS_ONCE /* On arrival, and then the request may wait for the engine. */
#define MUST_MATCH(k) false
#else
#define MUST_MATCH(k) (requests[k].stage == ENGINE && requests[k].left == 0)
#endif

inline copy(to, from) {
    to.state = from.state;
    to.version = from.version;
    to.attempt = from.attempt;
    to.epoch = from.epoch;
    to.left = from.left
}

inline count_down(timer, floor) {
    timer = (timer > floor -> timer - 1 : timer)
}

#define LEFT_ALONE(k) (requests[k].stage == NETWORK && requests[k].owner == NOBODY)

active proctype World()
{
    byte k;
end:do
    :: d_step { !MUST_MATCH(0) && !MUST_MATCH(1) && !MUST_MATCH(2) && !MUST_MATCH(3) ->
        for (k : 0 .. REQUESTS_MAX - 1) {
            if
            :: LEFT_ALONE(k) && requests[k].left <= 0 -> drop(k) /* Refused, and nobody hears. */
            :: !LEFT_ALONE(k) || requests[k].left > 0 ->
                count_down(requests[k].left, (requests[k].stage == FREE -> 0 : -1))
            fi
        }
        k = 0;
        count_down(record.left, PAST);
        count_down(survivor.left, PAST);
        count_down(restart_left, PAST);
        count_down(unseen, 0);
        count_down(known, 0);
        count_down(published, 0);
        printf("clock: ticks\n")
    }
    :: d_step { message -> message = false; printf("broker: loses the message\n") }
    :: d_step { !doomed && epoch < ROLLBACKS_MAX -> doomed = true; copy(survivor, record) }
    :: d_step { doomed ->
        doomed = false;
        epoch++;
        copy(record, survivor);
        copy(survivor, blank); /* Its content says nothing any more. */
#ifdef NO_UNCERTAINTY_AT_RESTART
        restart_left = WINDOW;
#else
        restart_left = WINDOW + UNCERTAINTY; /* The lost stamp may be from a fast clock. */
#endif
#ifndef NO_EPOCH_IN_CAS
        /* Versions repeat after a rollback, so none that was read before it may match again. */
        for (k : 0 .. WORKERS - 1) {
            if
            :: workers[k].step != IDLE -> workers[k].version = STALE; workers[k].passed = false
            :: else
            fi
        }
        k = 0;
#endif
        printf("redis: restarts with %e, version %d\n", record.state, record.version)
    }
    od
}

ltl ends { <>[] ENDED }
