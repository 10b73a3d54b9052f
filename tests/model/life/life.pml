/*
 * The life of a run: clean, resume and undo on one target, any step of which may be the last one of its process, with a
 * second operator and an outsider who writes. README.md says what it proves and what it leaves out; life.sh runs it.
 *
 * -D switches: OPERATORS, MACHINES (2: another runs directory), RUNS, COMMANDS (of the first operator; the second has one less), CRASHES, WRITES (an
 * outsider's), LOSSES (answers that do not come), NO_RIGHT (nobody may use sp_getapplock), ENDS (once nothing disturbs any
 * more, somebody resumes until all is settled), REPLAY (journals of the program steer), and the faults F_...
 */
#ifndef OPERATORS
#define OPERATORS 1
#endif
#ifndef MACHINES
#define MACHINES 1
#endif
#ifndef RUNS
#define RUNS 2
#endif
#ifndef COMMANDS
#define COMMANDS 3
#endif
#ifndef CRASHES
#define CRASHES 1
#endif
#ifndef WRITES
#define WRITES 1
#endif
#ifndef LOSSES
#define LOSSES 1
#endif
#ifndef NA
#define NA 3 /* keys of AxDB; the last one has no row in the beginning */
#endif
#ifndef ND
#define ND 3 /* of Dataverse */
#endif
#ifndef HAD_A
#define HAD_A 2 /* rows in the beginning */
#endif
#ifndef HAD_D
#define HAD_D 2
#endif
#ifndef ROUNDS
#define ROUNDS 1 /* PURGE_ROUNDS of core/purge.h is 3; one has every step */
#endif

/* ---- records of the journal: the numbers are the model's, the words the program's ---- */

#define R_OPEN 1         /* "open" command */
#define R_IDENTITY 2     /* "identity" */
#define R_CHECKED 3      /* "preconditions" */
#define R_PLAN 4         /* "plan" */
#define R_CONFIRMED 5    /* "confirmed" */
#define R_LOCKED 6       /* "locked" */
#define R_SEALED 7       /* "backup-sealed" */
#define R_BEGIN 8        /* "begin" */
#define R_SENT 9         /* "commit-sent" */
#define R_COMMITTED 10   /* "committed" */
#define R_ROLLED_BACK 11 /* "rolled-back" */
#define R_UNKNOWN 12     /* "commit-unknown" */
#define R_SETTLED 13     /* "settled" state */
#define R_RESUMED 14     /* "resumed" settle */
#define R_INTENT 15      /* "purge-intent" rows */
#define R_OUTCOME 16     /* "purge-outcome" rows */
#define R_AGAIN 17       /* "backup-again" number of rows */
#define R_RETURN 18      /* "return-intent" rows */
#define R_RETURNED 19    /* "return-outcome" rows */
#define R_VERIFIED 20    /* "verified" outcome */
#define R_CLOSE 21       /* "close" */
#define R_STOPPED 22     /* "stopped" */

#define CLEAN 1 /* commands */
#define MAP 2
#define UNDO 3

#define NOT_KNOWN 0 /* what became of a COMMIT */
#define COMMITTED 1
#define ROLLED_BACK 2
#define MIXED 3

#define DONE 1 /* outcomes of a look */
#define RESIDUE 2
#define PARTIAL 3

/* rows of an outcome: those that were deleted (or made), those that were gone (or there), or one row and what with it */
#define left_as(done, gone) ((done) | ((gone) << 8))
#define ONE_CHANGED (1 << 16)
#define ONE_FAILED (2 << 16)
#define ONE_UNKNOWN (3 << 16)

/* ---- the world ---- */

/*
 * A row is 0 (none) or what it contains with its version: contents in the low three bits (1 as in the beginning, 2 changed by
 * the outsider, 3 made again by an undo, 4 new, by the outsider), above them a count of writes. Equal numbers are equal rows.
 */
#define contents(row) ((row) & 7)
#define same_row(row, other) (contents(row) == contents(other))
#define same_but_made_again(row, other) (same_row(row, other) || (contents(row) == 3 && contents(other) == 1))

byte a[NA];
byte d[ND];
byte late[ND]; /* version in a delete that was sent by a process that is no more, and that is still under way */
byte late_made; /* rows in such a creation */

#define DELETING 1
#define INSERTING 2
#define lost_session(me) (OPERATORS + 1 + (me)) /* of a client that is gone; the server has not noticed */

byte tables_locked;  /* TABLOCKX: session, or 0. A session is an operator + 1, or lost_session() */
byte applock;        /* sp_getapplock */
bit commit_on_way;   /* of the session that has the tables */
byte change, change_rows, change_run;

byte target_locked[MACHINES]; /* the lock file: operator + 1 */

typedef Run {
    bit used, locked, whole, sealed, axdb, dataverse, merge;
    /* as the journal says, all of it on stable storage but `soft` */
    bit sent, committed, rolled_back, mixed, purge_begun, ended, finished;
    byte left, soft;
    byte command, machine, undoes;
    byte touched; /* operators behind whose back a record was added */
    byte a[NA], d[ND], again[ND]; /* plan and backup; of an undo: what was there */
    /* what happened */
    bit executed, put_back
};
Run runs[RUNS];
byte run_count;

