-- What is queued wakes the one pump that sends it: ten pumps that look each time a journey queues a mail cost more than the mail.
DROP TRIGGER wake_dispatch ON messages;
CREATE FUNCTION eventos_wake_pumps() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('eventos_messages_' || channel || CASE WHEN rehearsal THEN '_rehearsal' ELSE '' END, '')
    FROM (SELECT DISTINCT channel, rehearsal FROM queued) pumps;
    RETURN NULL;
END $$;
CREATE TRIGGER wake_dispatch AFTER INSERT ON messages REFERENCING NEW TABLE AS queued
    FOR EACH STATEMENT EXECUTE FUNCTION eventos_wake_pumps();
