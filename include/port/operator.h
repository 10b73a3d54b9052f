/** The person at the terminal. Implemented by cli/ (a prompt on the terminal) and by tests/fakes/.
 */
#ifndef PORT_OPERATOR_H
#define PORT_OPERATOR_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct operator_port {
    bool present; /* there is a terminal to ask at */

    /** Show `text` (several lines; what will happen). */
    void (*show)(struct operator_port *op, const char *text);

    /**
     * Ask one line and read the answer (without newline) into `ret`. ERR_REFUSED at end of input,
     * ERR_INTERRUPTED on a stop signal.
     */
    bool (*ask)(struct operator_port *op, const char *question, char *ret, size_t ret_size,
                struct err *err);
};

#endif
