-- delete_all: delete every row of one table, inside the transaction of begin_locked and nowhere else.
-- DELETE, not TRUNCATE: it counts what it removes, needs no ALTER and respects foreign keys. For each table
-- of a run; then count_left for each of them, all in one batch.
-- params:  $(table)  bracketed name in schema dbo
-- returns: rs_deleted bigint
-- effect:  DELETES every row of the table once the transaction is committed
IF @@TRANCOUNT <> 1 THROW 51000, N'dwclean: the transaction is not open', 1;
DELETE FROM dbo.$(table);
SELECT CONVERT(bigint, @@ROWCOUNT) AS rs_deleted;
