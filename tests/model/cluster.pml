/* The protocol of docs/CLUSTER.md: leases, fenced commits, relay, ghosts, claims and answers. Searched by spin through every order in
 * which things can happen. README.md says how, and what is left out.
 *
 * One spread order of capacity CAP lives in partition P. NQ other partitions have a ghost of it, and NN native orders each, all of
 * which fit it. Whoever takes a unit of the capacity, or a native, is counted outside of the partitions' states, at the commit. */

#ifndef NQ
#define NQ 2 /* partitions with a ghost */
#endif
#ifndef NN
#define NN 1 /* natives in each */
#endif
#ifndef CAP
#define CAP 1 /* how many natives the spread order can take */
#endif
#ifndef P_OWNERS
#define P_OWNERS 2
#endif
#ifndef Q_OWNERS
#define Q_OWNERS 1
#endif
#ifndef EPOCHS
#define EPOCHS 2 /* acquisitions of each partition */
#endif
#ifndef REPEATS
#define REPEATS 1 /* how often the relay repeats itself */
#endif
#ifndef ENDINGS
#define ENDINGS 0 /* matches that the carrier cancels: capacity grows, the native is open again */
#endif
#ifndef RIVALS
#define RIVALS 7 /* bits. 1: an order of P's own wants the capacity, 2: one of a Q's own takes a native, 4: a cancel */
#endif

#ifndef PASSES
#define PASSES 0 /* 1: a changed plan may lead past any partition */
#endif

#ifndef AS_GOOD
#define AS_GOOD 0
#endif

#ifdef NO_STATE_WITH_ANSWERS
#define TOLD_WITH_ANSWERS 0
#else
#define TOLD_WITH_ANSWERS out.answered
#endif

#define OUT_MAX (6 + 4 * NN * NQ + 4 * ENDINGS)
#define LOG_MAX (10 + 5 * NN * NQ + 4 * ENDINGS + REPEATS)
#define BIT(n)  (1 << (n))
#define ALL     (BIT(NQ) - 1)
#define ALL_NATIVES (BIT(NN) - 1)

/* --- messages and logs ------------------------------------------------------------------------------------------------- */

mtype:kind = { ORDER, RIVAL, CANCEL, TICK, END_MATCH,              /* clients and the clock */
               GHOST, CLAIMS, ANSWERS, MATCH_STATE };              /* between partitions */

typedef message {
    mtype:kind kind;
    byte seq; /* 0: not from a partition */
    byte from;
    byte a, b, c;
    /* ORDER: a = native          CANCEL: a = native       END_MATCH: a = partition, b = native
     * GHOST: a = version, b = capacity left, c = ask      CLAIMS: a = version, b = round, c = natives (bits)
     * ANSWERS: b = round, c = natives taken (bits)        MATCH_STATE: c = natives open again (bits) */
};

typedef outbox { message at[OUT_MAX]; byte count, relayed };
typedef log { message at[LOG_MAX]; byte count };
typedef lease { byte epoch };

outbox q_box[NQ], p_box[NQ];
log log_p, log_q[NQ];
lease lease_p, lease_q[NQ];

inline append(Where, Kind, Seq, From, A, B, C)
{
    assert(Where.count < LOG_MAX);
    Where.at[Where.count].kind = Kind;
    Where.at[Where.count].seq = Seq;
    Where.at[Where.count].from = From;
    Where.at[Where.count].a = A;
    Where.at[Where.count].b = B;
    Where.at[Where.count].c = C;
    Where.count++
}

inline send(Where, Kind, Seq, From, A, B, C)
{
    assert(Where.count < OUT_MAX);
    Where.at[Where.count].kind = Kind;
    Where.at[Where.count].seq = Seq;
    Where.at[Where.count].from = From;
    Where.at[Where.count].a = A;
    Where.at[Where.count].b = B;
    Where.at[Where.count].c = C;
    Where.count++
}

/* What nobody will read again is wiped, so that states which differ by their past only are one. */
inline wipe(Entry)
{
    Entry.kind = 0;
    Entry.seq = 0;
    Entry.from = 0;
    Entry.a = 0;
    Entry.b = 0;
    Entry.c = 0
}

