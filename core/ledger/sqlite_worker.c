#include "core/ledger/sqlite_worker.h"

#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

static void queue_init(struct xd_job_queue *queue)
{
    pthread_mutex_init(&queue->mutex, NULL);
    pthread_cond_init(&queue->filled, NULL);
    queue->head = NULL;
    queue->tail = &queue->head;
    queue->stopping = false;
}

static void queue_free(struct xd_job_queue *queue)
{
    pthread_mutex_destroy(&queue->mutex);
    pthread_cond_destroy(&queue->filled);
}

/* True if the queue was empty before. */
static bool queue_put_locked(struct xd_job_queue *queue, struct xd_job *job)
{
    bool first = !queue->head;
    job->next = NULL;
    *queue->tail = job;
    queue->tail = &job->next;
    return first;
}

bool xd_inbox_init(struct xd_inbox *inbox)
{
    inbox->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (inbox->fd < 0) return false;
    queue_init(&inbox->queue);
    return true;
}

void xd_inbox_free(struct xd_inbox *inbox)
{
    close(inbox->fd);
    queue_free(&inbox->queue);
}

void xd_inbox_put(struct xd_inbox *inbox, struct xd_job *job)
{
    pthread_mutex_lock(&inbox->queue.mutex);
    bool first = queue_put_locked(&inbox->queue, job);
    pthread_mutex_unlock(&inbox->queue.mutex);
    /* Whoever it wakes finds the mutex free. It fails only at 2^64 - 1. */
    if (first) eventfd_write(inbox->fd, 1);
}

struct xd_job *xd_inbox_take(struct xd_inbox *inbox)
{
    /* Read before the jobs are taken: one put in between wakes once more, perhaps for nothing. */
    eventfd_t count;
    eventfd_read(inbox->fd, &count);
    pthread_mutex_lock(&inbox->queue.mutex);
    struct xd_job *jobs = inbox->queue.head;
    inbox->queue.head = NULL;
    inbox->queue.tail = &inbox->queue.head;
    pthread_mutex_unlock(&inbox->queue.mutex);
    return jobs;
}

static struct xd_job *wait_for_job(struct xd_job_queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    while (!queue->head && !queue->stopping)
        pthread_cond_wait(&queue->filled, &queue->mutex);
    struct xd_job *job = queue->head;
    if (job) {
        queue->head = job->next;
        if (!queue->head) queue->tail = &queue->head;
    }
    pthread_mutex_unlock(&queue->mutex);
    return job;
}

static void *worker_main(void *arg)
{
    struct xd_worker *worker = arg;
    struct xd_job *job;
    while ((job = wait_for_job(&worker->queue))) {
        job->run(job, worker->db);
        xd_inbox_put(worker->inbox, job);
        if (worker->after) worker->after(worker->db);
    }
    return NULL;
}

bool xd_worker_start(struct xd_worker *worker, struct xd_db *db, struct xd_inbox *inbox,
                     void (*after)(struct xd_db *db))
{
    queue_init(&worker->queue);
    worker->db = db;
    worker->inbox = inbox;
    worker->after = after;

    /* Signals are for the event base's thread. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(&worker->thread, NULL, worker_main, worker) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!started) queue_free(&worker->queue);
    return started;
}

void xd_worker_post(struct xd_worker *worker, struct xd_job *job)
{
    pthread_mutex_lock(&worker->queue.mutex);
    bool first = queue_put_locked(&worker->queue, job);
    pthread_mutex_unlock(&worker->queue.mutex);
    if (first) pthread_cond_signal(&worker->queue.filled);
}

void xd_worker_stop(struct xd_worker *worker)
{
    pthread_mutex_lock(&worker->queue.mutex);
    worker->queue.stopping = true;
    pthread_cond_signal(&worker->queue.filled);
    pthread_mutex_unlock(&worker->queue.mutex);
    pthread_join(worker->thread, NULL);
    queue_free(&worker->queue);
}
