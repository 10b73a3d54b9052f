#include "run_bundle.h"

#include "again.h"
#include "base/file.h"
#include "redact.h"
#include "run_archive_open.h"
#include "run_find.h"
#include "run_progress.h"
#include "run_record.h"
#include "storage.h"
#include "tar_library.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum {
    ENTRIES_MAX = 200,
    TEXT_MAX_MIB = 1024,
    BLOCK_BYTES = 64 * 1024,
    ARENA_BYTES = 64 * 1024 * 1024
};

/** A file of the bundle: a text, or a file of the run as it is. */
struct bundle_entry {
    char name[64];
    struct text text;
    char *path; /* NULL: the text */
};

struct bundle {
    const char *run_path;
    const char *program;
    const struct backup_key *key;
    struct past_run past;
    struct scrub *scrub;
    struct bundle_entry *entries;
    size_t count;
    const struct run_bundle_out *out;
    struct tar_library tar;
    time_t time;     /* when the run began */
    struct err *err; /* of the callback */
    bool write_failed;
};

static const char about[] =
    "This is one run of dwclean, for a ticket. Made by dwclean export RUN --redact.\n"
    "\n"
    "What is in it\n"
    "  run.json            who ran what, where and when: user, host, command line, versions\n"
    "  journal.ndjson      every step with its time and facts\n"
    "  plan.ndjson         which rows: table, key, SHA-256 of the row, version; no contents\n"
    "  report.json         the report\n"
    "  backup*/manifest.json, SEALED.json\n"
    "                      columns, counts and sums of the backup; no rows\n"
    "  run.SHA256SUMS      the sums of the run's own files, to compare with the run directory\n"
    "  SHA256SUMS          the sums of this bundle: sha256sum -c SHA256SUMS\n"
    "  A file that the run has not is not here either.\n"
    "\n"
    "What is not\n"
    "  The rows. Of row contents there are only names of projects, entities and channels, the host\n"
    "  and path of URLs, STATUS and flags. Passwords, client secrets and tokens are in no file of\n"
    "  a run. What a server said in an error was compared with the rows of the backup, and what it\n"
    "  quoted of them reads \"[left out]\"; where the backup could not be read, the whole text does.\n"
    "  report.txt and report.html, which say the same as report.json, are left out.\n"
    "\n"
    "What to mind\n"
    "  Names of users, hosts, servers, databases and organizations are there: an auditor needs\n"
    "  them. So is what the operator typed as --reason. A SHA-256 in plan.ndjson covers a whole row\n"
    "  with its key and version: it can confirm a guess of all of them at once, and tells no more.\n"
    "\n"
    "How to check the journal\n"
    "  \"previous\" of each record is \"original_sha256\" of the one before: the lines of the run's own\n"
    "  journal, whose chain this keeps though texts were left out.\n";

static struct bundle_entry *
add(struct bundle *bundle, const char *name, struct err *err)
{
    if (bundle->count == ENTRIES_MAX) {
        (void)err_set(err, ERR_STORAGE, "the run has more files than a run has");
        return NULL;
    }
    struct bundle_entry *entry = &bundle->entries[bundle->count++];
    (void)snprintf(entry->name, sizeof(entry->name), "%s", name);
    entry->text.max = (size_t)TEXT_MAX_MIB << 20;
    return entry;
}

/* Nothing when the run has no such file. */
static bool
add_file(struct bundle *bundle, const char *name, const char *as, struct err *err)
{
    STORAGE_SCOPED_STRING path = storage_path(bundle->run_path, name);
    struct bundle_entry *entry = NULL;

    if (!path)
        return storage_no_memory(err);
    if (!again_exists(path))
        return true;
    entry = add(bundle, as, err);
    if (!entry)
        return false;
    entry->path = path;
    path = NULL;
    return true;
}

static bool
add_manifests(struct bundle *bundle, const char *folder, struct err *err)
{
    static const char *const names[] = {"manifest.json", "SEALED.json"};
    char name[AGAIN_NAME_BYTES + 32];

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        (void)snprintf(name, sizeof(name), "%s/%s", folder, names[i]);
        if (!add_file(bundle, name, name, err))
            return false;
    }
    return true;
}

static bool
add_all_manifests(struct bundle *bundle, struct err *err)
{
    char folder[AGAIN_NAME_BYTES];
    bool ok = add_manifests(bundle, "backup", err);

    for (int number = AGAIN_FIRST; ok && number <= AGAIN_LAST; number++) {
        again_name(number, folder);
        ok = add_manifests(bundle, folder, err);
    }
    return ok;
}

/* ---- what is compared ---- */

static bool
protect_rows_of(const struct bundle *bundle, const char *path, struct err *err)
{
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct archived_run *run = NULL;

    if (!arena)
        return storage_no_memory(err);
    if (!run_archive_open_path(path, false, bundle->key, arena, &run, err))
        return false;
    const bool ok = redact_protect_rows(run, bundle->scrub, err);
    run->ops->close(run);
    return ok;
}

/* The rows that a text may quote: the run's own, or of an undo those of the run that it undoes. A
 * run that ended before its backup has seen no row contents. */