/* --- what is counted outside ------------------------------------------------------------------------------------------- */

byte given;        /* capacity of the spread order, given to anybody */
byte had[NQ * NN]; /* Who has a native: at most one match, or it is cancelled */

/* --- the engine of P --------------------------------------------------------------------------------------------------- */

typedef p_state {
    byte done;               /* records applied */
    byte left, version;
    bool gathering;
    byte asked, ask_version; /* replies missing */
    byte kept[NQ], kept_round[NQ], kept_version[NQ];
    byte behind;             /* partitions (bits) that have an older version */
    byte seen[NQ], sent[NQ];
    byte taken[NQ];          /* natives matched */
    byte rival;              /* 0: none, 1: rests, 2: matched */
};

p_state durable_p, nothing_p;

/* What applying a record puts out. */
typedef p_output {
    bool ask;
    byte ghosts, answered;   /* partitions (bits) */
    byte round[NQ], yes[NQ];
    byte reopened[NQ];
    byte given;
};

inline copy_p(To, From_)
{
    To.done = From_.done;
    To.left = From_.left;
    To.version = From_.version;
    To.gathering = From_.gathering;
    To.asked = From_.asked;
    To.ask_version = From_.ask_version;
    To.behind = From_.behind;
    To.rival = From_.rival;
    for (i : 0 .. NQ - 1) {
        To.kept[i] = From_.kept[i];
        To.kept_round[i] = From_.kept_round[i];
        To.kept_version[i] = From_.kept_version[i];
        To.seen[i] = From_.seen[i];
        To.sent[i] = From_.sent[i];
        To.taken[i] = From_.taken[i]
    }
}

inline clear_p_output()
{
    out.ghosts = 0;
    out.ask = false;
    out.answered = 0;
    out.given = 0;
    for (i : 0 .. NQ - 1) {
        out.round[i] = 0;
        out.yes[i] = 0;
        out.reopened[i] = 0
    }
}

inline take_rival()
{
    if
    :: mine.rival == 1 && mine.left > 0 -> mine.rival = 2; mine.left--; out.given++; changed = true
    :: else
    fi
}

/* Answers the kept claims of partition q. One that counted on an older version may have become worse, and is refused, or may be as
 * good as it was, and is taken: AS_GOOD says which, so that both are searched. */
inline answer(q)
{
    out.answered = out.answered | BIT(q);
    out.round[q] = mine.kept_round[q];
    for (n : 0 .. NN - 1) {
        if
        :: (mine.kept[q] & BIT(n)) && mine.left > 0 && (AS_GOOD || mine.kept_version[q] == mine.version) ->
            mine.left--;
            out.given++;
            out.yes[q] = out.yes[q] | BIT(n);
            mine.taken[q] = mine.taken[q] | BIT(n);
            changed = true
        :: else
        fi
    }
    mine.kept[q] = 0;
    mine.kept_round[q] = 0;
    mine.kept_version[q] = 0
}

inline close_gathering()
{
    mine.gathering = false;
    mine.asked = 0;
    take_rival();
    for (i : 0 .. NQ - 1) {
        if
#ifndef NO_ANSWER_AT_CLOSE
        :: mine.kept[i] -> answer(i)
#endif
        :: else
        fi
    }
}

/* The spread order is to be treated as incoming: it came in, or it grew. */
inline gather()
{
    mine.gathering = true;
    mine.asked = ALL;
    for (i : 0 .. NQ - 1) {
        if
        :: mine.kept[i] -> mine.asked = mine.asked & ~BIT(i)
        :: else
        fi
    }
    mine.version++;
    mine.ask_version = mine.version;
    mine.behind = ALL;
    out.ask = true
}

inline take_claims(Rec)
{
    mine.kept_version[Rec.from] = Rec.a;
    mine.kept_round[Rec.from] = Rec.b;
    mine.kept[Rec.from] = Rec.c;
    if
    :: mine.gathering ->
        if
        :: Rec.c || Rec.a == mine.ask_version -> mine.asked = mine.asked & ~BIT(Rec.from)
        :: else
        fi;
        if
        :: mine.asked == 0 -> close_gathering()
        :: else
        fi
    :: else ->
        if
        :: Rec.c -> answer(Rec.from)
        :: else -> mine.kept_round[Rec.from] = 0; mine.kept_version[Rec.from] = 0
        fi
    fi
}

