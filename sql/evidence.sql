-- evidence: one look at the server, the database and the three tables. One batch, several result sets;
-- the name of a set's first column says which it is. Names and texts come as bytes (UTF-16).
-- params:  none
-- returns: rs_identity, rs_database, rs_rights, rs_permission, rs_object, rs_column, rs_index, rs_count,
--          rs_url, rs_channel, rs_orphans, rs_partition, rs_trigger, rs_foreign_key, rs_policy,
--          rs_masked, rs_session, rs_fork, rs_restore;
--          rs_read: that question was answered, even with no row;
--          rs_fault: it was not, with the error that stood in the way
-- effect:  none. What a login may not see, or a version does not have, fails alone: it is asked in a
--          text of its own (EXEC), because an unknown name ends the batch that it stands in
DECLARE @unread int;
SET @unread = 0;

SELECT N'identity' AS rs_identity,
    CONVERT(varbinary(512), CONVERT(nvarchar(256), @@SERVERNAME)) AS server_name,
    CONVERT(varbinary(512), CONVERT(nvarchar(256), SERVERPROPERTY(N'MachineName'))) AS machine_name,
    CONVERT(varbinary(512), CONVERT(nvarchar(128), SERVERPROPERTY(N'ProductVersion'))) AS product_version,
    CONVERT(varbinary(512), CONVERT(nvarchar(128), SERVERPROPERTY(N'Edition'))) AS edition,
    CONVERT(varbinary(512), CONVERT(nvarchar(256), ORIGINAL_LOGIN())) AS login_name,
    CONVERT(varbinary(512), CONVERT(nvarchar(128), DATABASEPROPERTYEX(DB_NAME(), N'Updateability')))
        AS updateability;

SELECT N'database' AS rs_database,
    CONVERT(varbinary(512), CONVERT(nvarchar(120), d.state_desc)) AS state_desc,
    CONVERT(varbinary(512), CONVERT(nvarchar(120), d.user_access_desc)) AS user_access_desc,
    CONVERT(int, d.is_read_only) AS is_read_only,
    CONVERT(int, d.is_read_committed_snapshot_on) AS is_read_committed_snapshot_on,
    d.create_date
FROM sys.databases AS d
WHERE d.name = DB_NAME();

SELECT N'rights' AS rs_rights,
    HAS_PERMS_BY_NAME(NULL, NULL, N'VIEW SERVER STATE') AS view_server_state,
    HAS_PERMS_BY_NAME(DB_NAME(), N'DATABASE', N'VIEW DATABASE STATE') AS view_database_state,
    HAS_PERMS_BY_NAME(N'sys.sp_getapplock', N'OBJECT', N'EXECUTE') AS use_applock;

SELECT N'DUALWRITEPROJECTFIELDCONFIGURATION' AS rs_permission,
    HAS_PERMS_BY_NAME(N'dbo.DUALWRITEPROJECTFIELDCONFIGURATION', N'OBJECT', N'SELECT') AS may_select,
    HAS_PERMS_BY_NAME(N'dbo.DUALWRITEPROJECTFIELDCONFIGURATION', N'OBJECT', N'INSERT') AS may_insert,
    HAS_PERMS_BY_NAME(N'dbo.DUALWRITEPROJECTFIELDCONFIGURATION', N'OBJECT', N'DELETE') AS may_delete,
    HAS_PERMS_BY_NAME(N'dbo.DUALWRITEPROJECTFIELDCONFIGURATION', N'OBJECT', N'ALTER') AS may_alter,
    HAS_PERMS_BY_NAME(N'dbo.DUALWRITEPROJECTFIELDCONFIGURATION', N'OBJECT', N'VIEW DEFINITION')
        AS may_view_definition;
