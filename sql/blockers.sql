-- blockers: who holds locks on the three tables, after a lock was not obtained. For the message only.
-- params:  none
-- returns: rs_blocker smallint, the session; login_name, program_name, host_name as bytes; at most 3 rows,
--          none without VIEW SERVER STATE (Azure SQL Database: VIEW DATABASE STATE)
-- effect:  none
IF HAS_PERMS_BY_NAME(NULL, NULL, N'VIEW SERVER STATE') = 1
    OR (CONVERT(int, SERVERPROPERTY(N'EngineEdition')) = 5
        AND HAS_PERMS_BY_NAME(QUOTENAME(DB_NAME()), N'DATABASE', N'VIEW DATABASE STATE') = 1)
    SELECT DISTINCT TOP (3) s.session_id AS rs_blocker,
        CONVERT(varbinary(512), s.original_login_name) AS login_name,
        CONVERT(varbinary(512), s.program_name) AS program_name,
        CONVERT(varbinary(512), s.host_name) AS host_name
    FROM sys.dm_tran_locks AS l
    JOIN sys.dm_exec_sessions AS s ON s.session_id = l.request_session_id
    WHERE l.resource_type = N'OBJECT' AND l.resource_database_id = DB_ID()
        AND l.request_status = N'GRANT' AND l.request_session_id <> @@SPID
        AND l.resource_associated_entity_id IN (OBJECT_ID(N'dbo.DUALWRITEPROJECTFIELDCONFIGURATION'),
            OBJECT_ID(N'dbo.DUALWRITEPROJECTCONFIGURATION'), OBJECT_ID(N'dbo.BUSINESSEVENTSDEFINITION'))
    ORDER BY s.session_id;
