#include "diagnose.h"

#include "base/text.h"
#include "diagnosis.h"

#include <string.h>

/** The questions that need no other answer first, asked side by side. */
enum question { ASK_NAMES, ASK_TRACES, ASK_ASSEMBLIES, ASK_COMPANIES, QUESTIONS };

#define TEXT_OF(number) TEXT_OF_VALUE(number)
#define TEXT_OF_VALUE(number) #number
/* The same numbers as in the port, as text for the URLs */
#define ROWS_ASKED 50
#define TRACES_ASKED 20
#define LIST_ASKED 1000
_Static_assert(ROWS_ASKED == DIAGNOSIS_ROWS && TRACES_ASKED == DIAGNOSIS_TRACES &&
                   LIST_ASKED == DIAGNOSIS_STEPS && LIST_ASKED == DIAGNOSIS_COMPANIES,
               "what is asked is what is kept");

/* Both generations of the plug-ins' names */
static const char ask_traces[] =
    "plugintracelogs?$select=typename,messageblock,exceptiondetails,createdon"
    "&$filter=contains(typename,'DualWriteRuntime')%20or%20contains(typename,"
    "'Integrator.CrmPlugins')&$orderby=createdon%20desc&$top=" TEXT_OF(TRACES_ASKED);
static const char ask_assemblies[] =
    "pluginassemblies?$select=pluginassemblyid&$filter=contains(name,'DualWrite')&$top=64";
static const char ask_companies[] =
    "cdm_companies?$select=cdm_companycode,cdm_name,cdm_isenabledfordualwrite,"
    "_cdm_defaultowningteam_value&$orderby=cdm_companycode&$top=" TEXT_OF(LIST_ASKED);

/** A failure that is not an answer to the question but ends the whole. */
static bool
ends_all(const struct err *err)
{
    return err->code == ERR_INTERRUPTED || err->code == ERR_INTERNAL;
}

/** Take an error as the reason why a part is not known; false when it ends the whole. */
static bool
not_known(struct diagnosis_part *part, const struct err *why, struct err *err)
{
    part->known = false;
    part->why = *why;
    if (!ends_all(why))
        return true;
    *err = *why;
    return false;
}

/** Was the question answered with a list? If not, the part says why. */
static bool
is_answered(const struct fetch *fetch, struct diagnosis_part *part)
{
    if (fetch->judgement.verdict != VERDICT_OK) {
        part->why = fetch->judgement.err;
        return false;
    }
    return fetch->answer->status == 200 ||
           answer_malformed(fetch->answer, "a list was not answered with 200", &part->why);
}

/* ---- one question alone ---- */

/** Ask; `ret_answered` false: the part says why not. False when the whole ends. */
static bool
ask(struct session *session, const struct text *url, struct diagnosis_part *part,
    struct slice *ret_body, bool *ret_answered, struct err *err)
{
    struct fetch fetch = {.url = text_string(url), .may_fail = true, .once = true};
    struct err why = {0};

    *ret_answered = false;
    if (!text_ok(url, err))
        return false;
    if (!session_fetch(session, &fetch, 1, &why))
        return not_known(part, &why, err);
    *ret_answered = is_answered(&fetch, part);
    if (*ret_answered)
        *ret_body = fetch.answer->body;
    return true;
}

/* ---- plug-ins: assemblies, their types, the types' steps ---- */

/** SET?$select=...&$filter=COLUMN eq ID or ... */
static void
write_query(const struct session *session, const char *front, const char *column,
            const struct diagnosis_ids *ids, struct text *ret)
{
    text_reset(ret);
    text_printf(ret, "%s%s&$filter=", session->root, front);
    for (size_t i = 0; i < ids->count; i++)
        text_printf(ret, "%s%s%%20eq%%20%s", i ? "%20or%20" : "", column, ids->ids[i]);
}

/** Steps of the assemblies. The part is known when nothing stood in the way; also when nothing was
 * visible. */
static bool
ask_plugins(struct session *session, const struct diagnosis_ids *assemblies, struct arena *arena,
            struct runtime_diagnosis *ret, struct err *err)
{
    struct diagnosis_part *part = &ret->plugins_part;
    struct diagnosis_ids types;
    TEXT_SCOPED url = {.max = URL_MAX_BYTES};
    struct err why = {0};
    struct slice body;
    bool answered;

