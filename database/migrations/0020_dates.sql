-- A moved date stops what is queued for a moment that comes again by the new dates, and nothing else.

ALTER TABLE workflow_execution_logs
    -- {"due", "until"}: the moments that count from the event's dates, each as anchor, span and perhaps a wall time, else null.
    -- NULL where the words speak of the very dates they were queued for
    ADD COLUMN counts_from JSONB;

ALTER TABLE event_dates
    ADD COLUMN timezone TEXT,
    -- the business instant of the move that ended these dates
    ADD COLUMN moved_at TIMESTAMPTZ NOT NULL DEFAULT now();

CREATE OR REPLACE FUNCTION eventos_event_dates() RETURNS TRIGGER LANGUAGE plpgsql AS $$
DECLARE
    at TIMESTAMPTZ := coalesce(NEW.clock_now, now());
BEGIN
    INSERT INTO event_dates (event_id, date_revision, starts_at, ends_at, timezone, moved_at)
    VALUES (OLD.id, OLD.date_revision, OLD.starts_at, OLD.ends_at, OLD.timezone, at) ON CONFLICT DO NOTHING;
    -- what an earlier move holds may go, should the date have moved back: the gates decide anew
    UPDATE messages m SET release_at = at, reason = NULL
    FROM automation_workflows a
    WHERE a.event_id = NEW.id AND m.automation_id = a.id AND m.status = 'queued' AND NOT m.counted
      AND m.reason = 'held because the event''s date was moved';
    RETURN NULL;
END $$;

-- The instant of a moment that counts from an event's dates, as models/moments.py has it: a wall time that does not exist moves
-- forward, one that comes twice is the first. NULL where the date is missing or the zone unknown.
CREATE FUNCTION eventos_instant(moment JSONB, starts_at TIMESTAMPTZ, ends_at TIMESTAMPTZ, zone TEXT)
RETURNS TIMESTAMPTZ LANGUAGE plpgsql STABLE AS $$
DECLARE
    origin TIMESTAMPTZ := CASE moment ->> 'anchor' WHEN 'event_date' THEN starts_at WHEN 'event_end' THEN ends_at END;
    span INTERVAL := moment ->> 'span';
    wall TIMESTAMP;
    found TIMESTAMPTZ;
    day_before TIMESTAMPTZ;
    first TIMESTAMPTZ;
BEGIN
    wall := origin AT TIME ZONE zone;
    IF moment ->> 'at' IS NOT NULL THEN
        wall := (wall + span)::DATE + (moment ->> 'at')::TIME;
    ELSIF extract(day FROM span) = 0 THEN
        RETURN CASE WHEN wall IS NOT NULL THEN origin + span END;
    ELSE
        wall := wall + span;
    END IF;
    found := wall AT TIME ZONE zone;
    day_before := found - interval '24 hours';
    first := (wall - (day_before AT TIME ZONE zone - day_before AT TIME ZONE 'UTC')) AT TIME ZONE 'UTC';
    RETURN CASE WHEN first AT TIME ZONE zone = wall THEN first ELSE found END;
EXCEPTION WHEN invalid_parameter_value THEN
    RETURN NULL;
END $$;

-- What the moves of its event's dates since it was queued make of a message.
-- again_at: until when it is held, should the date move back, because its step comes again in a new round; `infinity` while a date
-- is missing; past, if it never goes. NULL if it goes, with words made of the new dates. valid_until: when it expires by these.
CREATE FUNCTION eventos_moved(m messages) RETURNS TABLE (again_at TIMESTAMPTZ, valid_until TIMESTAMPTZ)
LANGUAGE plpgsql STABLE ROWS 1 AS $$
DECLARE
    event events;
    step workflow_execution_logs;
    move RECORD;
    due TIMESTAMPTZ;
    again BOOLEAN := FALSE;
BEGIN
    SELECT * INTO event FROM events WHERE id = m.event_id;
    SELECT * INTO step FROM workflow_execution_logs WHERE id = m.log_id;
    valid_until := m.valid_until;
    IF step.counts_from IS NULL THEN
        again_at := '-infinity';
        RETURN NEXT;
        RETURN;
    END IF;
    IF step.counts_from ->> 'until' IS NOT NULL THEN
        valid_until := eventos_instant(step.counts_from -> 'until', event.starts_at, event.ends_at, event.timezone);
        IF valid_until IS NULL THEN
            again_at := 'infinity';
        END IF;
    END IF;
    IF step.counts_from ->> 'due' IS NULL THEN
        RETURN NEXT;
        RETURN;
    END IF;
    -- as the player's rounds() in workflows/timeline.py: a move to another instant that was still ahead begins a round, one back to
    -- the instant that was decided for takes it back
    FOR move IN
        SELECT was.moved_at, dates.*
        FROM event_dates was LEFT JOIN event_dates next
             ON next.event_id = was.event_id AND next.date_revision = was.date_revision + 1
        CROSS JOIN LATERAL (
            SELECT CASE WHEN next.event_id IS NULL THEN event.starts_at ELSE next.starts_at END AS starts_at,
                   CASE WHEN next.event_id IS NULL THEN event.ends_at ELSE next.ends_at END AS ends_at,
                   CASE WHEN next.event_id IS NULL THEN event.timezone ELSE next.timezone END AS timezone
        ) dates
        WHERE was.event_id = m.event_id AND was.date_revision >= m.date_revision ORDER BY was.date_revision
    LOOP
        due := eventos_instant(step.counts_from -> 'due', move.starts_at, move.ends_at, move.timezone);
        again := (again OR coalesce(due > move.moved_at, FALSE)) AND due IS DISTINCT FROM step.due_at;
    END LOOP;
    due := eventos_instant(step.counts_from -> 'due', event.starts_at, event.ends_at, event.timezone);
    IF EXISTS (SELECT 1 FROM workflow_execution_logs later
               WHERE later.workflow_id = step.workflow_id AND later.slot = step.slot AND later.round > step.round) THEN
        again_at := '-infinity';
    ELSIF due IS NULL THEN
        again_at := 'infinity';
    ELSIF again THEN
        again_at := coalesce(m.valid_until, due);
    END IF;
    RETURN NEXT;
END $$;
