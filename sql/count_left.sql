-- count_left: how many rows are still there when every table has been deleted from: a trigger may have written to
-- a table that was empty already. Behind delete_all, in its batch.
-- params:  $(table)  bracketed name in schema dbo
-- returns: rs_left bigint
-- effect:  none
SELECT CONVERT(bigint, COUNT(*)) AS rs_left FROM dbo.$(table) WITH (TABLOCKX, HOLDLOCK);
