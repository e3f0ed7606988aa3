-- Deliverables: what a sponsor owes. Whoever changes a row, its tracker hears of it.

ALTER TABLE sponsor_deliverables
    -- real time of the last hand-in: each is thanked for once
    ADD COLUMN submitted_at TIMESTAMPTZ;

-- A zone that PostgreSQL knows: the one given, else UTC, so that a mistyped zone lets nobody's UPDATE fail.
CREATE FUNCTION eventos_zone(zone TEXT) RETURNS TEXT LANGUAGE plpgsql STABLE AS $$
BEGIN
    PERFORM now() AT TIME ZONE zone;
    RETURN coalesce(zone, 'UTC');
EXCEPTION WHEN invalid_parameter_value THEN
    RETURN 'UTC';
END $$;

-- What `deadline` is to moments: the last minute of the due date in the event's zone. NULL for what is no deliverable.
CREATE FUNCTION eventos_deadline(deliverable UUID) RETURNS TIMESTAMPTZ LANGUAGE sql STABLE AS $$
    SELECT (d.due_date + time '23:59') AT TIME ZONE eventos_zone(e.timezone)
    FROM sponsor_deliverables d JOIN events e ON e.id = d.event_id WHERE d.id = deliverable
$$;

-- Dates follow the status, and a changed due date decides between pending and overdue.
CREATE FUNCTION eventos_deliverable_kept() RETURNS TRIGGER LANGUAGE plpgsql AS $$
DECLARE
    was TEXT := CASE WHEN TG_OP = 'UPDATE' THEN OLD.status END;
    -- the event's wall clock
    wall TIMESTAMP := (SELECT coalesce(e.clock_now, now()) AT TIME ZONE eventos_zone(e.timezone)
                       FROM events e WHERE e.id = NEW.event_id);
    passed BOOLEAN := NEW.due_date + time '23:59' <= wall;
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.due_date <> OLD.due_date THEN
        NEW.status := CASE WHEN NEW.status = 'overdue' AND NOT passed THEN 'pending'
                           WHEN NEW.status IN ('pending', 'in_progress') AND passed THEN 'overdue'
                           ELSE NEW.status END;
    END IF;
    IF NEW.status = 'submitted' AND was IS DISTINCT FROM 'submitted' THEN
        NEW.submitted_at := clock_timestamp();
        NEW.submitted_date := coalesce(NEW.submitted_date, wall::DATE);
    ELSIF NEW.status = 'approved' AND was IS DISTINCT FROM 'approved' THEN
        NEW.approved_at := coalesce(NEW.approved_at, eventos_now(NEW.event_id));
    END IF;
    NEW.updated_at := now();
    RETURN NEW;
END $$;
CREATE TRIGGER deliverable_kept BEFORE INSERT OR UPDATE ON sponsor_deliverables
    FOR EACH ROW EXECUTE FUNCTION eventos_deliverable_kept();

CREATE FUNCTION eventos_deliverables_added() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO occurrences (kind, rehearsal, event_id, subject, lane, data, occurred_at)
    SELECT 'deliverable_added', e.rehearsal_of IS NOT NULL, e.id, 'deliverable/' || n.id, 1,
           jsonb_build_object('deliverable', n.id, 'status', n.status), coalesce(e.clock_now, now())
    FROM added n JOIN events e ON e.id = n.event_id ORDER BY n.id;
    RETURN NULL;
END $$;
CREATE TRIGGER deliverables_added AFTER INSERT ON sponsor_deliverables REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION eventos_deliverables_added();

CREATE FUNCTION eventos_deliverables_changed() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    -- What chases is no longer true, and dies at the gate, also where quiet hours or a pause hold it.
    UPDATE messages m SET valid_until = least(m.valid_until, eventos_now(m.event_id))
    FROM after n JOIN before o ON o.id = n.id
    JOIN automation_workflows a ON a.workflow_type = 'deliverable_tracking' AND a.subject_id = n.id
    JOIN workflow_execution_logs l ON l.workflow_id = a.id
    WHERE (n.due_date <> o.due_date OR (n.status IN ('submitted', 'approved') AND n.status IS DISTINCT FROM o.status))
      AND m.log_id = l.id AND m.status = 'queued'
      AND m.template IN ('deliverable_reminder', 'deliverable_urgent', 'deliverable_overdue', 'deliverable_overdue_alert');

    -- What needs no approval is approved by being handed in.
    INSERT INTO occurrences (kind, rehearsal, event_id, automation_id, subject, lane, data, occurred_at)
    SELECT news.kind, e.rehearsal_of IS NOT NULL, e.id, a.id, 'deliverable/' || n.id, 1,
           jsonb_build_object('deliverable', n.id, 'status', n.status), coalesce(e.clock_now, now())
    FROM after n JOIN before o ON o.id = n.id JOIN events e ON e.id = n.event_id
    CROSS JOIN LATERAL (VALUES
        (1, 'deliverable_moved', n.due_date <> o.due_date),
        (2, 'deliverable_submitted', n.status = 'submitted' AND o.status IS DISTINCT FROM 'submitted'),
        (3, 'deliverable_approved', (n.status = 'approved' OR (n.status = 'submitted' AND NOT n.requires_approval))
            AND n.status IS DISTINCT FROM o.status),
        (4, 'deliverable_rejected', n.status = 'rejected' AND o.status IS DISTINCT FROM 'rejected'),
        (5, 'deliverable_reopened', o.status = 'submitted' AND n.status IN ('pending', 'in_progress', 'overdue'))
    ) AS news(place, kind, happened)
    LEFT JOIN automation_workflows a ON a.workflow_type = 'deliverable_tracking' AND a.subject_id = n.id
          AND a.status IN ('pending', 'active', 'paused')
    WHERE news.happened ORDER BY n.id, news.place;
    RETURN NULL;
