-- insert_rows: put a group of rows of one table back, inside the transaction of begin_locked and nowhere
-- else. Each row is an INSERT of its own: rows of one VALUES list would first be brought to common types.
-- params:  $(identity_on), $(identity_off)  SET IDENTITY_INSERT for a table with an identity column, or
--                    nothing; the first also ends what a failed group has left on
--          $(rows)   for each row INSERT with a column list, and @inserted counted up by @@ROWCOUNT
-- returns: rs_inserted bigint
-- effect:  INSERTS the rows once the transaction is committed
IF @@TRANCOUNT <> 1 THROW 51000, N'dwclean: the transaction is not open', 1;
DECLARE @inserted bigint;
SET @inserted = 0;
$(identity_on)
$(rows)
$(identity_off)
SELECT @inserted AS rs_inserted;
