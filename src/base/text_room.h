/** For what writes into a text directly: the sources of base/text.h. */
#ifndef BASE_TEXT_ROOM_H
#define BASE_TEXT_ROOM_H

#include "base/text.h"

/** Room for `size` more bytes and a NUL; false marks the text as broken. */
bool text_room(struct text *text, size_t size);

#endif
