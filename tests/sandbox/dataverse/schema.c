#include "dataverse/schema.h"

#include <string.h>

/* clang-format off */
#define PLAIN(name, type)    {name, type, name, true, true, NULL, false}
#define FIXED(name, type)    {name, type, name, false, false, NULL, false}
#define ONCE(name, type)     {name, type, name, true, false, NULL, false}
#define OWNER(name)          {name, "Owner", "_" name "_value", true, true, NULL, false}
#define LOOKUP(name)         {name, "Lookup", "_" name "_value", true, true, NULL, false}
#define STAMP_BY(name)       {name, "Lookup", "_" name "_value", false, false, "systemuser", false}
#define HIDDEN(name, type)   {name, type, NULL, false, false, NULL, false}
#define KEY(name)            {name, "Uniqueidentifier", name, true, false, NULL, false}
/* A column that a customer has added to the table. */
#define OWN_LOOKUP(name, to) {name, "Lookup", "_" name "_value", true, true, to, true}

#define COMMON_COLUMNS \
    PLAIN("statecode", "State"), \
    HIDDEN("statecodename", "Virtual"), \
    PLAIN("statuscode", "Status"), \
    HIDDEN("statuscodename", "Virtual"), \
    FIXED("createdon", "DateTime"), \
    STAMP_BY("createdby"), \
    HIDDEN("createdbyname", "String"), \
    STAMP_BY("createdonbehalfby"), \
    FIXED("modifiedon", "DateTime"), \
    STAMP_BY("modifiedby"), \
    HIDDEN("modifiedbyname", "String"), \
    STAMP_BY("modifiedonbehalfby"), \
    OWNER("ownerid"), \
    HIDDEN("owneridname", "String"), \
    HIDDEN("owneridtype", "EntityName"), \
    STAMP_BY("owningbusinessunit"), \
    STAMP_BY("owninguser"), \
    STAMP_BY("owningteam"), \
    ONCE("importsequencenumber", "Integer"), \
    ONCE("overriddencreatedon", "DateTime"), \
    PLAIN("timezoneruleversionnumber", "Integer"), \
    PLAIN("utcconversiontimezonecode", "Integer"), \
    FIXED("versionnumber", "BigInt")

static const struct dv_attribute config_columns[] = {
    KEY("msdyn_dualwriteruntimeconfigid"),
    PLAIN("msdyn_name", "String"),
    PLAIN("msdyn_internalentityname", "String"),
    PLAIN("msdyn_externalentityname", "String"),
    PLAIN("msdyn_unsecure", "Memo"),
    OWN_LOOKUP("contoso_companyid", "cdm_company"),
    COMMON_COLUMNS,
};

static const struct dv_attribute trace_columns[] = {
    KEY("plugintracelogid"),
    PLAIN("typename", "String"),
    PLAIN("messagename", "String"),
    PLAIN("primaryentity", "String"),
    PLAIN("operationtype", "Picklist"),
    PLAIN("mode", "Picklist"),
    PLAIN("depth", "Integer"),
    PLAIN("messageblock", "Memo"),
    PLAIN("exceptiondetails", "Memo"),
    PLAIN("correlationid", "Uniqueidentifier"),
    PLAIN("performanceexecutionstarttime", "DateTime"),
    PLAIN("performanceexecutionduration", "Integer"),
    FIXED("createdon", "DateTime"),
};

static const struct dv_attribute company_columns[] = {
    KEY("cdm_companyid"),
    PLAIN("cdm_companycode", "String"),
    PLAIN("cdm_name", "String"),
    PLAIN("cdm_isenabledfordualwrite", "Boolean"),
    LOOKUP("cdm_defaultowningteam"),
    COMMON_COLUMNS,
};

static const struct dv_attribute map_columns[] = {
    KEY("msdyn_dualwriteentitymapid"),
    PLAIN("msdyn_name", "String"),
    PLAIN("msdyn_mapping", "Memo"),
    PLAIN("msdyn_properties", "Memo"),
    PLAIN("msdyn_version", "String"),
    COMMON_COLUMNS,
};

