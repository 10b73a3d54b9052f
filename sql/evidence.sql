-- evidence: one look at the server, the database and the rows of the three tables. A line that begins with
-- --? starts a question (see ask.sql); sent behind the questions of catalog.sql as one batch with them, and
-- where an engine does not take that batch, each alone. Several result sets; the name of a set's first
-- column says which it is. Names and texts come as bytes.
-- params:  none
-- returns: rs_identity, rs_updateability, rs_database, rs_durability, rs_outgoing, rs_applock_right,
--          rs_count, rs_url, rs_channel, rs_orphans, rs_partition, rs_sessions_shown, rs_session, rs_fork, rs_restore
-- effect:  none. What a login may not see, or a version does not have, fails alone

--? identity required
SELECT N'identity' AS rs_identity,
    CONVERT(varbinary(512), CONVERT(nvarchar(256), @@SERVERNAME)) AS server_name,
    CONVERT(varbinary(512), CONVERT(nvarchar(256), SERVERPROPERTY(N'MachineName'))) AS machine_name,
    CONVERT(varbinary(512), CONVERT(nvarchar(128), SERVERPROPERTY(N'ProductVersion'))) AS product_version,
    CONVERT(varbinary(512), CONVERT(nvarchar(128), SERVERPROPERTY(N'Edition'))) AS edition,
    CONVERT(varbinary(512), CONVERT(nvarchar(256), ORIGINAL_LOGIN())) AS login_name,
    CONVERT(varbinary(512), CONVERT(nvarchar(256), USER_NAME())) AS user_name;

-- A read-only replica answers READ_ONLY while its database is not.
--? updateability
SELECT CONVERT(varbinary(512), CONVERT(nvarchar(128), DATABASEPROPERTYEX(DB_NAME(), N'Updateability')))
    AS rs_updateability;

--? database
SELECT N'database' AS rs_database,
    CONVERT(varbinary(512), CONVERT(nvarchar(120), d.state_desc)) AS state_desc,
    CONVERT(varbinary(512), CONVERT(nvarchar(120), d.user_access_desc)) AS user_access_desc,
    CONVERT(int, d.is_read_only) AS is_read_only,
    CONVERT(int, d.is_read_committed_snapshot_on) AS is_read_committed_snapshot_on,
    d.create_date
FROM sys.databases AS d
WHERE d.name = DB_NAME();

-- Its own question: before SQL Server 2014 there is no such column.
--? durability
SELECT CONVERT(varbinary(512), CONVERT(nvarchar(120), d.delayed_durability_desc)) AS rs_durability
FROM sys.databases AS d
WHERE d.name = DB_NAME();

-- What the tables themselves must satisfy: rows that go back are refused when the row that a foreign key
-- points at is gone, or when a constraint that was added without a look at them does not let them in.
--? outgoing
SELECT CONVERT(varbinary(512), CONVERT(nvarchar(128), o.name)) AS rs_outgoing,
    CONVERT(varbinary(512), CONVERT(nvarchar(128), f.name)) AS constraint_name,
    CONVERT(int, f.is_disabled) AS is_disabled
FROM sys.foreign_keys AS f
JOIN sys.objects AS o ON o.object_id = f.parent_object_id
WHERE f.parent_object_id IN (OBJECT_ID(N'dbo.DUALWRITEPROJECTFIELDCONFIGURATION', N'U'),
    OBJECT_ID(N'dbo.DUALWRITEPROJECTCONFIGURATION', N'U'), OBJECT_ID(N'dbo.BUSINESSEVENTSDEFINITION', N'U'))
ORDER BY f.name;
SELECT CONVERT(varbinary(512), CONVERT(nvarchar(128), o.name)) AS rs_outgoing,
    CONVERT(varbinary(512), CONVERT(nvarchar(128), k.name)) AS constraint_name,
    CONVERT(int, k.is_disabled) AS is_disabled
