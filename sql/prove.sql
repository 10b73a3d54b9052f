-- prove: what session.sql asked for, read back. Begins the first batch after it on every connection.
-- params:  none
-- returns: one row; names as bytes, because a name that is not well-formed must not end a connection
-- effect:  none
SELECT @@OPTIONS AS rs_proof, @@TEXTSIZE AS text_size, @@LOCK_TIMEOUT AS lock_timeout_ms,
    @@TRANCOUNT AS open_transactions, DATALENGTH(N'a') AS character_bytes, @@SPID AS session_id,
    CONVERT(varbinary(512), DB_NAME()) AS database_name;
