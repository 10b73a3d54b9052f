/** A text that a client runs in a thread of its own. To be included behind test.h. */
#ifndef TSQL_JOB_H
#define TSQL_JOB_H

#include "tsql_client.h"

#include <pthread.h>

struct job {
    struct client *c;
    const char *sql;
    pthread_t thread;
};

static void *
run_job(void *arg)
{
    struct job *j = arg;
    (void)run(j->c, j->sql);
    return NULL;
}

static void
job_start(struct job *j, struct client *c, const char *sql)
{
    *j = (struct job){.c = c, .sql = sql};
    assert_int_equal(pthread_create(&j->thread, NULL, run_job, j), 0);
}

#endif
