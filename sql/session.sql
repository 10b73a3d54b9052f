-- session: the options of a new connection. Sent alone and first, because some of them act when the
-- next batch is parsed; prove.sql reads back what it can. A db-lib login starts with ANSI options off and
-- a TEXTSIZE of 4096, which cuts long values without a word. An engine that does not know one of them
-- refuses the batch: then each is sent alone, and only those under "required" must succeed.
-- params:  $(lock_timeout_ms)  how long a statement waits for a lock
-- returns: nothing
-- effect:  session options only

-- These prove.sql judges.
--? proven
SET QUOTED_IDENTIFIER ON;
SET ANSI_NULLS ON;
SET ANSI_PADDING ON;
SET ANSI_WARNINGS ON;
SET CONCAT_NULL_YIELDS_NULL ON;
SET ARITHABORT ON;
SET NUMERIC_ROUNDABORT OFF;
SET XACT_ABORT ON;
SET IMPLICIT_TRANSACTIONS OFF;
SET NOCOUNT ON;
SET TEXTSIZE 2147483647;
SET LOCK_TIMEOUT $(lock_timeout_ms);

-- These nobody can read back.
--? limits required
SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
SET ROWCOUNT 0;

-- Courtesy to other sessions, and the language of messages; our literals mean the same in any.
--? wishes
SET DEADLOCK_PRIORITY LOW;
SET LANGUAGE us_english;
SET DATEFORMAT ymd; -- after SET LANGUAGE, which changes it
