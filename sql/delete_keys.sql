-- delete_keys: delete some rows of one table by their keys, inside the transaction of begin_locked and
-- nowhere else. Sent as often as there are groups of keys.
-- params:  $(table)      bracketed name in schema dbo
--          $(partition)  PARTITION of every row in the group, a number
--          $(recids)     their RECIDs, numbers with commas between
-- returns: rs_deleted bigint
-- effect:  DELETES the rows with these keys once the transaction is committed
IF @@TRANCOUNT <> 1 THROW 51000, N'dwclean: the transaction is not open', 1;
DELETE FROM dbo.$(table) WHERE [PARTITION] = $(partition) AND [RECID] IN ($(recids));
SELECT CONVERT(bigint, @@ROWCOUNT) AS rs_deleted;