inline end_one(q, Native)
{
    if
    :: mine.taken[q] & BIT(Native) ->
        mine.taken[q] = mine.taken[q] & ~BIT(Native);
        mine.left++;
        out.reopened[q] = BIT(Native);
        gather()
    :: else
    fi
}

/* A plan may lead past any of the others. */
inline passed_by()
{
#if PASSES
    for (i : 0 .. NQ - 1) {
        if
        :: out.ghosts = out.ghosts | BIT(i)
        :: true
        fi
    }
#else
    skip
#endif
}

/* Who is told the version. */
inline tell()
{
    if
    :: out.ask -> out.ghosts = ALL
    :: else -> out.ghosts = mine.behind & (out.ghosts | TOLD_WITH_ANSWERS)
    fi;
    mine.behind = mine.behind & ~out.ghosts
}

inline apply_p(Rec)
{
    clear_p_output();
    changed = false;
    mine.done++;
    if
    :: Rec.seq == 0 ->
        if
        :: Rec.kind == ORDER -> mine.left = CAP; gather()
        :: Rec.kind == RIVAL -> mine.rival = 1;
           if
           :: !mine.gathering -> take_rival()
           :: else
           fi
        :: Rec.kind == TICK && mine.gathering -> close_gathering()
        :: Rec.kind == END_MATCH -> end_one(Rec.a, Rec.b)
        :: else
        fi
#ifdef NO_DUPLICATE_CHECK
    :: Rec.seq != 0 -> mine.seen[Rec.from] = Rec.seq; take_claims(Rec)
#else
    :: Rec.seq != 0 && Rec.seq == mine.seen[Rec.from] + 1 -> mine.seen[Rec.from] = Rec.seq; take_claims(Rec)
#endif
    :: else
    fi;
    if
    :: changed -> mine.version++; mine.behind = ALL; passed_by()
    :: else
    fi;
    tell()
}

/* A commit's messages: states first, then answers, then what became of matches. */
inline emit_p()
{
    for (i : 0 .. NQ - 1) {
        if
        :: out.ghosts & BIT(i) -> mine.sent[i]++; send(q_box[i], GHOST, mine.sent[i], 0, mine.version, mine.left, out.ask)
        :: else
        fi;
        if
        :: out.answered & BIT(i) ->
            mine.sent[i]++;
            send(q_box[i], ANSWERS, mine.sent[i], 0, 0, out.round[i], out.yes[i]);
            for (n : 0 .. NN - 1) {
                if
                :: out.yes[i] & BIT(n) -> had[i * NN + n]++
                :: else
                fi
            }
        :: else
        fi;
        if
        :: out.reopened[i] ->
            mine.sent[i]++;
            send(q_box[i], MATCH_STATE, mine.sent[i], 0, 0, 0, out.reopened[i]);
            given--;
            for (n : 0 .. NN - 1) {
                if
                :: out.reopened[i] & BIT(n) -> had[i * NN + n]--
                :: else
                fi
            }
        :: else
        fi
    }
    given = given + out.given
}

/* Whether a commit may write. */
#if defined(NO_EPOCH_CHECK)
#define FENCE(lease_, durable) (durable.done == mine.done - 1)
#elif defined(NO_FENCE)
#define FENCE(lease_, durable) true
#else
#define FENCE(lease_, durable) (lease_.epoch == epoch && durable.done == mine.done - 1)
#endif
#ifdef NO_FENCE
#define ONE_EPOCH(lease_) true
#else
#define ONE_EPOCH(lease_) (lease_.epoch == epoch)
#endif

