-- prove_utf8: prove.sql for an engine that the test switch lets in. Such engines have no word for the two
-- limits: every value is compared with its DATALENGTH, and they take no locks to wait for.
-- params:  none
-- returns: as prove.sql, the limits NULL
-- effect:  none
SELECT @@OPTIONS AS rs_proof, CONVERT(int, NULL) AS text_size, CONVERT(int, NULL) AS lock_timeout_ms,
    @@TRANCOUNT AS open_transactions, DATALENGTH(N'a') AS character_bytes, @@SPID AS session_id,
    CONVERT(varbinary(512), DB_NAME()) AS database_name;