static bool
protect(const struct bundle *bundle, const char *runs_dir, const char *undoes, struct err *err)
{
    STORAGE_SCOPED_STRING other = NULL;
    struct err why;
    bool ok = protect_rows_of(bundle, bundle->run_path, &why);

    if (ok && *undoes)
        ok = run_find(runs_dir, undoes, &other, &why) && protect_rows_of(bundle, other, &why);
    if (ok)
        return true;
    if (why.code == ERR_INTERNAL || why.code == ERR_INTERRUPTED) {
        *err = why;
        return false;
    }
    scrub_all(bundle->scrub);
    return true;
}

/* ---- texts ---- */

static bool
add_texts(struct bundle *bundle, const char *journal, const char *report, struct err *err)
{
    struct bundle_entry *entry = add(bundle, "README.txt", err);

    if (!entry)
        return false;
    text_append(&entry->text, about);
    text_printf(&entry->text, "\nrun %s, made by %s; bundle made by %s\n", bundle->past.id,
                bundle->past.program, bundle->program);
    if (again_exists(journal)) {
        entry = add(bundle, "journal.ndjson", err);
        if (!entry || !redact_append_journal(journal, bundle->scrub, &entry->text, err))
            return false;
    }
    if (!again_exists(report))
        return true;
    entry = add(bundle, "report.json", err);
    return entry && redact_append_report(report, bundle->scrub, &entry->text, err);
}

static bool
undone_run(const char *run_path, struct arena *arena, const char **ret, struct err *err)
{
    struct run_progress progress;
    bool finished = false;

    if (!run_progress_load(run_path, arena, &progress, &finished, err))
        return false;
    *ret = progress.undoes;
    return true;
}

static bool
fill(struct bundle *bundle, const char *runs_dir, struct arena *arena, struct err *err)
{
    STORAGE_SCOPED_STRING journal = storage_path(bundle->run_path, "journal.ndjson");
    STORAGE_SCOPED_STRING report = storage_path(bundle->run_path, "report.json");
    const char *undoes = "";
    struct tm began = {0};

    if (!journal || !report)
        return storage_no_memory(err);
    if (!run_record_load(bundle->run_path, arena, &bundle->past, err))
        return false;
    if (strptime(bundle->past.started_utc, "%Y-%m-%dT%H:%M:%S", &began))
        bundle->time = timegm(&began);
    if (again_exists(journal) && (!redact_watch_journal(journal, bundle->scrub, err) ||
                                  !undone_run(bundle->run_path, arena, &undoes, err)))
        return false;
    return redact_watch_report(report, bundle->scrub, err) &&
           protect(bundle, runs_dir, undoes, err) && add_texts(bundle, journal, report, err) &&
           add_file(bundle, "run.json", "run.json", err) &&
           add_file(bundle, "plan.ndjson", "plan.ndjson", err) &&
           add_file(bundle, "SHA256SUMS", "run.SHA256SUMS", err) && add_all_manifests(bundle, err);
}

/* ---- sums ---- */

static int
by_name(const void *a, const void *b)
{
    return strcmp(((const struct bundle_entry *)a)->name, ((const struct bundle_entry *)b)->name);
}

static bool
digest_entry(const struct bundle_entry *entry, struct digest *ret, struct err *err)
{
    FILE_SCOPED fd = -1;
    uint64_t bytes = 0;

    if (!entry->path) {
        *ret = digest_of(text_string(&entry->text), entry->text.used);
        return text_ok(&entry->text, err);
    }
    return storage_open(entry->path, &fd, err) && storage_digest(fd, entry->path, ret, &bytes, err);
}

static bool
add_sums(struct bundle *bundle, struct err *err)
{
    const size_t files = bundle->count;
    struct bundle_entry *sums = add(bundle, "SHA256SUMS", err);
    char hex[DIGEST_HEX_BYTES];

    if (!sums)
        return false;
    for (size_t i = 0; i < files; i++) {
        struct digest digest;
        if (!digest_entry(&bundle->entries[i], &digest, err))
            return false;
        digest_hex(&digest, hex);
        text_printf(&sums->text, "%s  %s\n", hex, bundle->entries[i].name);
    }
    return text_ok(&sums->text, err);
}

/* ---- tar ---- */

static la_ssize_t
write_block(struct archive *archive, void *ctx, const void *bytes, size_t size)
{
    struct bundle *bundle = ctx;

    if (bundle->out->write(bundle->out->ctx, bytes, size, bundle->err))
        return (la_ssize_t)size;
    bundle->write_failed = true;
    bundle->tar.archive_set_error(archive, EIO, "not written");
    return -1;
}

static bool
tar_failed(const struct bundle *bundle, struct archive *archive, struct err *err)
{
    if (bundle->write_failed)
        return false; /* `err` is filled by the one who could not write */
    return err_set(err, ERR_STORAGE, "could not make the tar file: %s",
                   bundle->tar.archive_error_string(archive)
                       ? bundle->tar.archive_error_string(archive)
                       : "?");
}

