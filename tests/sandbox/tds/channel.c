#include "tds/channel.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

void
tds_channel_init(struct tds_channel *channel, int fd)
{
    *channel = (struct tds_channel){.fd = fd, .in_limit = TDS_NO_LIMIT, .out_limit = TDS_NO_LIMIT};
}

void
tds_channel_cut(struct tds_channel *channel)
{
    (void)shutdown(channel->fd, SHUT_RDWR);
}

void
tds_channel_close(struct tds_channel *channel)
{
    tds_tls_free(channel->tls);
    channel->tls = NULL;
    (void)close(channel->fd);
    channel->fd = -1;
}

static ssize_t
receive(int fd, void *ret, size_t size)
{
    ssize_t got;
    do
        got = recv(fd, ret, size, 0);
    while (got < 0 && errno == EINTR);
    return got;
}

bool
tds_channel_read_raw(struct tds_channel *channel, void *ret, size_t count)
{
    unsigned char *at = ret;
    while (count > 0) {
        ssize_t got = receive(channel->fd, at, count);
        if (got <= 0)
            return false;
        at += got;
        count -= (size_t)got;
    }
    return true;
}

bool
tds_channel_write_raw(struct tds_channel *channel, const void *bytes, size_t count)
{
    const unsigned char *at = bytes;
    while (count > 0) {
        ssize_t sent = send(channel->fd, at, count, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        at += sent;
        count -= (size_t)sent;
    }
    return true;
}

static bool
read_encrypted(struct tds_channel *channel, unsigned char *ret, size_t count)
{
    while (count > 0) {
        size_t got = 0;
        enum tds_tls_result result = tds_tls_read(channel->tls, ret, count, &got);
        if (result == TDS_TLS_FAILED)
            return false;
        if (result == TDS_TLS_OK) {
            ret += got;
            count -= got;
            continue;
        }
        unsigned char record[16 * 1024];
        ssize_t received = receive(channel->fd, record, sizeof record);
        if (received <= 0 || !tds_tls_feed(channel->tls, record, (size_t)received))
            return false;
    }
    return true;
}

static bool
drain(struct tds_channel *channel)
{
    unsigned char record[16 * 1024];
    for (;;) {
        size_t drained = tds_tls_drain(channel->tls, record, sizeof record);
        if (drained == 0)
            return true;
        if (!tds_channel_write_raw(channel, record, drained))
            return false;
    }
}

static bool
write_encrypted(struct tds_channel *channel, const void *bytes, size_t count)
{
    return tds_tls_write(channel->tls, bytes, count) && drain(channel);
}

bool
tds_channel_read(struct tds_channel *channel, void *ret, size_t count)
{
    uint64_t allowed = channel->in_limit - channel->in_bytes;
    size_t wanted = count < allowed ? count : (size_t)allowed;
    bool ok = channel->encrypted ? read_encrypted(channel, ret, wanted)
                                 : tds_channel_read_raw(channel, ret, wanted);
    channel->in_bytes += ok ? wanted : 0;
    if (ok && channel->in_bytes == channel->in_limit) {
        tds_channel_cut(channel);
        return false;
    }
    return ok;
}

bool
tds_channel_write(struct tds_channel *channel, const void *bytes, size_t count)
{
    uint64_t allowed = channel->out_limit - channel->out_bytes;
    size_t wanted = count < allowed ? count : (size_t)allowed;
    bool ok = channel->encrypted ? write_encrypted(channel, bytes, wanted)
                                 : tds_channel_write_raw(channel, bytes, wanted);
    channel->out_bytes += ok ? wanted : 0;
    if (ok && channel->out_bytes == channel->out_limit) {
        if (channel->orderly && channel->encrypted) {
            tds_tls_close(channel->tls);
            (void)drain(channel);
        }
        tds_channel_cut(channel);
        return false;
    }
    return ok;
}
