-- release_exclusion: give back the lock of acquire_exclusion.
-- params:  none
-- returns: one row: rs_applock int, 0 = released
-- effect:  an application lock ends
DECLARE @result int;
EXEC @result = sp_releaseapplock @Resource = N'dwclean', @LockOwner = N'Session';
SELECT @result AS rs_applock;
