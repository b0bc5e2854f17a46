/* A thread that runs jobs, and the way back: finished jobs come to the event base's thread through an inbox
 * whose eventfd wakes it. A job belongs to its worker from xd_worker_post until it is in the inbox. */
#ifndef XD_CORE_LEDGER_SQLITE_WORKER_H
#define XD_CORE_LEDGER_SQLITE_WORKER_H

#include <pthread.h>
#include <stdbool.h>

struct xd_sqlite;
struct xd_db;

struct xd_job {
    struct xd_job *next;
    bool reading;                                      /* on the reader: one of a bounded number */
    void (*run)(struct xd_job *job, struct xd_db *db); /* on the worker */
    void (*done)(struct xd_job *job,
                 struct xd_sqlite *ledger); /* on the event base's thread; frees the job */
};

struct xd_job_queue {
    pthread_mutex_t mutex;
    pthread_cond_t filled;
    struct xd_job *head; /* guarded by mutex, as all below */
    struct xd_job **tail;
    bool stopping;
};

struct xd_inbox {
    struct xd_job_queue queue;
    int fd; /* readable while jobs are in the queue */
};

struct xd_worker {
    pthread_t thread;
    struct xd_job_queue queue;
    struct xd_inbox *inbox;
    struct xd_db *db;
    void (*after)(struct xd_db *db); /* what follows each job, once its result is under way; may be NULL */
};

bool xd_inbox_init(struct xd_inbox *inbox);
void xd_inbox_free(struct xd_inbox *inbox);
void xd_inbox_put(struct xd_inbox *inbox, struct xd_job *job);

/* All finished jobs, in order, as a list. */
struct xd_job *xd_inbox_take(struct xd_inbox *inbox);

bool xd_worker_start(struct xd_worker *worker, struct xd_db *db, struct xd_inbox *inbox,
                     void (*after)(struct xd_db *db));
void xd_worker_post(struct xd_worker *worker, struct xd_job *job);

/* Finishes the jobs that are queued and ends the thread. */
void xd_worker_stop(struct xd_worker *worker);

#endif
