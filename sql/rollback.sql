-- rollback: end the transaction if there is one, and say whether there was one and that there is none.
-- params:  none
-- returns: one row: rs_open int, @@TRANCOUNT before; then rs_transaction int, which is 0
-- effect:  undoes what the transaction did
SELECT @@TRANCOUNT AS rs_open;
IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION;
SELECT @@TRANCOUNT AS rs_transaction;
