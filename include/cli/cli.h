/**
 * The command line: argv to a finished process. The adapters are made by callbacks that main.c
 * gives, so that no adapter is seen here.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "base/err.h"
#include "config/config.h"
#include "port/axdb_grant.h"
#include "port/axdb_store.h"
#include "port/journal.h"
#include "port/observer.h"
#include "port/run_archive.h"
#include "port/run_dir.h"
#include "port/run_history.h"
#include "port/runtime_store.h"
#include "port/saved_plan.h"
#include "port/statements.h"
#include "port/undo_script.h"

#include <stdbool.h>

/** Constructors of the adapters. Each returns a thing that its `free` releases. `observer` outlives
 * it. */
struct cli_adapters {
    /** `grant`: who may sign in where, in place of what `config` says; NULL without --jit. */
    bool (*axdb)(const struct config *config, const struct axdb_grant *grant,
                 struct observer *observer, struct axdb_server **ret, struct err *err);
    void (*axdb_free)(struct axdb_server *server);
    bool (*runtime)(const struct config *config, struct observer *observer,
                    struct runtime_server **ret, struct err *err);
    void (*runtime_free)(struct runtime_server *server);
    /** Does the client certificate's file want a password? NULL = none ever does. */
    bool (*certificate_wants_password)(const struct config *config, bool *ret, struct err *err);
    bool (*runs)(const struct config *config, struct run_store **ret, struct err *err);
    void (*runs_free)(struct run_store *store);
    bool (*archive)(const struct config *config, struct run_archive **ret, struct err *err);
    void (*archive_free)(struct run_archive *archive);
    bool (*history)(const struct config *config, struct run_history **ret, struct err *err);
    void (*history_free)(struct run_history *history);
    bool (*undo_script)(const struct undo_script_out *out, struct undo_script **ret,
                        struct err *err);
    void (*undo_script_free)(struct undo_script *script);
    /** A plan that will be `path`; it never replaces a file. ERR_STORAGE. */
    bool (*plan_out)(const char *path, struct plan_file **ret, struct err *err);
    void (*plan_out_free)(struct plan_file *plan);
    /** A plan of before, verified; its own operation closes it. ERR_STORAGE. */
    bool (*saved_plan)(const char *path, struct saved_plan **ret, struct err *err);
    /** What the adapters of AxDB and Dataverse would send, as text. */
    const struct axdb_statements *axdb_statements;
    const struct runtime_statements *runtime_statements;
    /** Name and version of each library that is loaded, for `dwclean version`. */
    const struct fact *(*libraries)(size_t *ret_count);
};

/** Run the program; returns its exit status. Prints one report on stdout. */
int cli_main(int argc, char **argv, const struct cli_adapters *adapters);

/** "0.1.0". */
const char *cli_version(void);

#endif
