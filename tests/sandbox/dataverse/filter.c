#include "dataverse/filter.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { NODES_MAX = 512, DEPTH_MAX = 64, IN_MAX = 2000 };

enum kind { PROPERTY, LITERAL, COMPARE, FUNCTION, IN, AND, OR, NOT };
enum operator{ EQ, NE, GT, GE, LT, LE, CONTAINS, STARTSWITH, ENDSWITH };

struct node {
    enum kind kind;
    enum operator op;
    size_t left, right; /* of nodes */
    cJSON *value;       /* LITERAL; the texts of IN */
    const char *name;   /* PROPERTY, IN */
};

struct filter {
    struct node nodes[NODES_MAX];
    size_t count;
    size_t root;
};

struct parser {
    struct filter *filter;
    const struct dv_table *table;
    const char *at, *start;
    char *why;
    size_t why_size;
    size_t depth;
};

#define FAILED ((size_t)-1)

static size_t parse_or(struct parser *p);

static size_t __attribute__((format(printf, 2, 3))) fail(struct parser *p, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (p->why[0] == '\0')
        (void)vsnprintf(p->why, p->why_size, format, arguments);
    va_end(arguments);
    return FAILED;
}

static size_t
add(struct parser *p, struct node node)
{
    if (p->filter->count == NODES_MAX) {
        cJSON_Delete(node.value);
        return fail(p, "The filter is too complex.");
    }
    p->filter->nodes[p->filter->count] = node;
    return p->filter->count++;
}

static void
skip_space(struct parser *p)
{
    while (*p->at == ' ')
        p->at++;
}

static size_t
word_length(const char *s)
{
    size_t n = 0;
    while (isalnum((unsigned char)s[n]) || strchr("_-.:@", s[n])) {
        if (s[n] == '\0')
            break;
        n++;
    }
    return n;
}

/** Take the word when it comes next, whole. */
static bool
take_word(struct parser *p, const char *word)
{
    skip_space(p);
    size_t bytes = strlen(word);
    if (strncmp(p->at, word, bytes) != 0 || word_length(p->at) != bytes)
        return false;
    p->at += bytes;
    return true;
}

static bool
take_char(struct parser *p, char c)
{
    skip_space(p);
    if (*p->at != c)
        return false;
    p->at++;
    return true;
}

static size_t
parse_string(struct parser *p)
{
    char *text = malloc(strlen(p->at) + 1);
    size_t out = 0;
    if (!text)
        return fail(p, "out of memory");
    p->at++;
    while (*p->at && (*p->at != '\'' || p->at[1] == '\'')) {
        if (*p->at == '\'')
            p->at++;
        text[out++] = *p->at++;
    }
    text[out] = '\0';
    if (*p->at != '\'') {
        free(text);
        return fail(p, "There is an unterminated string literal at position %td in '%s'.",
                    p->at - p->start, p->start);
    }
    p->at++;
    cJSON *value = cJSON_CreateString(text);
    free(text);
    return add(p, (struct node){.kind = LITERAL, .value = value});
}

static cJSON *
literal_of(const char *word)
{
    if (strcmp(word, "null") == 0)
        return cJSON_CreateNull();
    if (strcmp(word, "true") == 0)
        return cJSON_CreateTrue();
    if (strcmp(word, "false") == 0)
        return cJSON_CreateFalse();
    if (!isdigit((unsigned char)word[0]) && word[0] != '-' && strlen(word) != 36)
        return NULL;
    char *end = NULL;
    double number = strtod(word, &end);
    if (*end == '\0')
        return cJSON_CreateNumber(number);
    bool guid_or_date = strchr(word, '-') && strlen(word) >= 10;
    return guid_or_date ? cJSON_CreateString(word) : NULL;
}

static size_t
parse_operand(struct parser *p)
{
    char word[128];
    skip_space(p);
    if (*p->at == '\'')
        return parse_string(p);
    size_t bytes = word_length(p->at);
    if (bytes == 0 || bytes >= sizeof(word))
        return fail(p, "Syntax error at position %td in '%s'.", p->at - p->start, p->start);
    memcpy(word, p->at, bytes);
    word[bytes] = '\0';
    p->at += bytes;
    const struct dv_attribute *attribute = dv_property(p->table, word);
    if (attribute)
        return add(p, (struct node){.kind = PROPERTY, .name = attribute->property});
    cJSON *value = literal_of(word);
    if (!value)
        return fail(p, "Could not find a property named '%s' on type 'Microsoft.Dynamics.CRM.%s'.",
                    word, p->table->logical_name);
    return add(p, (struct node){.kind = LITERAL, .value = value});
}

