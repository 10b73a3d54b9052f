#include "common/control.h"

#include "common/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BODY_MAX = 64 * 1024 * 1024, WHY_BYTES = 4096 };

struct control {
    struct control_hooks hooks;
    struct faults *faults;
    struct sandbox_log *log;
    struct http_server *server;
};

static void
say(struct http_answer *answer, int status, const char *text)
{
    http_answer_text(answer, status, "text/plain; charset=utf-8", text);
}

static void
on_ready(struct control *control, const struct http_request *request, struct http_answer *answer)
{
    (void)control;
    if (strcmp(request->method, "GET") == 0)
        say(answer, 200, "ready\n");
    else
        say(answer, 405, "GET\n");
}

static void
on_log(struct control *control, const struct http_request *request, struct http_answer *answer)
{
    if (strcmp(request->method, "DELETE") == 0) {
        sandbox_log_clear(control->log);
        say(answer, 200, "");
    } else if (strcmp(request->method, "GET") == 0) {
        size_t bytes = 0;
        answer->body = sandbox_log_text(control->log, &bytes);
        answer->body_bytes = bytes;
        answer->status = answer->body ? 200 : 500;
        http_headers_add(&answer->headers, "Content-Type", "application/x-ndjson");
    } else {
        say(answer, 405, "GET or DELETE\n");
    }
}

static void
on_faults(struct control *control, const struct http_request *request, struct http_answer *answer)
{
    const char *why = "";
    if (strcmp(request->method, "DELETE") == 0) {
        faults_clear(control->faults);
        say(answer, 200, "");
    } else if (strcmp(request->method, "POST") != 0) {
        say(answer, 405, "POST or DELETE\n");
    } else if (faults_add_json(control->faults, request->body, &why)) {
        say(answer, 200, "");
    } else {
        say(answer, 400, why);
    }
}

static void
on_sql(struct control *control, const struct http_request *request, struct http_answer *answer)
{
    char why[WHY_BYTES] = "";
    if (strcmp(request->method, "POST") != 0)
        say(answer, 405, "POST\n");
    else if (control->hooks.sql(control->hooks.ctx, request->body, why, sizeof(why)))
        say(answer, 200, "");
    else
        say(answer, 400, why);
}

/** "NAME RIGHTS" */
static void
on_logins(struct control *control, const struct http_request *request, struct http_answer *answer)
{
    char name[64];
    const char *rights = strchr(request->body, ' ');
    const size_t size = rights ? (size_t)(rights - request->body) : 0;
    if (strcmp(request->method, "POST") != 0 || size == 0 || size >= sizeof(name)) {
        say(answer, 400, "POST NAME RIGHTS\n");
        return;
    }
    memcpy(name, request->body, size);
    name[size] = '\0';
    if (control->hooks.login(control->hooks.ctx, name, rights + 1))
        say(answer, 200, "");
    else
        say(answer, 409, "this login is there already\n");
}

static void
on_reset(struct control *control, const struct http_request *request, struct http_answer *answer)
{
    char why[WHY_BYTES] = "";
    if (strcmp(request->method, "POST") != 0)
        say(answer, 405, "POST\n");
    else if (control->hooks.reset(control->hooks.ctx, why, sizeof(why)))
        say(answer, 200, "");
    else
        say(answer, 500, why);
}

static void
on_dataverse(struct control *control, const struct http_request *request, const char *rest,
             struct http_answer *answer)
{
    char path[64];
    char *text = NULL;
    size_t bytes = strcspn(rest, "?");
    if (bytes >= sizeof(path)) {
        say(answer, 404, "no such thing\n");
        return;
    }
    memcpy(path, rest, bytes);
    path[bytes] = '\0';
    const char *query = rest[bytes] == '?' ? rest + bytes + 1 : "";
    int status = control->hooks.dataverse(control->hooks.ctx, request->method, path, query,
                                          request->body, &text);
    http_answer_text(answer, status, "application/json", text ? text : "");
    free(text);
}

static void
handle(void *ctx, const struct http_request *request, struct http_answer *answer)
{
    static const struct {
        const char *target;
        void (*run)(struct control *, const struct http_request *, struct http_answer *);
    } routes[] = {
        {"/ready", on_ready}, {"/log", on_log},     {"/faults", on_faults},
        {"/sql", on_sql},     {"/reset", on_reset}, {"/logins", on_logins},
    };
    struct control *control = ctx;
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        if (strcmp(routes[i].target, request->target) == 0) {
            routes[i].run(control, request, answer);
            return;
        }
    }
    if (strncmp(request->target, "/dataverse/", 11) == 0)
        on_dataverse(control, request, request->target + 11, answer);
    else
        say(answer, 404, "no such thing\n");
}

struct control *
control_start(const struct control_hooks *hooks, struct faults *faults, struct sandbox_log *log,
              char *why, size_t why_size)
{
    struct control *control = calloc(1, sizeof(*control));
    if (!control) {
        (void)snprintf(why, why_size, "out of memory");
        return NULL;
    }
    control->hooks = *hooks;
    control->faults = faults;
    control->log = log;
    struct http_options options = {.max_body_bytes = BODY_MAX, .ctx = control, .handle = handle};
    control->server = http_server_start(&options, why, why_size);
    if (!control->server) {
        free(control);
        return NULL;
    }
    return control;
}

uint16_t
control_port(const struct control *control)
{
    return http_server_port(control->server);
}

void
control_stop(struct control *control)
{
    if (!control)
        return;
    http_server_stop(control->server);
    free(control);
}
