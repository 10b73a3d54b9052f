-- catalog: what the three tables are, and what would run or interfere with a delete. A line that begins
-- with --? starts a question: each is asked in a text of its own (ask.sql), so that what an engine lacks
-- leaves the others answered; under the locks of begin_locked those that were answered before are asked
-- as they stand, since there any error would undo the transaction (XACT_ABORT). Names come as bytes.
-- params:  none
-- returns: rs_object, rs_kind, rs_column, rs_index, rs_permission, rs_trigger, rs_foreign_key, rs_policy,
--          rs_masked
-- effect:  none

-- Any object under a table's name, so that a view or a synonym is seen for what it is.
--? objects required
SELECT CONVERT(varbinary(512), CONVERT(nvarchar(128), o.name)) AS rs_object,
    CONVERT(nvarchar(4), o.type) AS object_type
FROM sys.objects AS o
WHERE o.object_id IN (OBJECT_ID(N'dbo.DUALWRITEPROJECTFIELDCONFIGURATION'),
    OBJECT_ID(N'dbo.DUALWRITEPROJECTCONFIGURATION'), OBJECT_ID(N'dbo.BUSINESSEVENTSDEFINITION'));

--? kinds
SELECT CONVERT(varbinary(512), CONVERT(nvarchar(128), t.name)) AS rs_kind,
    CONVERT(int, t.temporal_type) AS temporal_type,
    CONVERT(int, t.is_memory_optimized) AS is_memory_optimized
FROM sys.tables AS t
WHERE t.object_id IN (OBJECT_ID(N'dbo.DUALWRITEPROJECTFIELDCONFIGURATION', N'U'),
    OBJECT_ID(N'dbo.DUALWRITEPROJECTCONFIGURATION', N'U'), OBJECT_ID(N'dbo.BUSINESSEVENTSDEFINITION', N'U'));

-- base_type is NULL for a CLR type and for vector, which has the number of varbinary; an alias type appears as what it stands for.
--? columns required
SELECT CONVERT(varbinary(512), CONVERT(nvarchar(128), o.name)) AS rs_column, c.column_id,
    CONVERT(varbinary(512), CONVERT(nvarchar(128), c.name)) AS column_name,
    CASE WHEN u.name = N'vector' THEN NULL
        ELSE CONVERT(varbinary(512), CONVERT(nvarchar(128), b.name)) END AS base_type,
    CONVERT(varbinary(512), CONVERT(nvarchar(128), u.name)) AS user_type, c.max_length, c.precision, c.scale,
    CONVERT(varbinary(512), CONVERT(nvarchar(128), c.collation_name)) AS collation_name,
    CONVERT(int, c.is_nullable) AS is_nullable,
    CONVERT(int, c.is_identity) AS is_identity, CONVERT(int, c.is_computed) AS is_computed,
    CONVERT(int, c.generated_always_type) AS generated_always_type
FROM sys.columns AS c
JOIN sys.objects AS o ON o.object_id = c.object_id
LEFT JOIN sys.types AS b ON b.user_type_id = c.system_type_id
LEFT JOIN sys.types AS u ON u.user_type_id = c.user_type_id
WHERE c.object_id IN (OBJECT_ID(N'dbo.DUALWRITEPROJECTFIELDCONFIGURATION', N'U'),
    OBJECT_ID(N'dbo.DUALWRITEPROJECTCONFIGURATION', N'U'), OBJECT_ID(N'dbo.BUSINESSEVENTSDEFINITION', N'U'))
ORDER BY c.object_id, c.column_id;

--? indexes
SELECT CONVERT(varbinary(512), CONVERT(nvarchar(128), o.name)) AS rs_index, i.index_id,
    CONVERT(varbinary(512), CONVERT(nvarchar(128), c.name)) AS column_name
