/* What crossdock-broker and crossdock-matcher are as processes: settings read and checked, what is asked for
 * instead of running (--help, --version, --check-config), an event loop, and an end at SIGTERM or SIGINT.
 *
 * Exit status: 0 done, 1 it could not run (or a second signal cut its end short), 2 mistakes in the settings.
 */
#ifndef XD_PROGRAM_PROGRAM_H
#define XD_PROGRAM_PROGRAM_H

#include "core/error.h"
#include "core/log.h"
#include "program/settings.h"

#include <event2/event.h>

/* A program at work. */
struct xd_run {
    const struct xd_settings *settings;
    const struct xd_log *log;
    struct event_base *base;
    /* Set by the program as soon as it owes anything to anybody: called once, from the event loop, at the
     * first signal; the second ends the process. A signal that the loop sees before that ends it at once. */
    void (*stop)(void *arg);
    void *arg;
};

/* Starts, runs the loop until the end, frees all. False: it did not end well; *error says why where it is not
 * in the log yet. */
typedef bool xd_serve(struct xd_run *run, struct xd_error *error);

/* The whole of a main(); its exit status. */
int xd_program_main(enum xd_program program, int argc, char *const *argv, xd_serve *serve);

#endif