SELECT N'DUALWRITEPROJECTCONFIGURATION' AS rs_permission,
    HAS_PERMS_BY_NAME(N'dbo.DUALWRITEPROJECTCONFIGURATION', N'OBJECT', N'SELECT') AS may_select,
    HAS_PERMS_BY_NAME(N'dbo.DUALWRITEPROJECTCONFIGURATION', N'OBJECT', N'INSERT') AS may_insert,
    HAS_PERMS_BY_NAME(N'dbo.DUALWRITEPROJECTCONFIGURATION', N'OBJECT', N'DELETE') AS may_delete,
    HAS_PERMS_BY_NAME(N'dbo.DUALWRITEPROJECTCONFIGURATION', N'OBJECT', N'ALTER') AS may_alter,
    HAS_PERMS_BY_NAME(N'dbo.DUALWRITEPROJECTCONFIGURATION', N'OBJECT', N'VIEW DEFINITION')
        AS may_view_definition;
SELECT N'BUSINESSEVENTSDEFINITION' AS rs_permission,
    HAS_PERMS_BY_NAME(N'dbo.BUSINESSEVENTSDEFINITION', N'OBJECT', N'SELECT') AS may_select,
    HAS_PERMS_BY_NAME(N'dbo.BUSINESSEVENTSDEFINITION', N'OBJECT', N'INSERT') AS may_insert,
    HAS_PERMS_BY_NAME(N'dbo.BUSINESSEVENTSDEFINITION', N'OBJECT', N'DELETE') AS may_delete,
    HAS_PERMS_BY_NAME(N'dbo.BUSINESSEVENTSDEFINITION', N'OBJECT', N'ALTER') AS may_alter,
    HAS_PERMS_BY_NAME(N'dbo.BUSINESSEVENTSDEFINITION', N'OBJECT', N'VIEW DEFINITION')
        AS may_view_definition;

-- Any object under a table's name, so that a view or a synonym is seen for what it is.
SELECT CONVERT(varbinary(512), o.name) AS rs_object, CONVERT(nvarchar(4), o.type) AS object_type,
    CONVERT(int, t.temporal_type) AS temporal_type,
    CONVERT(int, t.is_memory_optimized) AS is_memory_optimized
FROM sys.objects AS o
LEFT JOIN sys.tables AS t ON t.object_id = o.object_id
WHERE o.object_id IN (OBJECT_ID(N'dbo.DUALWRITEPROJECTFIELDCONFIGURATION'),
    OBJECT_ID(N'dbo.DUALWRITEPROJECTCONFIGURATION'), OBJECT_ID(N'dbo.BUSINESSEVENTSDEFINITION'));

-- base_type is NULL for a CLR type; an alias type appears as what it stands for.
SELECT CONVERT(varbinary(512), o.name) AS rs_column, c.column_id,
    CONVERT(varbinary(512), c.name) AS column_name, CONVERT(varbinary(512), b.name) AS base_type,
    CONVERT(varbinary(512), u.name) AS user_type, c.max_length, c.precision, c.scale,
    CONVERT(varbinary(512), c.collation_name) AS collation_name, CONVERT(int, c.is_nullable) AS is_nullable,
    CONVERT(int, c.is_identity) AS is_identity, CONVERT(int, c.is_computed) AS is_computed,
    CONVERT(int, c.generated_always_type) AS generated_always_type
FROM sys.columns AS c
JOIN sys.objects AS o ON o.object_id = c.object_id
LEFT JOIN sys.types AS b ON b.user_type_id = c.system_type_id
LEFT JOIN sys.types AS u ON u.user_type_id = c.user_type_id
WHERE c.object_id IN (OBJECT_ID(N'dbo.DUALWRITEPROJECTFIELDCONFIGURATION', N'U'),
    OBJECT_ID(N'dbo.DUALWRITEPROJECTCONFIGURATION', N'U'), OBJECT_ID(N'dbo.BUSINESSEVENTSDEFINITION', N'U'))
ORDER BY c.object_id, c.column_id;

SELECT CONVERT(varbinary(512), o.name) AS rs_index, i.index_id,
    CONVERT(varbinary(512), c.name) AS column_name