proctype owner_p(byte turn)
{
    p_state mine;
    p_output out;
    byte epoch, i, n; /* `turn`: they are alike, so it does not matter which of them comes first */
    bool changed;
acquire:
    atomic {
        clear_p_output();
        changed = false;
        if
        :: lease_p.epoch < EPOCHS && lease_p.epoch + 1 >= turn -> lease_p.epoch++; epoch = lease_p.epoch; copy_p(mine, durable_p)
        :: lease_p.epoch >= EPOCHS -> goto gone /* another one has it for good */
        fi
    }
end_follow:
    do
    :: d_step { mine.done < log_p.count -> apply_p(log_p.at[mine.done - 1]) }
       atomic {
           if
           :: FENCE(lease_p, durable_p) ->
               d_step {
                   assert(ONE_EPOCH(lease_p));
                   emit_p();
                   copy_p(durable_p, mine);
#ifndef NO_FENCE
                   wipe(log_p.at[mine.done - 1]);
#endif
                   clear_p_output();
                   assert(given <= CAP)
               }
           :: else -> goto acquire /* fenced: all of it is thrown away */
           fi
       }
    od;
gone:
    skip;
    d_step { epoch = 0; copy_p(mine, nothing_p); skip }
}

/* --- the engine of a partition with a ghost ---------------------------------------------------------------------------- */

typedef q_state {
    byte done;
    byte version, state;      /* the ghost's latest state: capacity left */
    byte round, claimed_at;   /* rounds begun; the version the open one names */
    byte in_round;            /* natives of the open round: the ghost is busy */
    bool refused;             /* a no came since the version rose */
    byte seen, sent;
    byte open, matched, rested, cancel_wanted; /* natives (bits); rested: has ever come in */
    byte refused_at[NN];
};

q_state durable_q[NQ], nothing_q;

typedef q_output {
    bool claims;
    byte version, round, natives;
    byte lost; /* natives that a rival took or that were cancelled */
};

inline copy_q(To, From_)
{
    To.done = From_.done;
    To.version = From_.version;
    To.state = From_.state;
    To.round = From_.round;
    To.claimed_at = From_.claimed_at;
    To.in_round = From_.in_round;
    To.refused = From_.refused;
    To.seen = From_.seen;
    To.sent = From_.sent;
    To.open = From_.open;
    To.matched = From_.matched;
    To.rested = From_.rested;
    To.cancel_wanted = From_.cancel_wanted;
    for (i : 0 .. NN - 1) {
        To.refused_at[i] = From_.refused_at[i]
    }
}

/* Claims, for the natives among `Who`, what the ghost has left. */
inline claim(Who)
{
    room = mine.state;
    picked = 0;
    for (i : 0 .. NN - 1) {
        if
        :: room > 0 && (mine.open & (Who) & BIT(i)) && mine.refused_at[i] < mine.version ->
            room--;
            picked = picked | BIT(i)
        :: else
        fi
    }
    if
    :: picked ->
#ifndef NO_HOLD
        mine.open = mine.open & ~picked;
#endif
        mine.in_round = picked;
        mine.round++;
        mine.claimed_at = mine.version;
        out.claims = true;
        out.version = mine.version;
        out.round = mine.round;
        out.natives = picked
    :: else
    fi
}

inline take_ghost(Rec)
{
    if
    :: Rec.a > mine.version ->
        treat = mine.version == 0 || Rec.c || mine.refused;
        mine.version = Rec.a;
        mine.state = Rec.b;
        if
        :: mine.in_round == 0 ->
            mine.refused = false;
            if
            :: treat -> claim(ALL_NATIVES)
            :: else
            fi;
            if
            :: Rec.c && !out.claims -> out.claims = true; out.version = Rec.a; out.round = 0; out.natives = 0
            :: else
            fi
        :: else
        fi
    :: else
    fi
}

inline take_answers(Rec)
{
    if
    :: mine.in_round && Rec.b == mine.round ->
        for (i : 0 .. NN - 1) {
            if
            :: !(mine.in_round & BIT(i))
            :: (mine.in_round & BIT(i)) && (Rec.c & BIT(i)) -> mine.matched = mine.matched | BIT(i);
               mine.open = mine.open & ~BIT(i)
            :: (mine.in_round & BIT(i)) && !(Rec.c & BIT(i)) ->
                mine.refused_at[i] = mine.claimed_at;
                mine.refused = true;
                if
                :: mine.cancel_wanted & BIT(i) -> out.lost = out.lost | BIT(i)
                :: else -> mine.open = mine.open | BIT(i)
                fi
            fi
        }
        mine.in_round = 0;
        mine.claimed_at = 0;
        mine.cancel_wanted = 0;
#ifndef NO_SECOND_LOOK
        claim(ALL_NATIVES)
#endif
    :: else
    fi
}