static bool
put_file(const struct bundle *bundle, struct archive *archive, const char *path, uint64_t size,
         struct err *err)
{
    char block[BLOCK_BYTES];
    FILE_SCOPED fd = -1;

    if (!storage_open(path, &fd, err))
        return false;
    while (size > 0) {
        size_t got = 0;
        if (!storage_read(fd, path, block, size < sizeof(block) ? (size_t)size : sizeof(block),
                          &got, err))
            return false;
        if (got == 0)
            return err_set(err, ERR_STORAGE, "%s became shorter", path);
        if (bundle->tar.archive_write_data(archive, block, got) != (la_ssize_t)got)
            return tar_failed(bundle, archive, err);
        size -= got;
    }
    return true;
}

static bool
size_of(const struct bundle_entry *entry, uint64_t *ret, struct err *err)
{
    struct stat status;

    if (!entry->path) {
        *ret = entry->text.used;
        return true;
    }
    if (lstat(entry->path, &status) != 0)
        return err_errno(err, ERR_STORAGE, errno, "look at %s", entry->path);
    *ret = (uint64_t)status.st_size;
    return true;
}

/* Owner, times and order come from the run alone: the same run gives the same bytes. */
static bool
put_entry(const struct bundle *bundle, struct archive *archive, const struct bundle_entry *entry,
          struct archive_entry *header, struct err *err)
{
    char name[RUN_ID_BYTES + 96];
    uint64_t size = 0;

    if (!size_of(entry, &size, err))
        return false;
    (void)snprintf(name, sizeof(name), "dwclean-%s/%s", bundle->past.id, entry->name);
    bundle->tar.archive_entry_set_pathname(header, name);
    bundle->tar.archive_entry_set_size(header, (la_int64_t)size);
    bundle->tar.archive_entry_set_filetype(header, AE_IFREG);
    bundle->tar.archive_entry_set_perm(header, 0644);
    bundle->tar.archive_entry_set_mtime(header, bundle->time, 0);
    if (bundle->tar.archive_write_header(archive, header) != ARCHIVE_OK)
        return tar_failed(bundle, archive, err);
    if (entry->path)
        return put_file(bundle, archive, entry->path, size, err);
    return bundle->tar.archive_write_data(archive, text_string(&entry->text), size) ==
               (la_ssize_t)size ||
           tar_failed(bundle, archive, err);
}

static bool
put_entries(const struct bundle *bundle, struct archive *archive, struct err *err)
{
    bool ok = true;

    for (size_t i = 0; ok && i < bundle->count; i++) {
        struct archive_entry *header = bundle->tar.archive_entry_new();
        if (!header)
            return storage_no_memory(err);
        ok = put_entry(bundle, archive, &bundle->entries[i], header, err);
        bundle->tar.archive_entry_free(header);
    }
    return ok;
}

static bool
put_tar(struct bundle *bundle, struct err *err)
{
    struct archive *archive = bundle->tar.archive_write_new();
    bool ok = true;

    if (!archive)
        return storage_no_memory(err);
    bundle->err = err;
    if (bundle->tar.archive_write_set_format_ustar(archive) != ARCHIVE_OK ||
        bundle->tar.archive_write_open(archive, bundle, NULL, write_block, NULL) != ARCHIVE_OK)
        ok = tar_failed(bundle, archive, err);
    ok = ok && put_entries(bundle, archive, err);
    if (ok && bundle->tar.archive_write_close(archive) != ARCHIVE_OK)
        ok = tar_failed(bundle, archive, err);
    if (!ok)
        (void)bundle->tar.archive_write_fail(archive); /* no trailer behind half a file */
    (void)bundle->tar.archive_write_free(archive);
    return ok;
}

bool
run_bundle_write(const struct run_bundle_of *of, const struct run_bundle_out *out, struct err *err)
{
    struct bundle bundle = {.run_path = of->path,
                            .program = of->program,
                            .key = of->key,
                            .scrub = scrub_new(),
                            .entries = calloc(ENTRIES_MAX, sizeof(*bundle.entries)),
                            .out = out};
    ARENA_SCOPED arena = arena_new(RUN_RECORD_ARENA_BYTES + RUN_PROGRESS_ARENA_BYTES);
    bool ok = bundle.scrub && bundle.entries && arena;

    if (!ok)
        (void)storage_no_memory(err);
    ok = ok && fill(&bundle, of->runs_dir, arena, err);
    if (ok)
        qsort(bundle.entries, bundle.count, sizeof(*bundle.entries), by_name);
    ok = ok && add_sums(&bundle, err);
    if (ok)
        qsort(bundle.entries, bundle.count, sizeof(*bundle.entries), by_name);
    ok = ok && tar_library_load(tar_library_file, &bundle.tar, err);
    if (ok) {
        ok = put_tar(&bundle, err);
        tar_library_unload(&bundle.tar);
    }
    for (size_t i = 0; i < bundle.count; i++) {
        text_done(&bundle.entries[i].text);
        free(bundle.entries[i].path);
    }
    free(bundle.entries);
    scrub_free(bundle.scrub);
    return ok;
}
