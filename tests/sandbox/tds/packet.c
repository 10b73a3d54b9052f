#include "tds/packet.h"

bool
tds_packet_parse(const unsigned char header[TDS_HEADER_BYTES], struct tds_packet *ret)
{
    struct tds_packet packet = {
        .type = header[0],
        .status = header[1],
        .length = (uint16_t)((header[2] << 8) | header[3]),
        .spid = (uint16_t)((header[4] << 8) | header[5]),
        .id = header[6],
    };
    if (packet.length < TDS_HEADER_BYTES || packet.length > TDS_PACKET_MAX)
        return false;
    *ret = packet;
    return true;
}

void
tds_packet_write(const struct tds_packet *packet, unsigned char ret[TDS_HEADER_BYTES])
{
    ret[0] = packet->type;
    ret[1] = packet->status;
    ret[2] = (unsigned char)(packet->length >> 8);
    ret[3] = (unsigned char)(packet->length & 0xFF);
    ret[4] = (unsigned char)(packet->spid >> 8);
    ret[5] = (unsigned char)(packet->spid & 0xFF);
    ret[6] = packet->id;
    ret[7] = 0;
}

uint32_t
tds_packet_size(uint32_t asked)
{
    if (asked == 0)
        return TDS_PACKET_DEFAULT;
    if (asked < TDS_PACKET_MIN)
        return TDS_PACKET_MIN;
    return asked > TDS_PACKET_MAX ? TDS_PACKET_MAX : asked;
}

enum tds_assembly
tds_message_add(struct tds_message_state *state, const struct tds_packet *packet, size_t max_bytes)
{
    size_t payload = packet->length - (size_t)TDS_HEADER_BYTES;
    bool other = state->type != 0 && state->type != packet->type;
    if (packet->type == 0 || other || payload > max_bytes - state->length)
        return TDS_ASSEMBLY_BAD;
    if (state->type == 0)
        state->status = packet->status;
    state->type = packet->type;
    state->length += payload;
    if ((packet->status & TDS_STATUS_LAST) == 0)
        return TDS_ASSEMBLY_MORE;
    return (packet->status & TDS_STATUS_IGNORE) != 0 ? TDS_ASSEMBLY_IGNORE : TDS_ASSEMBLY_COMPLETE;
}