FROM sys.indexes AS i
JOIN sys.objects AS o ON o.object_id = i.object_id
JOIN sys.index_columns AS k ON k.object_id = i.object_id AND k.index_id = i.index_id
JOIN sys.columns AS c ON c.object_id = k.object_id AND c.column_id = k.column_id
WHERE i.object_id IN (OBJECT_ID(N'dbo.DUALWRITEPROJECTFIELDCONFIGURATION', N'U'),
    OBJECT_ID(N'dbo.DUALWRITEPROJECTCONFIGURATION', N'U'), OBJECT_ID(N'dbo.BUSINESSEVENTSDEFINITION', N'U'))
    AND i.is_unique = 1 AND i.is_disabled = 0 AND i.has_filter = 0 AND k.key_ordinal > 0
ORDER BY i.object_id, i.index_id, k.key_ordinal;

-- Fresh counts: READCOMMITTEDLOCK waits for other sessions' open transactions, under the lock timeout.
IF OBJECT_ID(N'dbo.DUALWRITEPROJECTFIELDCONFIGURATION', N'U') IS NOT NULL
BEGIN
    BEGIN TRY
        EXEC(N'SELECT N''DUALWRITEPROJECTFIELDCONFIGURATION'' AS rs_count, CONVERT(bigint, COUNT(*)) AS row_count
FROM dbo.DUALWRITEPROJECTFIELDCONFIGURATION WITH (READCOMMITTEDLOCK);');
    END TRY
    BEGIN CATCH
        SET @unread = 1;
        SELECT N'DUALWRITEPROJECTFIELDCONFIGURATION' AS rs_fault, ERROR_NUMBER() AS number,
            ERROR_SEVERITY() AS severity, ERROR_STATE() AS state,
            CONVERT(varbinary(8000), ERROR_MESSAGE()) AS message;
    END CATCH;
END;

IF OBJECT_ID(N'dbo.DUALWRITEPROJECTCONFIGURATION', N'U') IS NOT NULL
BEGIN
    BEGIN TRY
        EXEC(N'SELECT N''DUALWRITEPROJECTCONFIGURATION'' AS rs_count, CONVERT(bigint, COUNT(*)) AS row_count
FROM dbo.DUALWRITEPROJECTCONFIGURATION WITH (READCOMMITTEDLOCK);');
        EXEC(N'SELECT N''urls'' AS rs_url, CONVERT(varbinary(8000), EXTERNALENVIRONMENTURL) AS url, STATUS AS status,
    CONVERT(bigint, COUNT(*)) AS row_count
FROM dbo.DUALWRITEPROJECTCONFIGURATION WITH (READCOMMITTEDLOCK)
GROUP BY CONVERT(varbinary(8000), EXTERNALENVIRONMENTURL), STATUS
ORDER BY CONVERT(varbinary(8000), EXTERNALENVIRONMENTURL), STATUS;');
        SELECT N'urls' AS rs_read;
    END TRY
    BEGIN CATCH
        SET @unread = 1;
        SELECT N'DUALWRITEPROJECTCONFIGURATION' AS rs_fault, ERROR_NUMBER() AS number,
            ERROR_SEVERITY() AS severity, ERROR_STATE() AS state,
            CONVERT(varbinary(8000), ERROR_MESSAGE()) AS message;
    END CATCH;
END;

IF OBJECT_ID(N'dbo.BUSINESSEVENTSDEFINITION', N'U') IS NOT NULL
BEGIN
    BEGIN TRY
        EXEC(N'SELECT N''BUSINESSEVENTSDEFINITION'' AS rs_count, CONVERT(bigint, COUNT(*)) AS row_count
FROM dbo.BUSINESSEVENTSDEFINITION WITH (READCOMMITTEDLOCK);');
        EXEC(N'SELECT N''channels'' AS rs_channel, CONVERT(varbinary(8000), CHANNEL) AS channel, DIRECTION AS direction,
    HANDLERCLASS AS handler_class, ENABLED AS enabled, CONVERT(bigint, COUNT(*)) AS row_count
FROM dbo.BUSINESSEVENTSDEFINITION WITH (READCOMMITTEDLOCK)
GROUP BY CONVERT(varbinary(8000), CHANNEL), DIRECTION, HANDLERCLASS, ENABLED
ORDER BY CONVERT(varbinary(8000), CHANNEL), DIRECTION, HANDLERCLASS, ENABLED;');
        SELECT N'channels' AS rs_read;
    END TRY
    BEGIN CATCH
        SELECT N'BUSINESSEVENTSDEFINITION' AS rs_fault, ERROR_NUMBER() AS number,
            ERROR_SEVERITY() AS severity, ERROR_STATE() AS state,
            CONVERT(varbinary(8000), ERROR_MESSAGE()) AS message;
    END CATCH;
END;

-- Project rows without their field row, and the reverse. Not asked when one of the two could not be read.
IF @unread = 0 AND OBJECT_ID(N'dbo.DUALWRITEPROJECTFIELDCONFIGURATION', N'U') IS NOT NULL
    AND OBJECT_ID(N'dbo.DUALWRITEPROJECTCONFIGURATION', N'U') IS NOT NULL
BEGIN
    BEGIN TRY
        EXEC(N'SELECT N''projects_without_fields'' AS rs_orphans, CONVERT(bigint, COUNT(*)) AS row_count
FROM dbo.DUALWRITEPROJECTCONFIGURATION AS p WITH (READCOMMITTEDLOCK)
WHERE NOT EXISTS (SELECT 1 FROM dbo.DUALWRITEPROJECTFIELDCONFIGURATION AS f WITH (READCOMMITTEDLOCK)
    WHERE f.PROJECTNAME = p.PROJECTNAME AND f.[PARTITION] = p.[PARTITION]);');
        EXEC(N'SELECT N''fields_without_project'' AS rs_orphans, CONVERT(bigint, COUNT(*)) AS row_count
FROM dbo.DUALWRITEPROJECTFIELDCONFIGURATION AS f WITH (READCOMMITTEDLOCK)
WHERE NOT EXISTS (SELECT 1 FROM dbo.DUALWRITEPROJECTCONFIGURATION AS p WITH (READCOMMITTEDLOCK)
    WHERE p.PROJECTNAME = f.PROJECTNAME AND p.[PARTITION] = f.[PARTITION]);');
    END TRY
    BEGIN CATCH
        SELECT N'orphans' AS rs_fault, ERROR_NUMBER() AS number, ERROR_SEVERITY() AS severity,
            ERROR_STATE() AS state, CONVERT(varbinary(8000), ERROR_MESSAGE()) AS message;
    END CATCH;
END;

-- A second source for the counts: row-level security does not reach it.
BEGIN TRY
    EXEC(N'SELECT CONVERT(varbinary(512), o.name) AS rs_partition, CONVERT(bigint, SUM(p.rows)) AS row_count
FROM sys.partitions AS p
JOIN sys.objects AS o ON o.object_id = p.object_id
WHERE p.object_id IN (OBJECT_ID(N''dbo.DUALWRITEPROJECTFIELDCONFIGURATION'', N''U''),
    OBJECT_ID(N''dbo.DUALWRITEPROJECTCONFIGURATION'', N''U''), OBJECT_ID(N''dbo.BUSINESSEVENTSDEFINITION'', N''U''))
    AND p.index_id IN (0, 1)
GROUP BY o.name;');
    SELECT N'partitions' AS rs_read;
END TRY
BEGIN CATCH
    SELECT N'partitions' AS rs_fault, ERROR_NUMBER() AS number, ERROR_SEVERITY() AS severity,
        ERROR_STATE() AS state, CONVERT(varbinary(8000), ERROR_MESSAGE()) AS message;
END CATCH;

BEGIN TRY
    EXEC(N'SELECT CONVERT(varbinary(512), o.name) AS rs_trigger, CONVERT(varbinary(512), t.name) AS trigger_name,
    CONVERT(int, t.is_disabled) AS is_disabled
FROM sys.triggers AS t
JOIN sys.objects AS o ON o.object_id = t.parent_id
WHERE t.parent_id IN (OBJECT_ID(N''dbo.DUALWRITEPROJECTFIELDCONFIGURATION'', N''U''),
    OBJECT_ID(N''dbo.DUALWRITEPROJECTCONFIGURATION'', N''U''), OBJECT_ID(N''dbo.BUSINESSEVENTSDEFINITION'', N''U''))
ORDER BY t.name;');
    SELECT N'triggers' AS rs_read;
END TRY
BEGIN CATCH
    SELECT N'triggers' AS rs_fault, ERROR_NUMBER() AS number, ERROR_SEVERITY() AS severity,
        ERROR_STATE() AS state, CONVERT(varbinary(8000), ERROR_MESSAGE()) AS message;
END CATCH;

-- Foreign keys of other tables that point here: they can refuse a delete, or carry it further.
BEGIN TRY
    EXEC(N'SELECT CONVERT(varbinary(512), o.name) AS rs_foreign_key, CONVERT(varbinary(512), f.name) AS foreign_key_name,
    CONVERT(int, f.is_disabled) AS is_disabled
FROM sys.foreign_keys AS f
JOIN sys.objects AS o ON o.object_id = f.referenced_object_id
WHERE f.referenced_object_id IN (OBJECT_ID(N''dbo.DUALWRITEPROJECTFIELDCONFIGURATION'', N''U''),
    OBJECT_ID(N''dbo.DUALWRITEPROJECTCONFIGURATION'', N''U''), OBJECT_ID(N''dbo.BUSINESSEVENTSDEFINITION'', N''U''))
ORDER BY f.name;');
    SELECT N'foreign_keys' AS rs_read;
END TRY
BEGIN CATCH
    SELECT N'foreign_keys' AS rs_fault, ERROR_NUMBER() AS number, ERROR_SEVERITY() AS severity,
        ERROR_STATE() AS state, CONVERT(varbinary(8000), ERROR_MESSAGE()) AS message;
END CATCH;

BEGIN TRY
    EXEC(N'SELECT CONVERT(varbinary(512), o.name) AS rs_policy, CONVERT(varbinary(512), s.name) AS policy_name,
    CASE WHEN s.is_enabled = 1 THEN 0 ELSE 1 END AS is_disabled
FROM sys.security_predicates AS p
JOIN sys.security_policies AS s ON s.object_id = p.object_id
JOIN sys.objects AS o ON o.object_id = p.target_object_id
WHERE p.target_object_id IN (OBJECT_ID(N''dbo.DUALWRITEPROJECTFIELDCONFIGURATION'', N''U''),
    OBJECT_ID(N''dbo.DUALWRITEPROJECTCONFIGURATION'', N''U''), OBJECT_ID(N''dbo.BUSINESSEVENTSDEFINITION'', N''U''))
ORDER BY s.name;');
    SELECT N'policies' AS rs_read;
END TRY
BEGIN CATCH
    SELECT N'policies' AS rs_fault, ERROR_NUMBER() AS number, ERROR_SEVERITY() AS severity,
        ERROR_STATE() AS state, CONVERT(varbinary(8000), ERROR_MESSAGE()) AS message;
END CATCH;

-- Masked columns show a login without UNMASK something else than what is stored, encrypted ones show
-- nobody what is stored: no copy of them is one.
BEGIN TRY
    EXEC(N'SELECT CONVERT(varbinary(512), o.name) AS rs_masked, CONVERT(varbinary(512), c.name) AS column_name,
    CASE WHEN c.is_masked = 1 AND c.encryption_type IS NULL
        THEN HAS_PERMS_BY_NAME(DB_NAME(), N''DATABASE'', N''UNMASK'') ELSE 0 END AS may_see
FROM sys.columns AS c
JOIN sys.objects AS o ON o.object_id = c.object_id
WHERE c.object_id IN (OBJECT_ID(N''dbo.DUALWRITEPROJECTFIELDCONFIGURATION'', N''U''),
    OBJECT_ID(N''dbo.DUALWRITEPROJECTCONFIGURATION'', N''U''), OBJECT_ID(N''dbo.BUSINESSEVENTSDEFINITION'', N''U''))
    AND (c.is_masked = 1 OR c.encryption_type IS NOT NULL);');
    SELECT N'masked' AS rs_read;
END TRY
BEGIN CATCH
    SELECT N'masked' AS rs_fault, ERROR_NUMBER() AS number, ERROR_SEVERITY() AS severity,
        ERROR_STATE() AS state, CONVERT(varbinary(8000), ERROR_MESSAGE()) AS message;
END CATCH;

-- Without the right the view does not fail, it shows one's own session only. VIEW DATABASE STATE is
-- enough on Azure SQL Database (engine edition 5) alone.
IF HAS_PERMS_BY_NAME(NULL, NULL, N'VIEW SERVER STATE') = 1
    OR (CONVERT(int, SERVERPROPERTY(N'EngineEdition')) = 5
        AND HAS_PERMS_BY_NAME(DB_NAME(), N'DATABASE', N'VIEW DATABASE STATE') = 1)
BEGIN
    BEGIN TRY
        EXEC(N'SELECT N''sessions'' AS rs_session, CONVERT(varbinary(512), s.program_name) AS program_name,
    CONVERT(varbinary(512), s.host_name) AS host_name, CONVERT(bigint, COUNT(*)) AS session_count
FROM sys.dm_exec_sessions AS s
WHERE s.is_user_process = 1 AND s.database_id = DB_ID() AND s.session_id <> @@SPID
GROUP BY s.program_name, s.host_name;');
        SELECT N'sessions' AS rs_read;
    END TRY
    BEGIN CATCH
        SELECT N'sessions' AS rs_fault, ERROR_NUMBER() AS number, ERROR_SEVERITY() AS severity,
            ERROR_STATE() AS state, CONVERT(varbinary(8000), ERROR_MESSAGE()) AS message;
    END CATCH;
END;

-- Restored from what and when. A restore begins a new recovery fork.
BEGIN TRY
    EXEC(N'SELECT N''fork'' AS rs_fork, r.recovery_fork_guid
FROM sys.database_recovery_status AS r
WHERE r.database_id = DB_ID();');
    SELECT N'fork' AS rs_read;
END TRY
BEGIN CATCH
    SELECT N'fork' AS rs_fault, ERROR_NUMBER() AS number, ERROR_SEVERITY() AS severity,
        ERROR_STATE() AS state, CONVERT(varbinary(8000), ERROR_MESSAGE()) AS message;
END CATCH;

BEGIN TRY
    EXEC(N'SELECT TOP (1) N''restore'' AS rs_restore, h.restore_date,
    CONVERT(varbinary(512), b.server_name) AS source_server,
    CONVERT(varbinary(512), b.database_name) AS source_database, b.backup_finish_date
FROM msdb.dbo.restorehistory AS h
LEFT JOIN msdb.dbo.backupset AS b ON b.backup_set_id = h.backup_set_id
WHERE h.destination_database_name = DB_NAME()
ORDER BY h.restore_date DESC, h.restore_history_id DESC;');
    SELECT N'restore' AS rs_read;
END TRY
BEGIN CATCH
    SELECT N'restore' AS rs_fault, ERROR_NUMBER() AS number, ERROR_SEVERITY() AS severity,
        ERROR_STATE() AS state, CONVERT(varbinary(8000), ERROR_MESSAGE()) AS message;
END CATCH;
