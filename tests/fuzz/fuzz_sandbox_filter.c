/* The sandbox's $filter: any text is a filter or is refused with a reason. */
#include "dataverse/filter.h"
#include "dataverse/schema.h"
#include "fuzz.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

static const char row_text[] =
    "{\"msdyn_dualwriteruntimeconfigid\":\"910a2dec-8902-4cc1-8bee-8da1658eec67\","
    "\"msdyn_name\":\"O'Brien and Sons\",\"msdyn_internalentityname\":null,\"statecode\":0,"
    "\"statuscode\":1,\"createdon\":\"2026-03-04T05:06:07Z\"}";

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static cJSON *row;
    struct fuzz_input input = {data, size};
    char *text = fuzz_rest(&input);
    char why[256] = "";

    if (!row)
        row = cJSON_Parse(row_text);
    struct filter *filter = filter_parse(dv_table_by_set(DV_CONFIG_SET), text, why, sizeof(why));
    if (filter) {
        const bool first = filter_matches(filter, row);
        FUZZ_MUST(first == filter_matches(filter, row));
        (void)filter_keys(filter, "msdyn_dualwriteruntimeconfigid");
        filter_free(filter);
    } else {
        FUZZ_MUST(why[0]);
    }
    free(text);
    return 0;
}
