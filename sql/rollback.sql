-- rollback: end the transaction if there is one, and say that there is none.
-- params:  none
-- returns: one row: rs_transaction int, which is 0
-- effect:  undoes what the transaction did
IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION;
SELECT @@TRANCOUNT AS rs_transaction;
