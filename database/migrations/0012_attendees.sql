-- Attendees: what becomes of a registration reaches its automation, and whoever is coming hears of a move or a cancellation.

ALTER TABLE organizers
    -- whether attendees are told that an event was moved or cancelled
    ADD COLUMN event_moved_notice BOOLEAN NOT NULL DEFAULT TRUE,
    ADD COLUMN event_cancelled_notice BOOLEAN NOT NULL DEFAULT TRUE;

ALTER TABLE automation_workflows
    -- why it was cancelled; its steps that have not begun are journalled as skipped for this reason
    ADD COLUMN cancelled_because TEXT;

-- The dates that an event had before each move: whoever was told of them hears of another date only if it is another one.
CREATE TABLE event_dates (
    event_id UUID NOT NULL REFERENCES events(id) ON DELETE CASCADE,
    date_revision INTEGER NOT NULL,
    starts_at TIMESTAMPTZ,
    ends_at TIMESTAMPTZ,
    PRIMARY KEY (event_id, date_revision)
);
CREATE FUNCTION eventos_event_dates() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO event_dates (event_id, date_revision, starts_at, ends_at)
    VALUES (OLD.id, OLD.date_revision, OLD.starts_at, OLD.ends_at) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER event_dates AFTER UPDATE ON events FOR EACH ROW
    WHEN (NEW.date_revision IS DISTINCT FROM OLD.date_revision) EXECUTE FUNCTION eventos_event_dates();

-- Copying an event into a rehearsal is no registration: what is copied begins when the copy is published.
CREATE OR REPLACE FUNCTION eventos_registrations_added() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO occurrences (kind, rehearsal, event_id, subject, lane, data, occurred_at)
    SELECT 'registration_confirmed', e.rehearsal_of IS NOT NULL, e.id, 'registration/' || n.id, 1,
           jsonb_build_object('registration', n.id, 'status', n.status), coalesce(e.clock_now, now())
    FROM added n JOIN events e ON e.id = n.event_id
    WHERE n.status = 'confirmed' AND NOT (e.rehearsal_of IS NOT NULL AND e.status = 'draft') ORDER BY n.id;
    RETURN NULL;
END $$;

-- A registration that is cancelled ends its automation here and now, so that one made again at once begins a new generation.
CREATE OR REPLACE FUNCTION eventos_registrations_changed() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    WITH ended AS (
        UPDATE automation_workflows a
        SET status = 'cancelled', cancelled_because = 'the registration was cancelled', updated_at = now()
        FROM after n JOIN before o ON o.id = n.id
        WHERE o.status = 'confirmed' AND n.status IS DISTINCT FROM 'confirmed'
          AND a.workflow_type = 'attendee_nurture' AND a.subject_id = n.id AND a.status IN ('pending', 'active', 'paused')
        RETURNING a.id, a.subject_id
    ), dropped AS (
        UPDATE messages m SET release_at = least(m.release_at, eventos_now(m.event_id))
        FROM ended JOIN workflow_execution_logs l ON l.workflow_id = ended.id
        WHERE m.log_id = l.id AND m.status = 'queued'
    )
    INSERT INTO occurrences (kind, rehearsal, event_id, automation_id, subject, lane, data, occurred_at)
    SELECT CASE WHEN n.status = 'confirmed' THEN 'registration_confirmed' ELSE 'registration_cancelled' END,
           e.rehearsal_of IS NOT NULL, e.id, ended.id, 'registration/' || n.id, 1,
           jsonb_build_object('registration', n.id, 'status', n.status), coalesce(e.clock_now, now())
    FROM after n JOIN before o ON o.id = n.id JOIN events e ON e.id = n.event_id LEFT JOIN ended ON ended.subject_id = n.id
    WHERE n.status IS DISTINCT FROM o.status AND 'confirmed' IN (n.status, o.status) ORDER BY n.id;

    INSERT INTO occurrences (kind, rehearsal, event_id, automation_id, subject, lane, data, occurred_at)
    SELECT 'checked_in', e.rehearsal_of IS NOT NULL, e.id, a.id, 'registration/' || n.id, 1,
           jsonb_build_object('registration', n.id), coalesce(e.clock_now, now())
    FROM after n JOIN before o ON o.id = n.id JOIN events e ON e.id = n.event_id
    LEFT JOIN automation_workflows a ON a.workflow_type = 'attendee_nurture' AND a.subject_id = n.id
          AND a.status IN ('pending', 'active', 'paused')
    WHERE n.checked_in_at IS NOT NULL AND o.checked_in_at IS NULL ORDER BY n.id;
    RETURN NULL;