FROM sys.check_constraints AS k
JOIN sys.objects AS o ON o.object_id = k.parent_object_id
WHERE k.parent_object_id IN (OBJECT_ID(N'dbo.DUALWRITEPROJECTFIELDCONFIGURATION', N'U'),
    OBJECT_ID(N'dbo.DUALWRITEPROJECTCONFIGURATION', N'U'), OBJECT_ID(N'dbo.BUSINESSEVENTSDEFINITION', N'U'))
ORDER BY k.name;

--? applock
SELECT HAS_PERMS_BY_NAME(N'sys.sp_getapplock', N'OBJECT', N'EXECUTE') AS rs_applock_right;

-- Fresh counts: READCOMMITTEDLOCK waits for other sessions' open transactions, under the lock timeout.
--? field
IF OBJECT_ID(N'dbo.DUALWRITEPROJECTFIELDCONFIGURATION', N'U') IS NOT NULL
    SELECT N'DUALWRITEPROJECTFIELDCONFIGURATION' AS rs_count, CONVERT(bigint, COUNT(*)) AS row_count
    FROM dbo.DUALWRITEPROJECTFIELDCONFIGURATION WITH (READCOMMITTEDLOCK);

--? project
IF OBJECT_ID(N'dbo.DUALWRITEPROJECTCONFIGURATION', N'U') IS NOT NULL
    SELECT N'DUALWRITEPROJECTCONFIGURATION' AS rs_count, CONVERT(bigint, COUNT(*)) AS row_count
    FROM dbo.DUALWRITEPROJECTCONFIGURATION WITH (READCOMMITTEDLOCK);

-- A STATUS or flag that is no number leaves its groups unknown: text is never read as text.
--? urls after project
IF OBJECT_ID(N'dbo.DUALWRITEPROJECTCONFIGURATION', N'U') IS NOT NULL
BEGIN
    SELECT N'urls' AS rs_url, CONVERT(varbinary(8000), r.EXTERNALENVIRONMENTURL) AS url,
        CONVERT(bigint, r.STATUS) AS status, CONVERT(bigint, COUNT(*)) AS row_count
    FROM dbo.DUALWRITEPROJECTCONFIGURATION AS r WITH (READCOMMITTEDLOCK)
    GROUP BY CONVERT(varbinary(8000), r.EXTERNALENVIRONMENTURL), r.STATUS
    ORDER BY CONVERT(varbinary(8000), r.EXTERNALENVIRONMENTURL), r.STATUS;
    SELECT N'urls' AS rs_grouped;
END;

--? events
IF OBJECT_ID(N'dbo.BUSINESSEVENTSDEFINITION', N'U') IS NOT NULL
    SELECT N'BUSINESSEVENTSDEFINITION' AS rs_count, CONVERT(bigint, COUNT(*)) AS row_count
    FROM dbo.BUSINESSEVENTSDEFINITION WITH (READCOMMITTEDLOCK);

--? channels after events
IF OBJECT_ID(N'dbo.BUSINESSEVENTSDEFINITION', N'U') IS NOT NULL
BEGIN
    SELECT N'channels' AS rs_channel, CONVERT(varbinary(8000), r.CHANNEL) AS channel,
        CONVERT(bigint, r.DIRECTION) AS direction, CONVERT(bigint, r.HANDLERCLASS) AS handler_class,
        CONVERT(bigint, r.ENABLED) AS enabled, CONVERT(bigint, COUNT(*)) AS row_count
    FROM dbo.BUSINESSEVENTSDEFINITION AS r WITH (READCOMMITTEDLOCK)
    GROUP BY CONVERT(varbinary(8000), r.CHANNEL), r.DIRECTION, r.HANDLERCLASS, r.ENABLED
    ORDER BY CONVERT(varbinary(8000), r.CHANNEL), r.DIRECTION, r.HANDLERCLASS, r.ENABLED;
    SELECT N'channels' AS rs_grouped;
END;

-- Project rows without their field row, and the reverse.
--? orphans after field project
IF OBJECT_ID(N'dbo.DUALWRITEPROJECTFIELDCONFIGURATION', N'U') IS NOT NULL
    AND OBJECT_ID(N'dbo.DUALWRITEPROJECTCONFIGURATION', N'U') IS NOT NULL
