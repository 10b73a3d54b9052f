/** One client against one service, event by event. */
#ifndef MODEL_RACE_H
#define MODEL_RACE_H

#include "client.h"
#include "service.h"

struct result {
    double seconds;
    size_t settled, requests, throttled;
    size_t defiant; /* requests that reached a blocked server though their sender had been told */
    size_t sent_while_waiting; /* requests sent before the Retry-After of any 429 was over */
};

/** Until every row is settled; `rows` is what the client has to settle. */
struct result race(struct client *client, struct service *service, size_t rows);

#endif
