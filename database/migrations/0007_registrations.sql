-- Occurrences of registrations, one INSERT per statement: 5,000 registrations are one.

ALTER TABLE registrations
    ADD COLUMN IF NOT EXISTS checked_in_at TIMESTAMPTZ,
    ADD COLUMN IF NOT EXISTS interests TEXT[] NOT NULL DEFAULT '{}';

CREATE FUNCTION eventos_registrations_added() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO occurrences (kind, rehearsal, event_id, subject, lane, data, occurred_at)
    SELECT 'registration_confirmed', e.rehearsal_of IS NOT NULL, e.id, 'registration/' || n.id, 1,
           jsonb_build_object('registration', n.id, 'status', n.status), coalesce(e.clock_now, now())
    FROM added n JOIN events e ON e.id = n.event_id WHERE n.status = 'confirmed' ORDER BY n.id;
    RETURN NULL;
END $$;
CREATE TRIGGER registrations_added AFTER INSERT ON registrations REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION eventos_registrations_added();

CREATE FUNCTION eventos_registrations_changed() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO occurrences (kind, rehearsal, event_id, subject, lane, data, occurred_at)
    SELECT CASE WHEN n.status = 'confirmed' THEN 'registration_confirmed' ELSE 'registration_cancelled' END,
           e.rehearsal_of IS NOT NULL, e.id, 'registration/' || n.id, 1,
           jsonb_build_object('registration', n.id, 'status', n.status), coalesce(e.clock_now, now())
    FROM after n JOIN before o ON o.id = n.id JOIN events e ON e.id = n.event_id
    WHERE n.status IS DISTINCT FROM o.status AND 'confirmed' IN (n.status, o.status) ORDER BY n.id;
    INSERT INTO occurrences (kind, rehearsal, event_id, subject, lane, data, occurred_at)
    SELECT 'checked_in', e.rehearsal_of IS NOT NULL, e.id, 'registration/' || n.id, 1,
           jsonb_build_object('registration', n.id), coalesce(e.clock_now, now())
    FROM after n JOIN before o ON o.id = n.id JOIN events e ON e.id = n.event_id
    WHERE n.checked_in_at IS NOT NULL AND o.checked_in_at IS NULL ORDER BY n.id;
    RETURN NULL;
END $$;
CREATE TRIGGER registrations_changed AFTER UPDATE ON registrations REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION eventos_registrations_changed();