BEGIN
    SELECT N'projects_without_fields' AS rs_orphans, CONVERT(bigint, COUNT(*)) AS row_count
    FROM dbo.DUALWRITEPROJECTCONFIGURATION AS p WITH (READCOMMITTEDLOCK)
    WHERE NOT EXISTS (SELECT 1 FROM dbo.DUALWRITEPROJECTFIELDCONFIGURATION AS f WITH (READCOMMITTEDLOCK)
        WHERE f.PROJECTNAME = p.PROJECTNAME AND f.[PARTITION] = p.[PARTITION]);
    SELECT N'fields_without_project' AS rs_orphans, CONVERT(bigint, COUNT(*)) AS row_count
    FROM dbo.DUALWRITEPROJECTFIELDCONFIGURATION AS f WITH (READCOMMITTEDLOCK)
    WHERE NOT EXISTS (SELECT 1 FROM dbo.DUALWRITEPROJECTCONFIGURATION AS p WITH (READCOMMITTEDLOCK)
        WHERE p.PROJECTNAME = f.PROJECTNAME AND p.[PARTITION] = f.[PARTITION]);
END;

-- A second source for the counts: row-level security does not reach it.
--? partitions
SELECT CONVERT(varbinary(512), CONVERT(nvarchar(128), o.name)) AS rs_partition,
    CONVERT(bigint, SUM(p.rows)) AS row_count
FROM sys.partitions AS p
JOIN sys.objects AS o ON o.object_id = p.object_id
WHERE p.object_id IN (OBJECT_ID(N'dbo.DUALWRITEPROJECTFIELDCONFIGURATION', N'U'),
    OBJECT_ID(N'dbo.DUALWRITEPROJECTCONFIGURATION', N'U'), OBJECT_ID(N'dbo.BUSINESSEVENTSDEFINITION', N'U'))
    AND p.index_id IN (0, 1)
GROUP BY o.name;

-- Without the right the view does not fail, it shows one's own session only. VIEW DATABASE STATE is
-- enough on Azure SQL Database (engine edition 5) alone, and not in all of its tiers: sys.dm_exec_connections
-- fails where sys.dm_exec_sessions would only hide.
--? sessions
IF HAS_PERMS_BY_NAME(NULL, NULL, N'VIEW SERVER STATE') = 1
    OR (CONVERT(int, SERVERPROPERTY(N'EngineEdition')) = 5
        AND HAS_PERMS_BY_NAME(QUOTENAME(DB_NAME()), N'DATABASE', N'VIEW DATABASE STATE') = 1)
BEGIN
    SELECT N'sessions' AS rs_session, CONVERT(varbinary(512), s.program_name) AS program_name,
        CONVERT(varbinary(512), s.host_name) AS host_name, CONVERT(bigint, COUNT(*)) AS session_count
    FROM sys.dm_exec_sessions AS s
    WHERE s.is_user_process = 1 AND s.database_id = DB_ID() AND s.session_id <> @@SPID
        AND EXISTS (SELECT 1 FROM sys.dm_exec_connections)
    GROUP BY s.program_name, s.host_name;
    SELECT N'sessions' AS rs_sessions_shown;
END;

-- Restored from what and when. A restore begins a new recovery fork.
--? fork
SELECT N'fork' AS rs_fork, r.recovery_fork_guid
FROM sys.database_recovery_status AS r
WHERE r.database_id = DB_ID();

--? restore
SELECT TOP (1) N'restore' AS rs_restore, h.restore_date,
    CONVERT(varbinary(512), b.server_name) AS source_server,
    CONVERT(varbinary(512), b.database_name) AS source_database, b.backup_finish_date
FROM msdb.dbo.restorehistory AS h
LEFT JOIN msdb.dbo.backupset AS b ON b.backup_set_id = h.backup_set_id
WHERE h.destination_database_name = DB_NAME()
ORDER BY h.restore_date DESC, h.restore_history_id DESC;