END $$;

-- Somebody who was checked in before their automation began: it hears of it when it has begun, once.
CREATE FUNCTION eventos_attendee_accompanied() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    UPDATE occurrences SET automation_id = NEW.id
    WHERE subject = 'registration/' || NEW.subject_id AND processed_at IS NULL AND held_at IS NULL
      AND automation_id IS NULL AND kind = 'checked_in';
    IF NOT FOUND THEN
        INSERT INTO occurrences (kind, rehearsal, event_id, automation_id, subject, lane, data, occurred_at)
        SELECT 'checked_in', NEW.rehearsal, NEW.event_id, NEW.id, 'registration/' || r.id, 1,
               jsonb_build_object('registration', r.id), eventos_now(NEW.event_id)
        FROM registrations r WHERE r.id = NEW.subject_id AND r.checked_in_at IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER attendee_accompanied AFTER INSERT ON automation_workflows FOR EACH ROW
    WHEN (NEW.workflow_type = 'attendee_nurture') EXECUTE FUNCTION eventos_attendee_accompanied();

-- Who is no longer on the list is no longer written to.
CREATE FUNCTION eventos_registrations_deleted() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    WITH ended AS (
        UPDATE automation_workflows a
        SET status = 'cancelled', cancelled_because = 'the registration was deleted', updated_at = now()
        FROM gone g
        WHERE a.workflow_type = 'attendee_nurture' AND a.subject_id = g.id AND a.status IN ('pending', 'active', 'paused')
        RETURNING a.id, a.event_id, a.rehearsal
    ), dropped AS (
        UPDATE messages m SET release_at = least(m.release_at, eventos_now(m.event_id))
        FROM ended JOIN workflow_execution_logs l ON l.workflow_id = ended.id
        WHERE m.log_id = l.id AND m.status = 'queued'
    )
    INSERT INTO occurrences (kind, rehearsal, event_id, automation_id, subject, lane, data, occurred_at)
    SELECT 'cancelled', ended.rehearsal, e.id, ended.id, 'automation/' || ended.id, 1,
           jsonb_build_object('why', 'the registration was deleted'), coalesce(e.clock_now, now())
    FROM ended JOIN events e ON e.id = ended.event_id ORDER BY ended.id;
    RETURN NULL;
END $$;
CREATE TRIGGER registrations_deleted AFTER DELETE ON registrations REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION eventos_registrations_deleted();

-- Whoever registered before the event was published, or before it is published again, is accompanied from then on.
CREATE FUNCTION eventos_registrations_taken_up() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO occurrences (kind, rehearsal, event_id, subject, lane, data, occurred_at)
    SELECT 'registration_confirmed', NEW.rehearsal_of IS NOT NULL, NEW.id, 'registration/' || r.id, 1,
           jsonb_build_object('registration', r.id, 'status', r.status), coalesce(NEW.clock_now, now())
    FROM registrations r WHERE r.event_id = NEW.id AND r.status = 'confirmed' ORDER BY r.id;
    RETURN NULL;
END $$;
CREATE TRIGGER registrations_taken_up AFTER UPDATE OF status ON events FOR EACH ROW
    WHEN (NEW.status = 'published' AND OLD.status IS DISTINCT FROM 'published')
    EXECUTE FUNCTION eventos_registrations_taken_up();

INSERT INTO automation_rules (name, kind, occurrence, match, workflow_type)
VALUES ('Attendee Engagement', 'event', 'registration_confirmed',
        'event_status == ''published'' and not ended', 'attendee_nurture');
