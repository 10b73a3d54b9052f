-- read_rows: every row of one table, in key order. Character columns come as their bytes, with their
-- length beside them, so that no conversion and no cut can pass unseen.
-- params:  $(table)    bracketed name in schema dbo
--          $(columns)  select list made from the catalog
-- returns: rs_total bigint, the number of rows; then the rows
-- effect:  none (inside the transaction of begin_locked: under its locks)
SELECT CONVERT(bigint, COUNT(*)) AS rs_total FROM dbo.$(table);
SELECT $(columns) FROM dbo.$(table) ORDER BY [PARTITION], [RECID];