static const struct dv_attribute assembly_columns[] = {
    KEY("pluginassemblyid"),
    PLAIN("name", "String"),
    PLAIN("version", "String"),
    PLAIN("publickeytoken", "String"),
    FIXED("createdon", "DateTime"),
    FIXED("modifiedon", "DateTime"),
    FIXED("versionnumber", "BigInt"),
};

static const struct dv_attribute type_columns[] = {
    KEY("plugintypeid"),
    PLAIN("name", "String"),
    PLAIN("typename", "String"),
    PLAIN("friendlyname", "String"),
    LOOKUP("pluginassemblyid"),
    FIXED("versionnumber", "BigInt"),
};

static const struct dv_attribute step_columns[] = {
    KEY("sdkmessageprocessingstepid"),
    PLAIN("name", "String"),
    PLAIN("stage", "Picklist"),
    PLAIN("mode", "Picklist"),
    PLAIN("rank", "Integer"),
    PLAIN("statecode", "State"),
    PLAIN("statuscode", "Status"),
    LOOKUP("plugintypeid"),
    LOOKUP("eventhandler"),
    FIXED("versionnumber", "BigInt"),
};

static const struct dv_attribute organization_columns[] = {
    KEY("organizationid"),
    PLAIN("name", "String"),
    PLAIN("languagecode", "Integer"),
    FIXED("createdon", "DateTime"),
    FIXED("versionnumber", "BigInt"),
};

#define COLUMNS(list) list, sizeof(list) / sizeof((list)[0])

static const struct dv_table tables[] = {
    {DV_CONFIG_SET, "msdyn_dualwriteruntimeconfig", "Dual Write Runtime Configuration",
     "msdyn_dualwriteruntimeconfigid", "msdyn_name", "msdyn_dualwriteruntimeconfig", 10312, false,
     COLUMNS(config_columns)},
    {"msdyn_dualwriteentitymaps", "msdyn_dualwriteentitymap", "Dual Write Entity Map",
     "msdyn_dualwriteentitymapid", "msdyn_name", "msdyn_dualwriteentitymap", 10311, true,
     COLUMNS(map_columns)},
    {"cdm_companies", "cdm_company", "Company", "cdm_companyid", "cdm_companycode", "cdm_company",
     10188, true, COLUMNS(company_columns)},
    {DV_TRACE_SET, "plugintracelog", "Plug-in Trace Log", "plugintracelogid", "typename",
     "PluginTraceLog", 4619, true, COLUMNS(trace_columns)},
    {"pluginassemblies", "pluginassembly", "Plug-in Assembly", "pluginassemblyid", "name",
     "PluginAssembly", 4605, true, COLUMNS(assembly_columns)},
    {"plugintypes", "plugintype", "Plug-in Type", "plugintypeid", "name", "PluginType", 4602, true,
     COLUMNS(type_columns)},
    {"sdkmessageprocessingsteps", "sdkmessageprocessingstep", "Sdk Message Processing Step",
     "sdkmessageprocessingstepid", "name", "SdkMessageProcessingStep", 4608, true,
     COLUMNS(step_columns)},
    {"organizations", "organization", "Organization", "organizationid", "name", "Organization",
     1019, true, COLUMNS(organization_columns)},
};
/* clang-format on */

enum { TABLES = sizeof(tables) / sizeof(tables[0]) };

const struct dv_table *
dv_table_at(size_t index)
{
    return index < TABLES ? &tables[index] : NULL;
}

const struct dv_table *
dv_table_by_set(const char *set)
{
    for (size_t i = 0; i < TABLES; i++) {
        if (strcmp(tables[i].set, set) == 0)
            return &tables[i];
    }
    return NULL;
}

const struct dv_table *
dv_table_by_logical_name(const char *name)
{
    for (size_t i = 0; i < TABLES; i++) {
        if (strcmp(tables[i].logical_name, name) == 0)
            return &tables[i];
    }
    return NULL;
}

const struct dv_attribute *
dv_property(const struct dv_table *table, const char *property)
{
    for (size_t i = 0; i < table->attribute_count; i++) {
        const struct dv_attribute *attribute = &table->attributes[i];
        if (attribute->property && strcmp(attribute->property, property) == 0)
            return attribute;
    }
    return NULL;
}
