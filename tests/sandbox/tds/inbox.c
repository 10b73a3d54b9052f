#include "tds/inbox.h"

#include "tds/bytes.h"
#include "tds/connection.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum { REQUESTS_MAX = 64, PRESS_MS = 20 };

void
tds_request_free(struct tds_request *request)
{
    if (request == NULL)
        return;
    free(request->bytes);
    free(request);
}

bool
tds_inbox_init(struct tds_inbox *inbox)
{
    *inbox = (struct tds_inbox){.cancel_on_attention = true};
    if (pthread_mutex_init(&inbox->lock, NULL) != 0)
        return false;
    if (pthread_cond_init(&inbox->changed, NULL) != 0) {
        (void)pthread_mutex_destroy(&inbox->lock);
        return false;
    }
    return true;
}

void
tds_inbox_done(struct tds_inbox *inbox)
{
    while (inbox->first != NULL) {
        struct tds_request *next = inbox->first->next;
        tds_request_free(inbox->first);
        inbox->first = next;
    }
    (void)pthread_cond_destroy(&inbox->changed);
    (void)pthread_mutex_destroy(&inbox->lock);
}

/* ---- the reader thread ---- */

static bool
append(struct tds_inbox *inbox, const struct tds_message_state *state, struct tds_buffer *bytes,
       bool withdrawn)
{
    struct tds_request *request = calloc(1, sizeof *request);
    if (request == NULL)
        return false;
    *request = (struct tds_request){.type = state->type,
                                    .status = state->status,
                                    .withdrawn = withdrawn,
                                    .bytes = bytes->bytes,
                                    .length = bytes->length};
    (void)pthread_mutex_lock(&inbox->lock);
    bool fits = inbox->count < REQUESTS_MAX && request->length <= TDS_REQUEST_MAX - inbox->bytes;
    if (fits) {
        if (inbox->first == NULL)
            inbox->first = request;
        else
            inbox->last->next = request;
        inbox->last = request;
        inbox->count++;
        inbox->bytes += request->length;
        *bytes = (struct tds_buffer){.max = bytes->max};
        (void)pthread_cond_signal(&inbox->changed);
    }
    (void)pthread_mutex_unlock(&inbox->lock);
    if (!fits)
        free(request);
    return fits;
}

static void
take_attention(struct tds_connection *connection)
{
    struct tds_inbox *inbox = &connection->inbox;
    struct fault_action fault = {.what = FAULT_NONE};
    if (connection->shared->options.faults != NULL)
        fault = fault_at(connection->shared->options.faults, "tds.attention", NULL);
    tds_log(connection, "attention", (const char *const[]){NULL});
    (void)pthread_mutex_lock(&inbox->lock);
    inbox->attention_fault = fault;
    inbox->cancel_on_attention = !(fault.what == FAULT_OTHER && strcmp(fault.text, "cross") == 0);
    atomic_store(&inbox->attention, true);
    (void)pthread_cond_signal(&inbox->changed);
    (void)pthread_mutex_unlock(&inbox->lock);
}

/* One packet into the message that is being put together; false when the connection is to end. */
static bool
read_packet(struct tds_connection *connection, struct tds_message_state *state,
            struct tds_buffer *bytes)
{
    unsigned char header[TDS_HEADER_BYTES], payload[TDS_PACKET_MAX];
    struct tds_packet packet;
    if (!tds_channel_read(&connection->channel, header, sizeof header) ||
        !tds_packet_parse(header, &packet) ||
        !tds_channel_read(&connection->channel, payload, packet.length - (size_t)TDS_HEADER_BYTES))
        return false;
    bool over = true, ok = true;
    if (packet.type == TDS_PACKET_ATTENTION) {
        take_attention(connection);
    } else {
        enum tds_assembly assembly = tds_message_add(state, &packet, TDS_REQUEST_MAX);
        tds_put(bytes, payload, packet.length - (size_t)TDS_HEADER_BYTES);
        over = assembly != TDS_ASSEMBLY_MORE;
        ok = assembly != TDS_ASSEMBLY_BAD && !bytes->failed;
        if (ok && over)
            ok = append(&connection->inbox, state, bytes, assembly == TDS_ASSEMBLY_IGNORE);
    }
    if (over) { /* an attention also ends what was sent only in part */
        *state = (struct tds_message_state){0};
        bytes->length = 0;
    }
    return ok;
}

/* True while a request runs that is to end: and tells it so. Once is not enough, as a request that
 * is just about to begin does not hear it. */
static bool
press(struct tds_inbox *inbox)
{
    (void)pthread_mutex_lock(&inbox->lock);
    bool attention = atomic_load(&inbox->attention) && inbox->cancel_on_attention;
    bool pressing = inbox->busy && (attention || (inbox->gone && !inbox->keep));
    if (pressing)
        session_cancel(inbox->session);
    (void)pthread_mutex_unlock(&inbox->lock);
    return pressing;
}