bit busy[OPERATORS], crash[OPERATORS];
byte commands[OPERATORS];
byte crashes = CRASHES, writes = WRITES, losses = LOSSES;
bit quiet; /* nothing disturbs any more */

/* ---- what must hold ---- */

#ifdef REPLAY
#define ensure(what) skip
#define TRACE 200
hidden byte trace_step[RUNS * TRACE];
hidden int trace_about[RUNS * TRACE];
hidden byte trace_size[RUNS];
hidden byte trace_runs;
bit loaded;
byte at[RUNS];
#define next_step (trace_step[r * TRACE + at[r]])
#define next_about (trace_about[r * TRACE + at[r]])

/* The file that LIFE_TRACE names: crashes, writes and lost answers at most, runs, commands; then a line "run step about" a record. */
c_decl {
\#include <stdio.h>
\#include <stdlib.h>
}
c_code {
static unsigned most[5];

static void
read_trace(void)
{
    const char *name = getenv("LIFE_TRACE");
    FILE *file = name ? fopen(name, "r") : NULL;
    unsigned run;
    unsigned step;
    int about;

    if (!file || fscanf(file, "%u %u %u %u %u", &most[0], &most[1], &most[2], &most[3], &most[4]) != 5 ||
        most[3] > RUNS)
        exit(2);
    trace_runs = (unsigned char)most[3];
    while (fscanf(file, "%u %u %d", &run, &step, &about) == 3) {
        if (run >= trace_runs || trace_size[run] >= TRACE)
            exit(2);
        trace_step[run * TRACE + trace_size[run]] = (unsigned char)step;
        trace_about[run * TRACE + trace_size[run]++] = about;
    }
    if (!feof(file))
        exit(2);
    fclose(file);
}

static void
load(void)
{
    if (!trace_runs) /* a search passes here more than once */
        read_trace();
    now.crashes = (unsigned char)most[0];
    now.writes = (unsigned char)most[1];
    now.losses = (unsigned char)most[2];
    now.commands[0] = (unsigned char)most[4];
    now.loaded = 1;
}
}
#else
#define ensure(what) assert(what)
#endif

#if OPERATORS > 1
#define touch(r) runs[r].touched = runs[r].touched | (3 ^ (1 << me))
#else
#define touch(r) skip
#endif

/* A record: in one step with what it says, which a crash cannot part. */
inline record(step, about)
{
#ifdef REPLAY
    at[r] < trace_size[r] && next_step == step && next_about == (about) -> at[r]++;
#endif
    printf("record run=%d step=%d about=%d by=%d\n", r, step, about, me);
    touch(r)
}

/* A record that no command reads later: a crash before it and one behind it leave the same. */
inline note(step, about)
{
#ifdef REPLAY
    record(step, about)
#else
    printf("record run=%d step=%d about=%d by=%d\n", r, step, about, me)
#endif
}

#define each_a(i) i : 0 .. NA - 1
#define each_d(i) i : 0 .. ND - 1

/* ---- the server ---- */

#define may_lose (losses > 0 && !quiet)

/* The COMMIT is carried out. */
inline execute()
{
    for (each_a(i)) {
        if
        :: !(change_rows & (1 << i))
        :: else ->
            if
            :: change == DELETING ->
                /* no row leaves without a sealed copy, and none that is not the one that was backed up */
                ensure(runs[change_run].whole && a[i] == runs[change_run].a[i]);
                a[i] = 0
            :: else ->
                /* nothing is overwritten, and rows of two environments are not mixed */
                ensure(a[i] == 0 && (runs[change_run].merge || i || !(a[1] || a[NA - 1])));
                a[i] = runs[runs[change_run].undoes].a[i];
                runs[runs[change_run].undoes].put_back = 1
            fi
        fi
    }
    i = 0;
    /* the intent is on record before the deed */
    ensure(runs[change_run].sent);
    runs[change_run].executed = 1
}

inline end_change()
{
    tables_locked = 0;
    commit_on_way = 0;
    change = 0;
    change_rows = 0;
    change_run = 0
}

/* The server sees that the client is gone. */
active proctype server()
{
    byte i;

end:
    do
    :: atomic {
        tables_locked > OPERATORS ->
        if
        :: commit_on_way -> execute()
        :: skip
        fi;
        if
        :: applock == tables_locked -> applock = 0
        :: else
        fi;
        end_change()
       }
    :: atomic { applock > OPERATORS && tables_locked != applock -> applock = 0 }
    od
}

/* Requests to Dataverse that nobody waits for any more. */
active proctype service()
{
    byte i;

end:
    do
    :: atomic {
        late[0] || late[1] || late[ND - 1] ->
        for (each_d(i)) {
            if
            :: late[i] && d[i] == late[i] -> d[i] = 0; late[i] = 0
            :: late[i] && d[i] != late[i] -> late[i] = 0
            :: late[i] && !quiet
            :: !late[i]
            fi
        }
        i = 0
       }
    :: atomic {
        late_made ->
        for (each_d(i)) {
            if
            :: (late_made & (1 << i)) && d[i] == 0 -> d[i] = 3
            :: else
            fi
        }
        late_made = 0;
        i = 0
       }
    od
}