static size_t
parse_comparison(struct parser *p)
{
    static const char *const words[] = {"eq", "ne", "gt", "ge", "lt", "le"};
    size_t left = parse_operand(p);
    if (left == FAILED)
        return FAILED;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (!take_word(p, words[i]))
            continue;
        size_t right = parse_operand(p);
        if (right == FAILED)
            return FAILED;
        return add(p, (struct node){
                          .kind = COMPARE, .op = (enum operator)i, .left = left, .right = right});
    }
    return fail(p, "Syntax error at position %td in '%s'.", p->at - p->start, p->start);
}

static size_t
parse_function(struct parser *p, enum operator op)
{
    size_t left = take_char(p, '(') ? parse_operand(p) : FAILED;
    size_t right = left != FAILED && take_char(p, ',') ? parse_operand(p) : FAILED;
    if (right == FAILED || !take_char(p, ')'))
        return fail(p, "Syntax error at position %td in '%s'.", p->at - p->start, p->start);
    return add(p, (struct node){.kind = FUNCTION, .op = op, .left = left, .right = right});
}

static bool
take_text(struct parser *p, const char *text)
{
    skip_space(p);
    if (strncmp(p->at, text, strlen(text)) != 0)
        return false;
    p->at += strlen(text);
    return true;
}

/** Text literal, as its value in the list. */
static bool
take_listed(struct parser *p, cJSON *list)
{
    char text[256];
    size_t bytes = 0;
    if (!take_char(p, '\''))
        return false;
    while (*p->at && *p->at != '\'' && bytes + 1 < sizeof(text))
        text[bytes++] = *p->at++;
    text[bytes] = '\0';
    cJSON_AddItemToArray(list, cJSON_CreateString(text));
    return take_char(p, '\'') && cJSON_GetArraySize(list) <= IN_MAX;
}

/** (PropertyName='x',PropertyValues=['a','b']) */
static size_t
parse_in(struct parser *p)
{
    char name[128] = "";
    size_t bytes = 0;
    cJSON *list = cJSON_CreateArray();
    bool ok = take_text(p, "(PropertyName='");
    while (ok && *p->at && *p->at != '\'' && bytes + 1 < sizeof(name))
        name[bytes++] = *p->at++;
    name[bytes] = '\0';
    const struct dv_attribute *attribute = dv_property(p->table, name);
    ok = ok && attribute && take_text(p, "',") && take_text(p, "PropertyValues=[");
    do
        ok = ok && take_listed(p, list);
    while (ok && take_char(p, ','));
    ok = ok && take_text(p, "]") && take_text(p, ")");
    if (ok)
        return add(p, (struct node){.kind = IN, .value = list, .name = attribute->property});
    cJSON_Delete(list);
    return fail(p, "Syntax error at position %td in '%s'.", p->at - p->start, p->start);
}

static size_t
parse_term(struct parser *p)
{
    static const char *const functions[] = {"contains", "startswith", "endswith"};
    if (take_char(p, '(')) {
        size_t inner = parse_or(p);
        if (inner != FAILED && !take_char(p, ')'))
            return fail(p, "')' expected at position %td in '%s'.", p->at - p->start, p->start);
        return inner;
    }
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
        if (take_word(p, functions[i]))
            return parse_function(p, (enum operator)(CONTAINS + i));
    }
    if (take_word(p, "Microsoft.Dynamics.CRM.In"))
        return parse_in(p);
    return parse_comparison(p);
}

static size_t
parse_not(struct parser *p)
{
    bool negated = false;
    while (take_word(p, "not"))
        negated = !negated;
    size_t inner = parse_term(p);
    if (inner == FAILED || !negated)
        return inner;
    return add(p, (struct node){.kind = NOT, .left = inner});
}

static size_t
parse_and(struct parser *p)
{
    size_t left = parse_not(p);
    while (left != FAILED && take_word(p, "and")) {
        size_t right = parse_not(p);
        if (right == FAILED)
            return FAILED;
        left = add(p, (struct node){.kind = AND, .left = left, .right = right});
    }
    return left;
}

static size_t
parse_or(struct parser *p)
{
    if (p->depth == DEPTH_MAX)
        return fail(p, "The filter is too deep.");
    p->depth++;
    size_t left = parse_and(p);
    while (left != FAILED && take_word(p, "or")) {
        size_t right = parse_and(p);
        left = right == FAILED ? FAILED
                               : add(p, (struct node){.kind = OR, .left = left, .right = right});
    }
    p->depth--;
    return left;
}

