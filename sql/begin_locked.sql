-- begin_locked: open the transaction and lock the three tables, always in this order. The lock is an
-- exclusive table lock that is held to the end of the transaction; reading is what takes it.
-- params:  none
-- returns: one row a table (rs_locked: its name, row_count bigint), then rs_transaction int, which is 1
-- effect:  a transaction with three exclusive table locks
BEGIN TRANSACTION;
SELECT N'DUALWRITEPROJECTFIELDCONFIGURATION' AS rs_locked, CONVERT(bigint, COUNT(*)) AS row_count
FROM dbo.DUALWRITEPROJECTFIELDCONFIGURATION WITH (TABLOCKX, HOLDLOCK);
SELECT N'DUALWRITEPROJECTCONFIGURATION' AS rs_locked, CONVERT(bigint, COUNT(*)) AS row_count
FROM dbo.DUALWRITEPROJECTCONFIGURATION WITH (TABLOCKX, HOLDLOCK);
SELECT N'BUSINESSEVENTSDEFINITION' AS rs_locked, CONVERT(bigint, COUNT(*)) AS row_count
FROM dbo.BUSINESSEVENTSDEFINITION WITH (TABLOCKX, HOLDLOCK);
SELECT @@TRANCOUNT AS rs_transaction;