inline take_reopened(Rec)
{
    mine.matched = mine.matched & ~Rec.c;
    mine.open = mine.open | Rec.c;
    if
    :: mine.in_round == 0 -> claim(Rec.c)
    :: else
    fi
}

inline cancel_native(Native)
{
    if
    :: mine.open & BIT(Native) -> mine.open = mine.open & ~BIT(Native); out.lost = out.lost | BIT(Native)
#ifdef NO_WAIT_TO_CANCEL
    :: mine.in_round & BIT(Native) -> out.lost = out.lost | BIT(Native)
#else
    :: mine.in_round & BIT(Native) -> mine.cancel_wanted = mine.cancel_wanted | BIT(Native)
#endif
    :: else
    fi
}

inline rival_takes()
{
    for (i : 0 .. NN - 1) {
        if
        :: (mine.open & BIT(i)) && out.lost == 0 -> mine.open = mine.open & ~BIT(i); out.lost = BIT(i)
        :: else
        fi
    }
}

inline clear_q_output()
{
    out.claims = false;
    out.version = 0;
    out.round = 0;
    out.natives = 0;
    out.lost = 0;
    room = 0;
    picked = 0;
    treat = false
}

inline apply_q(Rec)
{
    clear_q_output();
    mine.done++;
    if
    :: Rec.seq == 0 && Rec.kind == ORDER ->
        mine.open = mine.open | BIT(Rec.a);
        mine.rested = mine.rested | BIT(Rec.a);
        if
        :: mine.in_round == 0 -> claim(BIT(Rec.a))
        :: else
        fi
    :: Rec.seq == 0 && Rec.kind == RIVAL -> rival_takes()
    :: Rec.seq == 0 && Rec.kind == CANCEL -> cancel_native(Rec.a)
    :: Rec.seq != 0 && Rec.seq == mine.seen + 1 ->
        mine.seen = Rec.seq;
        if
        :: Rec.kind == GHOST -> take_ghost(Rec)
        :: Rec.kind == ANSWERS -> take_answers(Rec)
        :: Rec.kind == MATCH_STATE -> take_reopened(Rec)
        :: else -> assert(false)
        fi
    :: else
    fi
}

inline emit_q(q)
{
    if
    :: out.claims -> mine.sent++; send(p_box[q], CLAIMS, mine.sent, q, out.version, out.round, out.natives)
    :: else
    fi;
    for (i : 0 .. NN - 1) {
        if
        :: out.lost & BIT(i) -> had[q * NN + i]++
        :: else
        fi
    }
}

inline nobody_twice()
{
    for (i : 0 .. NQ * NN - 1) {
        assert(had[i] <= 1)
    }
}

proctype owner_q(byte me; byte turn)
{
    q_state mine;
    q_output out;
    byte epoch, i, room, picked;
    bool treat;
acquire:
    atomic {
        clear_q_output();
        if
        :: lease_q[me].epoch < (Q_OWNERS == 1 -> 1 : EPOCHS) && lease_q[me].epoch + 1 >= turn ->
            lease_q[me].epoch++;
            epoch = lease_q[me].epoch;
            copy_q(mine, durable_q[me])
        :: lease_q[me].epoch >= (Q_OWNERS == 1 -> 1 : EPOCHS) -> goto gone
        fi
    }
end_follow:
    do
    :: atomic {
           d_step { mine.done < log_q[me].count -> apply_q(log_q[me].at[mine.done - 1]) }
#if Q_OWNERS > 1
       }
       atomic {
#endif
           if
           :: FENCE(lease_q[me], durable_q[me]) ->
               d_step {
                   assert(ONE_EPOCH(lease_q[me]));
                   emit_q(me);
                   copy_q(durable_q[me], mine);
#ifndef NO_FENCE
                   wipe(log_q[me].at[mine.done - 1]);
#endif
                   clear_q_output();
                   nobody_twice();
                   skip
               }
           :: else -> goto acquire
           fi
       }
    od;
gone:
    skip;
    d_step { epoch = 0; copy_q(mine, nothing_q); skip }
}

/* --- the world --------------------------------------------------------------------------------------------------------- */