FROM sys.indexes AS i
JOIN sys.objects AS o ON o.object_id = i.object_id
JOIN sys.index_columns AS k ON k.object_id = i.object_id AND k.index_id = i.index_id
JOIN sys.columns AS c ON c.object_id = k.object_id AND c.column_id = k.column_id
WHERE i.object_id IN (OBJECT_ID(N'dbo.DUALWRITEPROJECTFIELDCONFIGURATION', N'U'),
    OBJECT_ID(N'dbo.DUALWRITEPROJECTCONFIGURATION', N'U'), OBJECT_ID(N'dbo.BUSINESSEVENTSDEFINITION', N'U'))
    AND i.is_unique = 1 AND i.is_disabled = 0 AND i.is_hypothetical = 0 AND i.has_filter = 0 AND k.key_ordinal > 0
ORDER BY i.object_id, i.index_id, k.key_ordinal;

-- VIEW DEFINITION on a table shows its triggers; the foreign keys of other tables that point at it, and
-- security policies, are objects of their own: only the right on the whole database shows all of them.
--? permissions
SELECT N'DUALWRITEPROJECTFIELDCONFIGURATION' AS rs_permission,
    HAS_PERMS_BY_NAME(N'dbo.DUALWRITEPROJECTFIELDCONFIGURATION', N'OBJECT', N'SELECT') AS may_select,
    HAS_PERMS_BY_NAME(N'dbo.DUALWRITEPROJECTFIELDCONFIGURATION', N'OBJECT', N'INSERT') AS may_insert,
    HAS_PERMS_BY_NAME(N'dbo.DUALWRITEPROJECTFIELDCONFIGURATION', N'OBJECT', N'DELETE') AS may_delete,
    HAS_PERMS_BY_NAME(N'dbo.DUALWRITEPROJECTFIELDCONFIGURATION', N'OBJECT', N'ALTER') AS may_alter,
    HAS_PERMS_BY_NAME(N'dbo.DUALWRITEPROJECTFIELDCONFIGURATION', N'OBJECT', N'VIEW DEFINITION')
        AS may_view_definition,
    HAS_PERMS_BY_NAME(QUOTENAME(DB_NAME()), N'DATABASE', N'VIEW DEFINITION') AS may_view_definitions;
SELECT N'DUALWRITEPROJECTCONFIGURATION' AS rs_permission,
    HAS_PERMS_BY_NAME(N'dbo.DUALWRITEPROJECTCONFIGURATION', N'OBJECT', N'SELECT') AS may_select,
    HAS_PERMS_BY_NAME(N'dbo.DUALWRITEPROJECTCONFIGURATION', N'OBJECT', N'INSERT') AS may_insert,
    HAS_PERMS_BY_NAME(N'dbo.DUALWRITEPROJECTCONFIGURATION', N'OBJECT', N'DELETE') AS may_delete,
    HAS_PERMS_BY_NAME(N'dbo.DUALWRITEPROJECTCONFIGURATION', N'OBJECT', N'ALTER') AS may_alter,
    HAS_PERMS_BY_NAME(N'dbo.DUALWRITEPROJECTCONFIGURATION', N'OBJECT', N'VIEW DEFINITION')
        AS may_view_definition,
    HAS_PERMS_BY_NAME(QUOTENAME(DB_NAME()), N'DATABASE', N'VIEW DEFINITION') AS may_view_definitions;
SELECT N'BUSINESSEVENTSDEFINITION' AS rs_permission,
    HAS_PERMS_BY_NAME(N'dbo.BUSINESSEVENTSDEFINITION', N'OBJECT', N'SELECT') AS may_select,
    HAS_PERMS_BY_NAME(N'dbo.BUSINESSEVENTSDEFINITION', N'OBJECT', N'INSERT') AS may_insert,
    HAS_PERMS_BY_NAME(N'dbo.BUSINESSEVENTSDEFINITION', N'OBJECT', N'DELETE') AS may_delete,
    HAS_PERMS_BY_NAME(N'dbo.BUSINESSEVENTSDEFINITION', N'OBJECT', N'ALTER') AS may_alter,
    HAS_PERMS_BY_NAME(N'dbo.BUSINESSEVENTSDEFINITION', N'OBJECT', N'VIEW DEFINITION')
        AS may_view_definition,
    HAS_PERMS_BY_NAME(QUOTENAME(DB_NAME()), N'DATABASE', N'VIEW DEFINITION') AS may_view_definitions;

