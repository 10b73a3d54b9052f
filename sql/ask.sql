-- ask: one question of catalog.sql or evidence.sql inside a batch of several. It stands in a text of its
-- own (EXEC), because an unknown name ends the batch that it stands in, and what it cannot answer is told.
-- params:  $(name)       the question's name
--          $(condition)  what must have been answered before: IF ..., or nothing
--          $(text)       its text, quotes doubled
-- returns: what the question returns; then rs_read, its name, or rs_fault with the error in the way
-- effect:  none of its own; @unread, which the batch declares, holds the names that were not answered
$(condition)
BEGIN
    BEGIN TRY
        EXEC(N'$(text)');
        SELECT N'$(name)' AS rs_read;
    END TRY
    BEGIN CATCH
        SET @unread = @unread + N',$(name),';
        SELECT N'$(name)' AS rs_fault, ERROR_NUMBER() AS number, ERROR_SEVERITY() AS severity,
            ERROR_STATE() AS state, CONVERT(varbinary(8000), ERROR_MESSAGE()) AS message;
    END CATCH;
END;
