-- commit: sent alone, so that its answer says one thing only.
-- params:  none
-- returns: nothing
-- effect:  makes the deletes of the transaction final
COMMIT TRANSACTION;