--? triggers
SELECT CONVERT(varbinary(512), CONVERT(nvarchar(128), o.name)) AS rs_trigger,
    CONVERT(varbinary(512), CONVERT(nvarchar(128), t.name)) AS trigger_name,
    CONVERT(int, t.is_disabled) AS is_disabled
FROM sys.triggers AS t
JOIN sys.objects AS o ON o.object_id = t.parent_id
WHERE t.parent_id IN (OBJECT_ID(N'dbo.DUALWRITEPROJECTFIELDCONFIGURATION', N'U'),
    OBJECT_ID(N'dbo.DUALWRITEPROJECTCONFIGURATION', N'U'), OBJECT_ID(N'dbo.BUSINESSEVENTSDEFINITION', N'U'))
ORDER BY t.name;

-- Foreign keys of other tables that point here: they can refuse a delete, or carry it further.
--? foreign-keys
SELECT CONVERT(varbinary(512), CONVERT(nvarchar(128), o.name)) AS rs_foreign_key,
    CONVERT(varbinary(512), CONVERT(nvarchar(128), f.name)) AS foreign_key_name,
    CONVERT(int, f.is_disabled) AS is_disabled
FROM sys.foreign_keys AS f
JOIN sys.objects AS o ON o.object_id = f.referenced_object_id
WHERE f.referenced_object_id IN (OBJECT_ID(N'dbo.DUALWRITEPROJECTFIELDCONFIGURATION', N'U'),
    OBJECT_ID(N'dbo.DUALWRITEPROJECTCONFIGURATION', N'U'), OBJECT_ID(N'dbo.BUSINESSEVENTSDEFINITION', N'U'))
ORDER BY f.name;

--? policies
SELECT CONVERT(varbinary(512), CONVERT(nvarchar(128), o.name)) AS rs_policy,
    CONVERT(varbinary(512), CONVERT(nvarchar(128), s.name)) AS policy_name,
    CASE WHEN s.is_enabled = 1 THEN 0 ELSE 1 END AS is_disabled
FROM sys.security_predicates AS p
JOIN sys.security_policies AS s ON s.object_id = p.object_id
JOIN sys.objects AS o ON o.object_id = p.target_object_id
WHERE p.target_object_id IN (OBJECT_ID(N'dbo.DUALWRITEPROJECTFIELDCONFIGURATION', N'U'),
    OBJECT_ID(N'dbo.DUALWRITEPROJECTCONFIGURATION', N'U'), OBJECT_ID(N'dbo.BUSINESSEVENTSDEFINITION', N'U'))
ORDER BY s.name;

-- Masked columns show a login without UNMASK something else than what is stored, encrypted ones show
-- nobody what is stored: no copy of them is one.
--? masks
SELECT CONVERT(varbinary(512), CONVERT(nvarchar(128), o.name)) AS rs_masked,
    CONVERT(varbinary(512), CONVERT(nvarchar(128), c.name)) AS column_name,
    CASE WHEN c.is_masked = 1 AND c.encryption_type IS NULL
        THEN HAS_PERMS_BY_NAME(QUOTENAME(DB_NAME()), N'DATABASE', N'UNMASK') ELSE 0 END AS may_see
FROM sys.columns AS c
JOIN sys.objects AS o ON o.object_id = c.object_id
WHERE c.object_id IN (OBJECT_ID(N'dbo.DUALWRITEPROJECTFIELDCONFIGURATION', N'U'),
    OBJECT_ID(N'dbo.DUALWRITEPROJECTCONFIGURATION', N'U'), OBJECT_ID(N'dbo.BUSINESSEVENTSDEFINITION', N'U'))
    AND (c.is_masked = 1 OR c.encryption_type IS NOT NULL);
