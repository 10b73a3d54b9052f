-- acquire_exclusion: one run at a time on this database; held by the session until released or closed.
-- params:  none
-- returns: one row: rs_applock int, 0 or 1 granted, -1 held by another session
-- effect:  an application lock
DECLARE @result int;
EXEC @result = sp_getapplock @Resource = N'dwclean', @LockMode = N'Exclusive', @LockOwner = N'Session',
    @LockTimeout = 0;
SELECT @result AS rs_applock;
