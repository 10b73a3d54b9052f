-- flush_log: after COMMIT in a database whose DELAYED_DURABILITY is FORCED, where COMMIT answers before the
-- log is on disk. Every login may run it.
-- params:  none
-- returns: nothing
-- effect:  what was committed so far is on disk
EXEC sys.sp_flush_log;