#if WRITES > 0
/* Maps that still run, a colleague with a browser. The rows of the beginning are alike: one of them stands for all. */
active proctype outsider()
{
    byte i;

end:
    do
    :: atomic {
        writes > 0 && !quiet ->
        writes--;
        printf("a write from outside\n");
        if
#ifndef OUTSIDE_DATAVERSE_ONLY
        :: tables_locked == 0 ->
            if
            :: i = 0
            :: i = NA - 1
            fi;
            if
            :: a[i] == 0 -> a[i] = 4 + 8 * (WRITES - writes)
            :: a[i] != 0 -> a[i] = 2 + 8 * (WRITES - writes)
            fi
#endif
        :: if
            :: i = 0
            :: i = ND - 1
            fi;
            if
            :: d[i] == 0 -> d[i] = 4 + 8 * (WRITES - writes)
            :: d[i] != 0 -> d[i] = contents(d[i]) + 8 * (WRITES - writes)
            :: d[i] != 0 -> d[i] = 2 + 8 * (WRITES - writes)
            :: d[i] != 0 -> d[i] = 0
            fi
        fi;
        i = 0
       }
    od
}
#endif

#if CRASHES > 0
active proctype chaos()
{
end:
    do
    :: atomic { crashes > 0 && !quiet && busy[0] && !crash[0] -> crashes--; crash[0] = 1 }
#if OPERATORS > 1
    :: atomic { crashes > 0 && !quiet && busy[1] && !crash[1] -> crashes--; crash[1] = 1 }
#endif
    od
}
#endif

/* ---- an operator ---- */

#define session (me + 1)
#define here (me % MACHINES)
#define axdb_rows(run) (runs[run].axdb && (runs[run].a[0] || runs[run].a[1] || runs[run].a[NA - 1]))
/* The rows of a run have left AxDB; by another machine's run, when this one was cut off. */
#if RUNS > 2
#define removed(run) (!axdb_rows(run) || runs[0].executed || runs[1].executed || runs[2].executed)
#elif RUNS > 1
#define removed(run) (!axdb_rows(run) || runs[0].executed || runs[1].executed)
#else
#define removed(run) (!axdb_rows(run) || runs[0].executed)
#endif
#define state_unknown(run) (runs[run].used && runs[run].machine == here && !runs[run].locked && \
                            runs[run].sent && !runs[run].committed && runs[run].command != UNDO)
/* Not at its end, and an operator would finish it. Where somebody writes, what is left of Dataverse and rows that are
 * neither gone nor there are told, and stay. */
#if WRITES > 0
#define is_open(run) (runs[run].command == CLEAN && runs[run].sent && !runs[run].committed && !runs[run].mixed)
#else
#define is_open(run) (runs[run].command == CLEAN && begun(run) && !runs[run].ended && !runs[run].put_back)
#endif
#if RUNS > 2
#define some_open (is_open(0) || is_open(1) || is_open(2))
#elif RUNS > 1
#define some_open (is_open(0) || is_open(1))
#else
#define some_open is_open(0)
#endif
#if OPERATORS > 1
#define nobody_busy (!busy[0] && !busy[1])
#else
#define nobody_busy (!busy[0])
#endif
#define begun(run) (runs[run].sent || runs[run].committed || runs[run].purge_begun)

inline forget()
{
    r = 0; past = 0; todo = 0; flying = 0; done = 0; gone = 0; changed = 0; round = 0; verdict = 0; i = 0; mask = 0;
    rows = 0; present = 0; differing = 0; unsettled = 0;
    resumes = 0; settles = 0; holds = 0; finishing = 0; merge = 0; back_too = 0; left_then = 0;
    for (each_d(i)) {
        version[i] = 0
    }
    i = 0
}

/* The process is no more: the kernel gives back its locks, the server notices when it notices, requests are under way or
 * not, and what was not synced is on the disk or not. */
inline die()
{
    if
    :: tables_locked == session -> tables_locked = lost_session(me)
    :: else
    fi;
    if
    :: applock == session -> applock = lost_session(me)
    :: else
    fi;
    if
    :: target_locked[here] == session -> target_locked[here] = 0
    :: else
    fi;
    if
    :: holds ->
        runs[r].locked = 0;
        if
        :: runs[r].soft -> runs[r].left = runs[r].left | runs[r].soft
        :: true
        fi;
        runs[r].soft = 0;
        holds = 0
    :: else
    fi;
    for (each_d(i)) {
        if
        :: (flying & (1 << i)) && runs[r].command != UNDO && !late[i] -> late[i] = version[i]
        :: (flying & (1 << i)) && runs[r].command == UNDO -> late_made = late_made | (1 << i)
        :: true
        fi
    }
}

/* The rows of a backup beside the ones that are there. */
inline compare_a(whose, wanted)
{
    rows = 0; present = 0; differing = 0;
    for (each_a(i)) {
        if
        :: runs[whose].a[i] && ((wanted) & (1 << i)) ->
            rows++;
            if
            :: a[i] == runs[whose].a[i] -> present++
            :: a[i] && a[i] != runs[whose].a[i] -> differing++
            :: else
            fi
        :: else
        fi
    }
    i = 0
}

/* Rows in groups that were answered, before the next intent, before a row that is a case of its own, and at the end. */
inline tell_outcomes(step)
{
    if
    :: done || gone ->
        record(step, left_as(done, gone));
        runs[r].soft = runs[r].soft | done | gone;
        done = 0;
        gone = 0
    :: else
    fi
}

inline sync()
{
    runs[r].left = runs[r].left | runs[r].soft;
    runs[r].soft = 0
}

