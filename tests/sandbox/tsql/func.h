/** Built-in functions: each gets its arguments and a NULL of the result's type to fill. */
#ifndef SANDBOX_TSQL_FUNC_H
#define SANDBOX_TSQL_FUNC_H

#include "tsql/session.h"

#define FUNCTION(name) bool name(struct ectx *, struct expr *, struct val *args, struct val *out)

FUNCTION(f_len);
FUNCTION(f_datalength);
FUNCTION(f_upper); /* also LOWER */
FUNCTION(f_trim);  /* also LTRIM, RTRIM */
FUNCTION(f_left);  /* also RIGHT */
FUNCTION(f_substring);
FUNCTION(f_replace);
FUNCTION(f_replicate); /* also SPACE */
FUNCTION(f_charindex);
FUNCTION(f_char);  /* also NCHAR */
FUNCTION(f_ascii); /* also UNICODE */
FUNCTION(f_str);
FUNCTION(f_concat);
FUNCTION(f_quotename);
FUNCTION(f_reverse);
FUNCTION(f_stuff);

FUNCTION(f_abs); /* also SIGN, FLOOR, CEILING */
FUNCTION(f_round);
FUNCTION(f_power); /* also SQRT */
FUNCTION(f_newid);
FUNCTION(f_now); /* GETDATE and its like */
FUNCTION(f_dateadd);
FUNCTION(f_datediff);
FUNCTION(f_datepart);
FUNCTION(f_year); /* also MONTH, DAY */
FUNCTION(f_isnumeric);

FUNCTION(f_db_name);
FUNCTION(f_db_id);
FUNCTION(f_object_id);
FUNCTION(f_object_name);
FUNCTION(f_schema_name);
FUNCTION(f_schema_id);
FUNCTION(f_type_name);
FUNCTION(f_col_name);
FUNCTION(f_login_name); /* SUSER_SNAME, ORIGINAL_LOGIN, ... */
FUNCTION(f_user_name);
FUNCTION(f_host_name); /* also APP_NAME */
FUNCTION(f_serverproperty);
FUNCTION(f_databasepropertyex);
FUNCTION(f_has_perms);
FUNCTION(f_error); /* ERROR_NUMBER and its like */
FUNCTION(f_xact_state);
FUNCTION(f_scope_identity);
FUNCTION(f_rowcount_big);
FUNCTION(f_applock_mode);

#endif
