/* Fault points: what a rule asks for, carried out on a connection. */
#include "tds/connection.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <time.h>

static int64_t
now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* True when `ms` have passed; false when the server stops first. The client's end does not count,
 * so that a request can be carried out after its client has given up. */
static bool
wait_ms(const struct tds_connection *connection, int64_t ms)
{
    int64_t end = now_ms() + ms;
    for (int64_t left = ms; left > 0; left = end - now_ms()) {
        struct pollfd stop = {.fd = connection->shared->stop_fd, .events = POLLIN};
        if (poll(&stop, 1, left > INT_MAX ? INT_MAX : (int)left) > 0)
            return false;
    }
    return true;
}

static void
wait_for_client_to_leave(const struct tds_connection *connection)
{
    for (;;) {
        struct pollfd fds[] = {
            {.fd = connection->channel.fd, .events = POLLRDHUP},
            {.fd = connection->shared->stop_fd, .events = POLLIN},
        };
        int ready = poll(fds, 2, -1);
        if (ready > 0 || (ready < 0 && errno != EINTR))
            return;
    }
}

enum tds_fate
tds_act(struct tds_connection *connection, const struct fault_action *action)
{
    char why[512];
    switch (action->what) {
    case FAULT_NONE:
        return TDS_GO_ON;
    case FAULT_CUT:
        tds_channel_cut(&connection->channel);
        return TDS_GONE;
    case FAULT_FREEZE:
        if (action->arg > 0)
            return wait_ms(connection, action->arg) ? TDS_GO_ON : TDS_GONE;
        wait_for_client_to_leave(connection);
        tds_channel_cut(&connection->channel);
        return TDS_GONE;
    case FAULT_DELAY:
        return wait_ms(connection, action->arg) ? TDS_GO_ON : TDS_GONE;
    case FAULT_SQL:
        if (!engine_run_script(connection->shared->options.engine, action->text, why, sizeof why))
            tds_log(connection, "internal", (const char *const[]){"text", why, NULL});
        return TDS_GO_ON;
    case FAULT_ERROR:
        return TDS_ANSWER;
    case FAULT_OTHER:
        return TDS_OTHER;
    }
    return TDS_GO_ON;
}

enum tds_fate
tds_point(struct tds_connection *connection, const char *point, const char *subject,
          struct fault_action *ret)
{
    *ret = (struct fault_action){.what = FAULT_NONE};
    if (connection->shared->options.faults == NULL)
        return TDS_GO_ON;
    *ret = fault_at(connection->shared->options.faults, point, subject);
    return tds_act(connection, ret);
}