/* Some of the rows that are to be sent. */
inline choose_group()
{
#ifdef REPLAY
    at[r] < trace_size[r] -> mask = next_about & todo
#else
    if
    :: mask = todo
    :: todo & 1 -> mask = 1
    :: (todo & 2) && todo != 2 -> mask = 2
    fi
#endif
}

proctype operator(byte me)
{
    byte r, past;
    byte todo, flying, done, gone, changed, unsettled; /* rows of Dataverse */
    byte version[ND];
    byte round, verdict, i, mask, rows, present, differing, left_then;
    bit resumes, settles, holds, merge, back_too, finishing;

end:
    do
    :: atomic {
        if
        :: commands[me] > 0 && !quiet -> commands[me]--
#ifdef ENDS
        :: me == 0 && quiet && some_open && nobody_busy -> finishing = 1 /* what the operator is told to do */
#endif
        fi;
        busy[me] = 1;
        crash[me] = 0
       }
       {
        if
        :: !finishing -> goto clean
        :: goto resume
        :: !finishing -> goto undo
        fi;

        /* ---- clean, repair-map ---- */
clean:  atomic {
            if
            :: run_count == RUNS -> goto idle
            :: state_unknown(0) -> goto idle
#if RUNS > 1
            :: state_unknown(1) -> goto idle
#endif
#if RUNS > 2
            :: state_unknown(2) -> goto idle
#endif
            :: else
            fi;
            present = 0;
            for (each_a(i)) { present = present + (a[i] != 0) }
            for (each_d(i)) { present = present + (d[i] != 0) }
            i = 0;
            if
            :: present == 0 -> present = 0; goto idle /* nothing to do: no run */
            :: else -> present = 0
            fi;
            r = run_count;
            run_count++;
            runs[r].used = 1;
            runs[r].machine = here;
            runs[r].command = CLEAN;
            runs[r].axdb = 1;
            runs[r].dataverse = 1;
#ifdef REPLAY
            if
            :: true
            :: runs[r].axdb = 0
            :: runs[r].dataverse = 0
            :: runs[r].dataverse = 0; runs[r].command = MAP
            fi;
#endif
            runs[r].locked = 1;
            holds = 1;
            note(R_OPEN, runs[r].command)
        }
        goto open;

        /* ---- resume ---- */
resume: atomic {
            if
            :: runs[0].used && (!finishing || is_open(0)) -> r = 0
#if RUNS > 1
            :: runs[1].used && (!finishing || is_open(1)) -> r = 1
#endif
#if RUNS > 2
            :: runs[2].used && (!finishing || is_open(2)) -> r = 2
#endif
            :: else -> goto idle
            fi;
            if
            :: runs[r].machine != here || runs[r].command == UNDO || runs[r].ended -> goto idle
            :: else
            fi;
            if
            :: !begun(r) && !runs[r].locked ->
                /* "nothing was changed", says the refusal */
                ensure(!runs[r].executed && !(commit_on_way && change_run == r));
                goto idle
            :: !begun(r) && runs[r].locked -> goto idle
            :: else
            fi;
            ensure(runs[r].sealed); /* else: no whole plan and sealed backup */
            ensure(!runs[r].committed || removed(r)); /* the journal says no more than what happened */
            resumes = 1;
            settles = runs[r].sent && !runs[r].committed;
            left_then = runs[r].left | runs[r].soft;
#if OPERATORS > 1
            runs[r].touched = runs[r].touched & ~(1 << me)
#endif
        }
        /* the look at both sides takes its time; then the run is reopened */
        atomic {
            if
#ifndef F_NO_RUN_LOCK
            :: runs[r].locked || (runs[r].ended && runs[r].finished) -> goto idle
#endif
            :: else -> runs[r].locked = 1; holds = 1
            fi
        }
#ifndef F_NO_RECHECK
#if OPERATORS > 1
        if
        :: runs[r].touched & (1 << me) -> goto stop
        :: else -> left_then = runs[r].left | runs[r].soft
        fi;
#endif
#endif
#ifndef F_NO_TARGET_LOCK
        atomic {
            if
            :: target_locked[here] == 0 -> target_locked[here] = session
            :: else -> goto stop
            fi
        }
#endif
        atomic { record(R_RESUMED, settles); note(R_CONFIRMED, 0) }
#ifdef F_TRUSTS_THE_JOURNAL
        goto purge;
#endif
        if
        :: settles -> goto settle
        :: else
        fi;
        /* the removal has to stand still: the purge cannot be taken back */
#ifndef F_REMOVAL_NOT_LOOKED_AT
        if
        :: axdb_rows(r) ->
            atomic {
                if
                :: applock == 0 && tables_locked == 0 -> compare_a(r, 255)
                :: may_lose && (applock || tables_locked) -> losses--; goto stop
                fi;
                if
                :: runs[r].command == MAP -> verdict = (present + differing -> RESIDUE : DONE); goto say
                :: runs[r].command != MAP && present + differing -> goto stop
                :: else -> rows = 0
                fi
            }
        :: else
        fi;
#endif
        goto purge;

        /* ---- undo ---- */
undo:   atomic {
            if
            :: run_count == RUNS -> goto idle
            :: run_count < RUNS && runs[0].used -> past = 0
#if RUNS > 1
            :: run_count < RUNS && runs[1].used -> past = 1
#endif
#if RUNS > 2
            :: run_count < RUNS && runs[2].used -> past = 2
#endif
            :: else -> goto idle
            fi;
            merge = 0;
            if
            :: true
            :: merge = 1
            fi;
            if
            :: runs[past].machine != here || runs[past].command == UNDO -> goto idle
            :: !runs[past].committed && !(runs[past].mixed && merge) && runs[past].axdb -> goto idle
            :: !runs[past].axdb && !runs[past].purge_begun -> goto idle
            :: else
            fi;
            if
            :: state_unknown(0) && !(past == 0 && runs[0].mixed) -> goto idle
#if RUNS > 1
            :: state_unknown(1) && !(past == 1 && runs[1].mixed) -> goto idle
#endif
#if RUNS > 2
            :: state_unknown(2) && !(past == 2 && runs[2].mixed) -> goto idle
#endif
            :: else
            fi;
            back_too = runs[past].purge_begun;
            /* the plan is made once before there is a run: nothing missing, or a mixture */
            present = 0;
            mask = 0;
            for (each_a(i)) {
                mask = mask | (runs[past].a[i] && !a[i]);
                present = present | (a[i] != 0)
            }
#ifndef F_UNDO_MIXES
            if
            :: mask && present && !merge -> goto idle
            :: else
            fi;
#endif
            for (each_d(i)) { mask = mask | (back_too && runs[past].d[i] && !d[i]) }
            i = 0;
            present = 0;
            if
            :: mask == 0 -> goto idle
            :: else -> mask = 0
            fi;
#if OPERATORS > 1
            runs[past].touched = runs[past].touched & ~(1 << me);
#endif
            r = run_count;
            run_count++;
            runs[r].used = 1;
            runs[r].machine = here;
            runs[r].command = UNDO;
            runs[r].undoes = past;
            runs[r].merge = merge;
            runs[r].axdb = runs[past].axdb;
            runs[r].dataverse = back_too;
#ifdef REPLAY
            if
            :: true
            :: runs[r].dataverse -> runs[r].axdb = 0
            :: runs[r].axdb -> runs[r].dataverse = 0; back_too = 0
            fi;
#endif
            runs[r].locked = 1;
            holds = 1;
            note(R_OPEN, UNDO)
        }

        /* ---- all of them, up to the locks ---- */
open:
#ifndef F_NO_TARGET_LOCK
        atomic {
            if
            :: target_locked[here] == 0 -> target_locked[here] = session
            :: else -> goto stop
            fi
        }
#endif
#ifdef REPLAY
        atomic { note(R_IDENTITY, 0) }
        do
        :: atomic { record(R_CHECKED, 0) }
        :: break
        od;
#endif
#ifndef F_UNDO_NOT_RECHECKED
#if OPERATORS > 1
        if
        :: runs[r].command == UNDO && (runs[past].touched & (1 << me)) -> goto stop
        :: else
        fi;
#endif
#endif
        atomic { /* the plan: a plain read */
            for (each_a(i)) { runs[r].a[i] = (runs[r].axdb -> a[i] : 0) }
            for (each_d(i)) { runs[r].d[i] = (runs[r].dataverse -> d[i] : 0) }
            i = 0;
            note(R_PLAN, 0);
            mask = 0;
            if
            :: runs[r].command == UNDO ->
                /* rows of the backup that are missing; others make it a mixture */
                present = 0;
                for (each_a(i)) {
                    if
                    :: runs[r].axdb && runs[past].a[i] && !runs[r].a[i] -> mask = mask | (1 << i)
                    :: else
                    fi;
                    present = present + (runs[r].a[i] != 0)
                }
#ifndef F_UNDO_MIXES
                if
                :: mask && present && !merge -> present = 0; goto stop
                :: else
                fi;
#endif
                present = 0;
                for (each_d(i)) {
                    if
                    :: back_too && runs[past].d[i] && !runs[r].d[i] -> todo = todo | (1 << i)
                    :: else
                    fi;
                    present = present + (runs[r].d[i] && !runs[past].d[i])
                }
                i = 0;
                if
                :: todo && present && !merge -> present = 0; goto stop
                :: !todo && !mask -> present = 0; goto stop
                :: else -> present = 0
                fi
            :: else
            fi
        }
#ifdef REPLAY
        if
        :: true
        :: goto stop /* not confirmed */
        fi;
#endif
        atomic {
            note(R_CONFIRMED, 0);
#ifndef NO_RIGHT
            if
            :: runs[r].axdb && applock == 0 -> applock = session; note(R_LOCKED, 0)
            :: runs[r].axdb && applock -> goto stop
            :: !runs[r].axdb
            fi;
#endif
            if
            :: runs[r].command == UNDO -> goto change_axdb
            :: else
            fi
        }

        /* ---- the sealed backup ---- */
#ifndef F_DELETE_BEFORE_SEAL
        atomic {
            present = 1;
            for (each_a(i)) { present = present && (!runs[r].axdb || runs[r].a[i] == a[i]) }
            for (each_d(i)) { present = present && (!runs[r].dataverse || runs[r].d[i] == d[i]) }
            i = 0;
            if
            :: present -> present = 0
            :: else -> goto stop
            fi
        }
#ifdef REPLAY
        if
        :: true
        :: goto stop /* a full disk, a signal */
        fi;
#endif
        runs[r].whole = 1;
        atomic { record(R_SEALED, 0); runs[r].sealed = 1 }
#endif

        /* ---- AxDB ---- */
change_axdb:
        atomic {
            if
            :: !runs[r].axdb -> goto change_dataverse
            :: runs[r].command == UNDO && mask == 0 -> goto change_dataverse
            :: else
            fi;
            note(R_BEGIN, 0);
            if
            :: tables_locked == 0 -> tables_locked = session
            :: tables_locked -> goto stop
            fi
        }
        atomic {
            present = 1;
            for (each_a(i)) { present = present && runs[r].a[i] == a[i] }
            change = (runs[r].command == UNDO -> INSERTING : DELETING);
            change_run = r;
            if
            :: change == DELETING ->
                for (each_a(i)) { change_rows = change_rows | ((a[i] != 0) << i) }
            :: else -> change_rows = mask
            fi;
            i = 0;
            if
#ifndef F_NOT_COMPARED
            :: !present && change == DELETING -> end_change(); goto stop
#endif
#ifndef F_UNDO_NOT_COMPARED
            :: !present && change == INSERTING -> end_change(); goto stop
#endif
            :: else -> present = 0
            fi;
#ifdef REPLAY
            if
            :: true
            :: end_change(); goto stop /* a signal, a lock timeout, another error */
            fi
#endif
        }
#ifdef F_COMMITTED_TOO_EARLY
        atomic { record(R_COMMITTED, 0); runs[r].committed = 1 }
#endif
#ifndef F_COMMIT_NOT_ANNOUNCED
        atomic { record(R_SENT, 0); runs[r].sent = 1; runs[r].rolled_back = 0 }
#endif
        commit_on_way = 1;
        atomic {
            if
            :: execute(); end_change(); verdict = COMMITTED
            :: end_change(); verdict = ROLLED_BACK
            :: may_lose -> losses--; execute(); end_change(); applock = 0; verdict = NOT_KNOWN
            :: may_lose -> losses--; tables_locked = lost_session(me); verdict = NOT_KNOWN;
                if
                :: applock == session -> applock = lost_session(me)
                :: else
                fi
            fi
        }
        if
        :: verdict == COMMITTED -> atomic { record(R_COMMITTED, 0); runs[r].committed = 1; runs[r].rolled_back = 0 }
        :: verdict == ROLLED_BACK ->
            atomic { record(R_ROLLED_BACK, 0); runs[r].rolled_back = 1; runs[r].sent = 0 }
            goto stop
        :: verdict == NOT_KNOWN -> atomic { note(R_UNKNOWN, 0); goto settle }
        fi;
#ifdef F_DELETE_BEFORE_SEAL
        runs[r].whole = 1;
        atomic { record(R_SEALED, 0); runs[r].sealed = 1 }
#endif

        /* ---- Dataverse ---- */
change_dataverse:
        atomic {
            verdict = 0;
            if
            :: applock == session -> applock = 0
            :: else
            fi;
            if
            :: runs[r].command == UNDO -> goto make
            :: else
            fi
        }
purge:  atomic {
            for (each_d(i)) {
                if
                :: runs[r].dataverse && runs[r].d[i] && !(left_then & (1 << i)) ->
                    todo = todo | (1 << i);
                    version[i] = (runs[r].again[i] -> runs[r].again[i] : runs[r].d[i])
                :: else
                fi
            }
            i = 0;
            left_then = 0
        }
        do
        :: todo ->
            atomic { tell_outcomes(R_OUTCOME); choose_group() }
            atomic { record(R_INTENT, mask); mask != 0; runs[r].purge_begun = 1; sync() }
            atomic {
                /* of a finished run, of one that was taken back or whose rows of AxDB are there, nothing is purged; of
                 * Dataverse alone nothing tells that it was taken back but the rows, by what they are */
                ensure(runs[r].whole && !runs[r].ended && (!runs[r].put_back || !axdb_rows(r)));
                ensure(removed(r));
#ifdef F_TOLD_TOO_EARLY
                done = done | mask;
#endif
                flying = flying | mask;
                todo = todo & ~mask;
                mask = 0
            }
#ifdef F_TOLD_TOO_EARLY
            tell_outcomes(R_OUTCOME);
            sync();
#endif
        :: flying ->
            atomic {
                if
                :: flying & 1 -> i = 0
                :: flying & 2 -> i = 1
#if ND > 2
                :: flying & 4 -> i = 2
#endif
                fi;
                if
                :: d[i] == 0 -> flying = flying & ~(1 << i); gone = gone | (1 << i)
#ifdef F_NO_VERSION_SENT
                :: d[i] ->
#else
                :: d[i] == version[i] ->
#endif
                    /* this row, in this version, lies in a sealed backup; its contents are the plan's */
                    ensure(runs[r].whole && (d[i] == runs[r].d[i] || d[i] == runs[r].again[i]));
                    ensure(same_row(d[i], runs[r].d[i]));
                    d[i] = 0;
                    if
                    :: flying = flying & ~(1 << i); done = done | (1 << i)
                    :: may_lose -> losses-- /* sent again, with the same version */
                    fi
#ifndef F_NO_VERSION_SENT
                :: d[i] && d[i] != version[i] -> verdict = 1
#endif
                :: may_lose -> losses--; verdict = 2 /* refused by the service, whatever the reason */
                :: may_lose -> losses--; verdict = 3;
                    if
                    :: !late[i] -> late[i] = version[i]
                    :: d[i] == version[i] -> d[i] = 0
                    :: true
                    fi
                fi
            }
            if
            :: verdict ->
                atomic {
                    tell_outcomes(R_OUTCOME);
                    record(R_OUTCOME, (verdict << 16) | (1 << i));
                    flying = flying & ~(1 << i);
                    if
                    :: verdict == 1 -> changed = changed | (1 << i)
                    :: else -> unsettled = unsettled | (1 << i)
                    fi;
                    verdict = 0;
                    i = 0
                }
            :: else -> i = 0
            fi
        :: atomic { !todo && !flying && !changed -> tell_outcomes(R_OUTCOME); sync(); break }
        :: atomic {
                !todo && !flying && changed ->
                tell_outcomes(R_OUTCOME);
                sync();
                if
                :: round == ROUNDS -> unsettled = unsettled | changed; changed = 0; break
                :: else -> round++
                fi
            }
            /* rows that were only stamped are read and sealed once more */
            atomic {
                for (each_d(i)) {
                    if
                    :: !(changed & (1 << i))
                    :: (changed & (1 << i)) && d[i] == 0 -> gone = gone | (1 << i)
#ifdef F_CHANGED_ROWS_GO_TOO
                    :: (changed & (1 << i)) && d[i] -> todo = todo | (1 << i); version[i] = d[i]; rows++
#else
                    :: (changed & (1 << i)) && d[i] && same_row(d[i], runs[r].d[i]) ->
                        todo = todo | (1 << i); version[i] = d[i]; rows++
                    :: (changed & (1 << i)) && d[i] && !same_row(d[i], runs[r].d[i]) ->
                        unsettled = unsettled | (1 << i)
#endif
                    fi
                }
                i = 0;
                changed = 0
            }
            if
            :: todo ->
#ifndef F_NOT_SEALED_AGAIN
                atomic {
                    for (each_d(i)) {
                        if
                        :: todo & (1 << i) -> runs[r].again[i] = version[i]
                        :: else
                        fi
                    }
                    i = 0
                }
                atomic { record(R_AGAIN, rows) }
#endif
            :: else
            fi;
            atomic { rows = 0; tell_outcomes(R_OUTCOME); sync() }
#ifdef REPLAY
        :: !flying && todo -> /* a signal, a disk that is full, a sign-in that is over */
            tell_outcomes(R_OUTCOME);
            goto stop
#endif
        od;
        goto prove;

        /* rows that are made again: only where there is none */
make:   do
        :: todo ->
            atomic { tell_outcomes(R_RETURNED); choose_group() }
            atomic { record(R_RETURN, mask); mask != 0 }
            atomic { flying = flying | mask; todo = todo & ~mask; mask = 0; runs[past].put_back = 1 }
        :: flying ->
            atomic {
                if
                :: flying & 1 -> i = 0
                :: flying & 2 -> i = 1
#if ND > 2
                :: flying & 4 -> i = 2
#endif
                fi;
                if
                :: d[i] -> flying = flying & ~(1 << i); gone = gone | (1 << i)
                :: d[i] == 0 ->
                    d[i] = 3;
                    if
                    :: flying = flying & ~(1 << i); done = done | (1 << i)
                    :: may_lose -> losses--
                    fi
                :: may_lose -> losses--; verdict = 2
                :: may_lose -> losses--; verdict = 3; late_made = late_made | (1 << i)
                fi
            }
            if
            :: verdict ->
                atomic { tell_outcomes(R_RETURNED); record(R_RETURNED, (verdict << 16) | (1 << i)); flying = flying & ~(1 << i); verdict = 0; i = 0 }
            :: else -> i = 0
            fi
        :: atomic { !todo && !flying -> tell_outcomes(R_RETURNED); break }
#ifdef REPLAY
        :: !flying && todo -> tell_outcomes(R_RETURNED); goto stop
#endif
        od;
        runs[r].soft = 0;

        /* ---- the fresh look ---- */
prove:
#ifdef REPLAY
        if
        :: true
        :: goto stop /* it cannot be made */
        fi;
#endif
        atomic {
            verdict = DONE;
            if
#ifdef F_NOT_LOOKED_AT_AGAIN
            :: true
#else
            :: runs[r].axdb && tables_locked -> verdict = PARTIAL /* not known */
#endif
            :: !runs[r].axdb || !tables_locked ->
                for (each_a(i)) {
                    if
                    :: !runs[r].axdb
                    :: runs[r].axdb && runs[r].command == UNDO ->
                        if
                        :: runs[past].a[i] && runs[past].a[i] != a[i] -> verdict = PARTIAL
                        :: else
                        fi
                    :: runs[r].axdb && runs[r].command == MAP ->
                        if
                        :: runs[r].a[i] && a[i] -> verdict = RESIDUE
                        :: else
                        fi
                    :: runs[r].axdb && runs[r].command == CLEAN ->
                        if
                        :: a[i] && runs[r].a[i] && verdict == DONE -> verdict = RESIDUE
                        :: a[i] && !runs[r].a[i] -> verdict = PARTIAL
                        :: else
                        fi
                    fi
                }
                for (each_d(i)) {
                    if
                    :: !runs[r].dataverse
                    :: runs[r].dataverse && runs[r].command == UNDO ->
                        if
                        :: runs[past].d[i] && !same_but_made_again(d[i], runs[past].d[i]) -> verdict = PARTIAL
                        :: else
                        fi
                    :: runs[r].dataverse && runs[r].command == CLEAN ->
                        if
                        :: d[i] && runs[r].d[i] && verdict == DONE -> verdict = (unsettled -> PARTIAL : RESIDUE)
                        :: d[i] && !runs[r].d[i] -> verdict = PARTIAL
                        :: else
                        fi
                    fi
                }
                i = 0
            fi;
            /* "done" */
            if
            :: verdict == DONE && runs[r].command == UNDO ->
                for (each_a(i)) { ensure(!runs[r].axdb || !runs[past].a[i] || runs[past].a[i] == a[i]) }
                for (each_d(i)) {
                    ensure(!runs[past].d[i] || !(runs[past].left & (1 << i)) || same_but_made_again(d[i], runs[past].d[i]))
                }
                i = 0
            :: verdict == DONE && runs[r].command != UNDO ->
                for (each_a(i)) { ensure(!runs[r].a[i] || !a[i]) }
                for (each_d(i)) { ensure(!runs[r].d[i] || !d[i]) }
                i = 0;
                ensure(!runs[r].axdb || runs[r].committed);
                ensure(!commit_on_way)
            :: else
            fi
        }
say:    atomic { record(R_VERIFIED, verdict) }
        if
        :: verdict == DONE ->
            atomic { record(R_CLOSE, 0); runs[r].ended = 1 }
            atomic { runs[r].finished = 1; goto idle }
        :: else -> goto stop
        fi;

        /* ---- what became of a COMMIT: only the rows of the backup tell, under the locks ---- */
settle: atomic {
#ifdef F_SETTLES_BY_A_PLAIN_READ
            if
            :: true ->
#else
            if
            :: may_lose && (applock || tables_locked) -> losses--; verdict = NOT_KNOWN
            :: applock == 0 && tables_locked == 0 ->
#endif
                if
                :: runs[r].command == UNDO -> compare_a(past, mask)
                :: else -> compare_a(r, 255)
                fi;
                if
                :: rows == 0 -> verdict = COMMITTED
                :: rows && (differing || (present && present < rows)) -> verdict = MIXED
                :: rows && !differing && present == rows ->
                    verdict = (runs[r].command == UNDO -> COMMITTED : ROLLED_BACK)
                :: rows && !differing && present == 0 ->
                    verdict = (runs[r].command == UNDO -> ROLLED_BACK : COMMITTED)
                fi;
                rows = 0; present = 0; differing = 0
            fi
        }
        atomic {
            record(R_SETTLED, verdict);
            if
            :: verdict == COMMITTED ->
                ensure(removed(r));
                runs[r].committed = 1; runs[r].rolled_back = 0; runs[r].mixed = 0
            :: verdict == ROLLED_BACK ->
                ensure(!runs[r].executed || runs[r].command == UNDO);
                ensure(!(commit_on_way && change_run == r));
                runs[r].rolled_back = 1; runs[r].sent = 0; runs[r].committed = 0; runs[r].mixed = 0
            :: verdict == MIXED -> runs[r].mixed = 1
            :: verdict == NOT_KNOWN -> runs[r].mixed = 0
            fi
        }
        if
        :: resumes && verdict == COMMITTED && runs[r].command == CLEAN -> verdict = 0; goto purge
        :: resumes && verdict == COMMITTED && runs[r].command == MAP -> verdict = DONE; goto say
        :: else
        fi;

stop:   atomic { record(R_STOPPED, 0); runs[r].ended = 0 }
idle:   skip
       } unless {
        atomic { crash[me] -> printf("crash of %d, run=%d\n", me, r); die() }
       };
       atomic {
        /* what the process holds ends with it */
        if
        :: tables_locked == session -> end_change()
        :: else
        fi;
        if
        :: applock == session -> applock = 0
        :: else
        fi;
        if
        :: target_locked[here] == session -> target_locked[here] = 0
        :: else
        fi;
        if
        :: holds -> runs[r].locked = 0; runs[r].left = runs[r].left | runs[r].soft; runs[r].soft = 0
        :: else
        fi;
        forget();
        crash[me] = 0;
        busy[me] = 0
       }
    od
}

#ifdef REPLAY
/* Every record was made, and nobody is at work: the model allows these journals. */
active proctype accept()
{
    atomic {
        loaded && run_count == trace_runs && !busy[0] && at[0] == trace_size[0] && at[1] == trace_size[1] && at[2] == trace_size[2] ->
        assert(false)
    }
}
#endif

#ifdef ENDS
active proctype calm()
{
    quiet = 1
}

/* Every crash leads to a settled run: by a resume that nothing disturbs. */
ltl ends { <> (quiet && nobody_busy && !some_open) }
#endif

init
{
    atomic {
        byte n;

        for (n : 0 .. HAD_A - 1) { a[n] = 1 }
        for (n : 0 .. HAD_D - 1) { d[n] = 1 }
        for (n : 0 .. OPERATORS - 1) {
            commands[n] = COMMANDS - n;
            run operator(n)
        }
        n = 0;
#ifdef REPLAY
        c_code { load(); }
#endif
    }
}