/* Between packets: until the client sends something, or nothing is left to be pressed. */
static void
press_until_readable(struct tds_connection *connection)
{
    struct pollfd fd = {.fd = connection->channel.fd, .events = POLLIN};
    while (press(&connection->inbox) && poll(&fd, 1, PRESS_MS) == 0) {
    }
}

static void *
read_packets(void *argument)
{
    struct tds_connection *connection = argument;
    struct tds_inbox *inbox = &connection->inbox;
    struct tds_message_state state = {0};
    struct tds_buffer bytes;
    tds_buffer_init(&bytes, TDS_REQUEST_MAX);
    while (read_packet(connection, &state, &bytes))
        press_until_readable(connection);
    tds_buffer_free(&bytes);
    /* Whatever ended the reading, the worker must not wait in a send for ever. */
    tds_channel_cut(&connection->channel);
    (void)pthread_mutex_lock(&inbox->lock);
    inbox->gone = true;
    (void)pthread_cond_signal(&inbox->changed);
    (void)pthread_mutex_unlock(&inbox->lock);
    while (press(inbox))
        (void)poll(NULL, 0, PRESS_MS);
    return NULL;
}

bool
tds_inbox_start(struct tds_inbox *inbox, struct tds_connection *connection)
{
    (void)pthread_mutex_lock(&inbox->lock);
    inbox->session = connection->session;
    (void)pthread_mutex_unlock(&inbox->lock);
    inbox->started = pthread_create(&inbox->reader, NULL, read_packets, connection) == 0;
    return inbox->started;
}

void
tds_inbox_stop(struct tds_inbox *inbox, struct tds_connection *connection)
{
    tds_channel_cut(&connection->channel);
    if (inbox->started)
        (void)pthread_join(inbox->reader, NULL);
    inbox->started = false;
    (void)pthread_mutex_lock(&inbox->lock);
    inbox->session = NULL;
    (void)pthread_mutex_unlock(&inbox->lock);
}

/* ---- the worker ---- */

enum tds_incoming
tds_inbox_next(struct tds_inbox *inbox, struct tds_request **ret)
{
    enum tds_incoming incoming = TDS_INCOMING_END;
    (void)pthread_mutex_lock(&inbox->lock);
    while (inbox->first == NULL && !atomic_load(&inbox->attention) && !inbox->gone)
        (void)pthread_cond_wait(&inbox->changed, &inbox->lock);
    if (inbox->first != NULL) {
        *ret = inbox->first;
        inbox->first = inbox->first->next;
        inbox->count--;
        inbox->bytes -= (*ret)->length;
        incoming = TDS_INCOMING_REQUEST;
    } else if (atomic_load(&inbox->attention)) {
        incoming = TDS_INCOMING_ATTENTION;
    }
    (void)pthread_mutex_unlock(&inbox->lock);
    return incoming;
}

bool
tds_inbox_begin(struct tds_inbox *inbox, bool keep)
{
    (void)pthread_mutex_lock(&inbox->lock);
    bool cancelled = atomic_load(&inbox->attention) && inbox->cancel_on_attention;
    inbox->busy = !cancelled && (keep || !inbox->gone);
    inbox->keep = keep;
    bool go = inbox->busy;
    (void)pthread_mutex_unlock(&inbox->lock);
    return go;
}

void
tds_inbox_end(struct tds_inbox *inbox)
{
    (void)pthread_mutex_lock(&inbox->lock);
    inbox->busy = false;
    inbox->keep = false;
    (void)pthread_mutex_unlock(&inbox->lock);
}

bool
tds_inbox_cancelled(struct tds_inbox *inbox)
{
    if (!atomic_load(&inbox->attention))
        return false;
    (void)pthread_mutex_lock(&inbox->lock);
    bool cancelled = inbox->cancel_on_attention;
    (void)pthread_mutex_unlock(&inbox->lock);
    return cancelled;
}

bool
tds_inbox_take_attention(struct tds_inbox *inbox, struct fault_action *ret_fault)
{
    (void)pthread_mutex_lock(&inbox->lock);
    bool waiting = atomic_exchange(&inbox->attention, false);
    *ret_fault = inbox->attention_fault;
    inbox->cancel_on_attention = true;
    (void)pthread_mutex_unlock(&inbox->lock);
    return waiting;
}

void
tds_inbox_interrupt(struct tds_inbox *inbox)
{
    (void)pthread_mutex_lock(&inbox->lock);
    inbox->gone = true;
    if (inbox->busy && inbox->session != NULL)
        session_cancel(inbox->session);
    (void)pthread_cond_signal(&inbox->changed);
    (void)pthread_mutex_unlock(&inbox->lock);
}