struct filter *
filter_parse(const struct dv_table *table, const char *text, char *why, size_t why_size)
{
    struct filter *filter = calloc(1, sizeof(*filter));
    if (!filter) {
        (void)snprintf(why, why_size, "out of memory");
        return NULL;
    }
    struct parser p = {.filter = filter,
                       .table = table,
                       .at = text,
                       .start = text,
                       .why = why,
                       .why_size = why_size};
    why[0] = '\0';
    filter->root = parse_or(&p);
    skip_space(&p);
    if (filter->root != FAILED && *p.at == '\0')
        return filter;
    (void)fail(&p, "Syntax error at position %td in '%s'.", p.at - p.start, p.start);
    filter_free(filter);
    return NULL;
}

void
filter_free(struct filter *filter)
{
    if (!filter)
        return;
    for (size_t i = 0; i < filter->count; i++)
        cJSON_Delete(filter->nodes[i].value);
    free(filter);
}

/* ---- evaluation ---- */

static const cJSON *
value_of(const struct node *node, const cJSON *row)
{
    if (node->kind == LITERAL)
        return node->value;
    return cJSON_GetObjectItemCaseSensitive(row, node->name);
}

static bool
is_null(const cJSON *value)
{
    return !value || cJSON_IsNull(value);
}

/** Order of two values that are not null; false when they cannot be compared. */
static bool
order_of(const cJSON *a, const cJSON *b, int *ret)
{
    if (cJSON_IsString(a) && cJSON_IsString(b)) {
        *ret = strcasecmp(a->valuestring, b->valuestring);
        return true;
    }
    if (cJSON_IsNumber(a) && cJSON_IsNumber(b)) {
        *ret = (a->valuedouble > b->valuedouble) - (a->valuedouble < b->valuedouble);
        return true;
    }
    if (cJSON_IsBool(a) && cJSON_IsBool(b)) {
        *ret = (int)cJSON_IsTrue(a) - (int)cJSON_IsTrue(b);
        return true;
    }
    return false;
}

static bool
compare(enum operator op, const cJSON *a, const cJSON *b)
{
    int order = 0;
    if (is_null(a) || is_null(b)) {
        bool same = is_null(a) && is_null(b);
        return op == EQ ? same : op == NE && !same;
    }
    if (!order_of(a, b, &order))
        return op == NE;
    static const bool truth[][3] = {
        [EQ] = {false, true, false}, [NE] = {true, false, true},  [GT] = {false, false, true},
        [GE] = {false, true, true},  [LT] = {true, false, false}, [LE] = {true, true, false},
    };
    return truth[op][order < 0 ? 0 : order == 0 ? 1 : 2];
}

static bool
text_function(enum operator op, const cJSON *a, const cJSON *b)
{
    if (!cJSON_IsString(a) || !cJSON_IsString(b))
        return false;
    const size_t length = strlen(a->valuestring);
    const size_t part = strlen(b->valuestring);
    if (part > length)
        return false;
    if (op == CONTAINS)
        return strcasestr(a->valuestring, b->valuestring) != NULL;
    const char *at = op == STARTSWITH ? a->valuestring : a->valuestring + length - part;
    return strncasecmp(at, b->valuestring, part) == 0;
}

static bool
is_listed(const struct node *node, const cJSON *row)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(row, node->name);
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, node->value)
    {
        if (cJSON_IsString(value) && strcasecmp(value->valuestring, item->valuestring) == 0)
            return true;
    }
    return false;
}

const cJSON *
filter_keys(const struct filter *filter, const char *key)
{
    const struct node *root = &filter->nodes[filter->root];
    return root->kind == IN && strcmp(root->name, key) == 0 ? root->value : NULL;
}

/** Children lie before their parents, so one pass in order is enough. */
bool
filter_matches(const struct filter *filter, const cJSON *row)
{
    bool results[NODES_MAX] = {false};
    for (size_t i = 0; i < filter->count; i++) {
        const struct node *node = &filter->nodes[i];
        const struct node *left = &filter->nodes[node->left];
        const struct node *right = &filter->nodes[node->right];
        switch (node->kind) {
        case COMPARE:
            results[i] = compare(node->op, value_of(left, row), value_of(right, row));
            break;
        case FUNCTION:
            results[i] = text_function(node->op, value_of(left, row), value_of(right, row));
            break;
        case IN:
            results[i] = is_listed(node, row);
            break;
        case AND:
            results[i] = results[node->left] && results[node->right];
            break;
        case OR:
            results[i] = results[node->left] || results[node->right];
            break;
        case NOT:
            results[i] = !results[node->left];
            break;
        case PROPERTY:
        case LITERAL:
            break;
        }
    }
    return results[filter->root];
}