    write_query(session, "plugintypes?$select=plugintypeid&$top=64", "_pluginassemblyid_value",
                assemblies, &url);
    if (!ask(session, &url, part, &body, &answered, err))
        return false;
    if (!answered)
        return true;
    if (!diagnosis_read_ids(body, "plugintypeid", &types, &why))
        return not_known(part, &why, err);
    ret->plugin_types = types.count;
    part->known = types.count == 0;
    if (part->known)
        return true;
    write_query(session,
                "sdkmessageprocessingsteps?$select=name,statecode&$top=" TEXT_OF(LIST_ASKED),
                "_plugintypeid_value", &types, &url);
    if (!ask(session, &url, part, &body, &answered, err))
        return false;
    if (!answered)
        return true;
    if (!diagnosis_read_steps(body, arena, ret, &why))
        return not_known(part, &why, err);
    ret->more_steps |= types.more || assemblies->more;
    part->known = true;
    return true;
}

/* ---- all of them ---- */

struct asking {
    struct session *session;
    struct arena *arena;
    struct runtime_diagnosis *ret;
    struct diagnosis_ids assemblies;
};

static struct diagnosis_part *
part_of(struct runtime_diagnosis *diagnosis, enum question question)
{
    switch (question) {
    case ASK_NAMES:
        return &diagnosis->names_part;
    case ASK_TRACES:
        return &diagnosis->traces_part;
    case ASK_ASSEMBLIES:
        return &diagnosis->plugins_part;
    case ASK_COMPANIES:
    case QUESTIONS:
        break;
    }
    return &diagnosis->companies_part;
}

static bool
read_answer(struct asking *asking, enum question question, struct slice body, struct err *why)
{
    switch (question) {
    case ASK_NAMES:
        return diagnosis_read_names(body, asking->arena, asking->ret, why);
    case ASK_TRACES:
        return diagnosis_read_traces(body, asking->arena, asking->ret, why);
    case ASK_ASSEMBLIES:
        return diagnosis_read_ids(body, "pluginassemblyid", &asking->assemblies, why);
    case ASK_COMPANIES:
    case QUESTIONS:
        break;
    }
    return diagnosis_read_companies(body, asking->arena, asking->ret, why);
}

static bool
take_answers(struct asking *asking, const struct fetch *fetches, const enum question *questions,
             size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        struct diagnosis_part *part = part_of(asking->ret, questions[i]);
        struct err why = {0};

        if (!is_answered(&fetches[i], part))
            continue;
        if (read_answer(asking, questions[i], fetches[i].answer->body, &why))
            part->known = true;
        else if (!not_known(part, &why, err))
            return false;
    }
    return true;
}

static bool
ask_side_by_side(struct asking *asking, const char *const paths[QUESTIONS], struct err *err)
{
    struct fetch fetches[QUESTIONS] = {0};
    enum question questions[QUESTIONS];
    struct err why = {0};
    size_t count = 0;

    for (int i = 0; i < QUESTIONS; i++) {
        if (!part_of(asking->ret, (enum question)i)->asked)
            continue;
        questions[count] = (enum question)i;
        fetches[count] = (struct fetch){
            .url = arena_printf(asking->arena, "%s%s", asking->session->root, paths[i]),
            .may_fail = true,
            .once = true};
        if (!fetches[count++].url)
            return arena_exhausted(err);
    }
    if (session_fetch(asking->session, fetches, count, &why))
        return take_answers(asking, fetches, questions, count, err);
    for (size_t i = 0; i < count; i++)
        if (!not_known(part_of(asking->ret, questions[i]), &why, err))
            return false;
    return true;
}

bool
diagnose_environment(struct session *session, const struct definition *definition,
                     struct arena *arena, unsigned parts, struct runtime_diagnosis *ret,
                     struct err *err)
{
    struct runtime_diagnosis diagnosis = {
        .names_part.asked = (parts & DIAGNOSE_NAMES) != 0,
        .traces_part.asked = (parts & DIAGNOSE_TRACES) != 0,
        .plugins_part.asked = (parts & DIAGNOSE_PLUGINS) != 0,
        .companies_part.asked = (parts & DIAGNOSE_COMPANIES) != 0,
    };
    struct asking asking = {.session = session, .arena = arena, .ret = &diagnosis};
    const char *rows = arena_printf(arena, "%s?$top=" TEXT_OF(ROWS_ASKED), definition->entity_set);
    const char *const paths[QUESTIONS] = {[ASK_NAMES] = rows,
                                          [ASK_TRACES] = ask_traces,
                                          [ASK_ASSEMBLIES] = ask_assemblies,
                                          [ASK_COMPANIES] = ask_companies};

    if (!rows)
        return arena_exhausted(err);
    if (!ask_side_by_side(&asking, paths, err))
        return false;
    /* an assembly that is not visible has no types to ask for */
    if (diagnosis.plugins_part.known && asking.assemblies.count > 0) {
        diagnosis.plugins_part.known = false;
        if (!ask_plugins(session, &asking.assemblies, arena, &diagnosis, err))
            return false;
    }
    *ret = diagnosis;
    return true;
}