END $$;
CREATE TRIGGER deliverables_changed AFTER UPDATE ON sponsor_deliverables
    REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION eventos_deliverables_changed();

-- What is no longer owed is no longer chased.
CREATE FUNCTION eventos_deliverables_deleted() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    WITH changed AS (
        UPDATE automation_workflows a SET status = 'cancelled', updated_at = now()
        FROM gone g
        WHERE a.workflow_type = 'deliverable_tracking' AND a.subject_id = g.id AND a.status IN ('pending', 'active', 'paused')
        RETURNING a.id, a.event_id, a.rehearsal
    ), dropped AS (
        UPDATE messages m SET release_at = least(m.release_at, eventos_now(m.event_id))
        FROM changed c JOIN workflow_execution_logs l ON l.workflow_id = c.id
        WHERE m.log_id = l.id AND m.status = 'queued'
    )
    INSERT INTO occurrences (kind, rehearsal, event_id, automation_id, subject, lane, data, occurred_at)
    SELECT 'cancelled', c.rehearsal, c.event_id, c.id, 'automation/' || c.id, 1,
           jsonb_build_object('why', 'the deliverable was deleted'), coalesce(e.clock_now, now())
    FROM changed c JOIN events e ON e.id = c.event_id ORDER BY c.id;
    RETURN NULL;
END $$;
CREATE TRIGGER deliverables_deleted AFTER DELETE ON sponsor_deliverables REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION eventos_deliverables_deleted();

-- An event that is published again has its open deliverables tracked again.
CREATE FUNCTION eventos_deliverables_taken_up() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO occurrences (kind, rehearsal, event_id, subject, lane, data, occurred_at)
    SELECT 'deliverable_added', NEW.rehearsal_of IS NOT NULL, NEW.id, 'deliverable/' || d.id, 1,
           jsonb_build_object('deliverable', d.id, 'status', d.status), coalesce(NEW.clock_now, now())
    FROM sponsor_deliverables d JOIN automation_workflows a ON a.id = d.workflow_id
    WHERE d.event_id = NEW.id AND a.status = 'cancelled' ORDER BY d.id;
    RETURN NULL;
END $$;
CREATE TRIGGER deliverables_taken_up AFTER UPDATE OF status ON events FOR EACH ROW
    WHEN (NEW.status = 'published' AND OLD.status IS DISTINCT FROM 'published')
    EXECUTE FUNCTION eventos_deliverables_taken_up();

-- `workflow_id` is the newest tracker. What happened before it began is news for it too.
CREATE FUNCTION eventos_deliverable_tracked() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    UPDATE sponsor_deliverables SET workflow_id = NEW.id WHERE id = NEW.subject_id;
    -- Whoever changes the row at this moment has committed, or waits for it and will find the tracker.
    UPDATE occurrences SET automation_id = NEW.id
    WHERE subject = 'deliverable/' || NEW.subject_id AND processed_at IS NULL AND held_at IS NULL
      AND automation_id IS NULL AND kind <> 'deliverable_added';
    RETURN NULL;
END $$;
CREATE TRIGGER deliverable_tracked AFTER INSERT ON automation_workflows FOR EACH ROW
    WHEN (NEW.workflow_type = 'deliverable_tracking') EXECUTE FUNCTION eventos_deliverable_tracked();

-- `reminders_sent` counts reminders, of which one may be a mail and a WhatsApp message.
CREATE FUNCTION eventos_deliverable_reminded() RETURNS TRIGGER LANGUAGE plpgsql AS $$
DECLARE
    deliverable UUID := (SELECT subject_id FROM automation_workflows WHERE id = NEW.automation_id);
BEGIN
    -- Under the lock the next statement sees what the other channel's settlement has committed.
    PERFORM 1 FROM sponsor_deliverables WHERE id = deliverable FOR NO KEY UPDATE;
    UPDATE sponsor_deliverables d
    SET last_reminder_sent_at = greatest(d.last_reminder_sent_at, NEW.sent_at),
        reminders_sent = (
            SELECT count(DISTINCT m.log_id) FROM automation_workflows a
            JOIN workflow_execution_logs l ON l.workflow_id = a.id JOIN messages m ON m.log_id = l.id
            WHERE a.workflow_type = 'deliverable_tracking' AND a.subject_id = d.id
              AND m.status = 'sent' AND m.template IN ('deliverable_reminder', 'deliverable_urgent'))
    WHERE d.id = deliverable;
    RETURN NULL;
END $$;
CREATE TRIGGER deliverable_reminded AFTER UPDATE OF status ON messages FOR EACH ROW
    WHEN (NEW.status = 'sent' AND OLD.status <> 'sent' AND NEW.template IN ('deliverable_reminder', 'deliverable_urgent'))
    EXECUTE FUNCTION eventos_deliverable_reminded();

INSERT INTO automation_rules (name, kind, occurrence, match, workflow_type)
VALUES ('Deliverable Tracking', 'event', 'deliverable_added', 'status != ''submitted'' and status != ''approved''',
        'deliverable_tracking');