#define RELAY(o, l) \
    append(l, o.at[o.relayed].kind, o.at[o.relayed].seq, o.at[o.relayed].from, o.at[o.relayed].a, o.at[o.relayed].b, \
           o.at[o.relayed].c); \
    if \
    :: o.relayed > 0 -> wipe(o.at[o.relayed - 1]) \
    :: else \
    fi; \
    o.relayed++
#define REPEAT(o, l) \
    append(l, o.at[o.relayed - 1].kind, o.at[o.relayed - 1].seq, o.at[o.relayed - 1].from, o.at[o.relayed - 1].a, \
           o.at[o.relayed - 1].b, o.at[o.relayed - 1].c); \
    repeats++

/* Moves messages from outboxes to logs, in order, and now and then once more. */
proctype relay()
{
    byte i, repeats;
end_relay:
    do
    :: d_step { q_box[0].relayed < q_box[0].count -> RELAY(q_box[0], log_q[0]) }
    :: d_step { p_box[0].relayed < p_box[0].count -> RELAY(p_box[0], log_p) }
    :: d_step { repeats < REPEATS && q_box[0].relayed > 0 -> REPEAT(q_box[0], log_q[0]) }
    :: d_step { repeats < REPEATS && p_box[0].relayed > 0 -> REPEAT(p_box[0], log_p) }
#if NQ > 1
    :: d_step { q_box[1].relayed < q_box[1].count -> RELAY(q_box[1], log_q[1]) }
    :: d_step { p_box[1].relayed < p_box[1].count -> RELAY(p_box[1], log_p) }
#endif
    od
}

/* What clients and clocks append, each once, in any order. */
proctype native_comes(byte q; byte n)
{
    d_step { append(log_q[q], ORDER, 0, 0, n, 0, 0) }
}

proctype rival_comes_to_p()
{
    d_step { append(log_p, RIVAL, 0, 0, 0, 0, 0) }
}

proctype rival_comes_to_q()
{
    d_step { append(log_q[0], RIVAL, 0, 0, 0, 0, 0) }
}

proctype native_is_cancelled()
{
    d_step { durable_q[NQ - 1].rested & BIT(NN - 1) -> append(log_q[NQ - 1], CANCEL, 0, 0, NN - 1, 0, 0) }
}

proctype carrier_cancels()
{
end_nothing_to_cancel:
    d_step { durable_p.taken[0] & 1 -> append(log_p, END_MATCH, 0, 0, 0, 0, 0) }
}

proctype deadline_comes()
{
end_quiet:
    d_step { durable_p.gathering -> append(log_p, TICK, 0, 0, 0, 0, 0) }
}

/* When nothing can move any more: every claim has its answer, and no match was passed over. */
proctype rest()
{
    byte q;
    timeout;
    assert(durable_p.done == log_p.count && !durable_p.gathering);
    assert(durable_p.left == 0 || durable_p.rival != 1);
    for (q : 0 .. NQ - 1) {
        assert(durable_q[q].done == log_q[q].count);
        assert(durable_q[q].in_round == 0 && durable_q[q].cancel_wanted == 0);
        assert(durable_p.left == 0 || durable_q[q].open == 0);
        assert(durable_q[q].matched == durable_p.taken[q])
    }
}

init {
    byte q, n;
    atomic {
        append(log_p, ORDER, 0, 0, 0, 0, 0);
        for (q : 1 .. P_OWNERS) {
            run owner_p(q)
        }
        for (q : 0 .. NQ - 1) {
            for (n : 1 .. Q_OWNERS) {
                run owner_q(q, n)
            }
            for (n : 0 .. NN - 1) {
                run native_comes(q, n)
            }
        }
        run relay();
        run deadline_comes();
#if RIVALS & 1
        run rival_comes_to_p();
#endif
#if RIVALS & 2
        run rival_comes_to_q();
#endif
#if RIVALS & 4
        run native_is_cancelled();
#endif
#if ENDINGS
        run carrier_cancels();
#endif
#ifndef LIVENESS
        run rest()
#endif
    }
}

#ifdef LIVENESS
ltl every_claim_is_answered { [] (durable_q[0].in_round != 0 -> <> (durable_q[0].in_round == 0)) }
#endif
