-- Deliverables that come back after their tracker has ended, and what ends with a deleted event.

-- Each hand-in and each approval has its own date: today, unless the statement itself says another.
CREATE OR REPLACE FUNCTION eventos_deliverable_kept() RETURNS TRIGGER LANGUAGE plpgsql AS $$
DECLARE
    was TEXT := CASE WHEN TG_OP = 'UPDATE' THEN OLD.status END;
    -- what the columns said before; a value that is still there is not of this statement
    submitted_before DATE := CASE WHEN TG_OP = 'UPDATE' THEN OLD.submitted_date END;
    approved_before TIMESTAMPTZ := CASE WHEN TG_OP = 'UPDATE' THEN OLD.approved_at END;
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
        NEW.submitted_date := coalesce(nullif(NEW.submitted_date, submitted_before), wall::DATE);
    ELSIF NEW.status = 'approved' AND was IS DISTINCT FROM 'approved' THEN
        NEW.approved_at := coalesce(nullif(NEW.approved_at, approved_before), eventos_now(NEW.event_id));
    END IF;
    NEW.updated_at := now();
    RETURN NEW;
END $$;

-- What was approved can be taken back like what was handed in.
CREATE OR REPLACE FUNCTION eventos_deliverables_changed() RETURNS TRIGGER LANGUAGE plpgsql AS $$
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
        (5, 'deliverable_reopened', o.status IN ('submitted', 'approved') AND n.status IN ('pending', 'in_progress', 'overdue'))
    ) AS news(place, kind, happened)
    LEFT JOIN automation_workflows a ON a.workflow_type = 'deliverable_tracking' AND a.subject_id = n.id
          AND a.status IN ('pending', 'active', 'paused')
    WHERE news.happened ORDER BY n.id, news.place;
    RETURN NULL;
END $$;

-- Where no tracker listens any more, what is owed again begins one.
INSERT INTO automation_rules (name, kind, occurrence, match, workflow_type)
VALUES ('Deliverable Tracking after a Rejection', 'event', 'deliverable_rejected', 'event_status != ''cancelled''',
        'deliverable_tracking'),
       ('Deliverable Tracking of what is taken back', 'event', 'deliverable_reopened', 'event_status != ''cancelled''',
        'deliverable_tracking');

-- A deleted event takes the rows of its automations with it, so each says beforehand which workflow is to end.
CREATE FUNCTION eventos_event_deleted() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    -- Whoever deletes it waits for those who settle its messages, and takes what is to be deleted in their order.
    PERFORM 1 FROM messages WHERE event_id = OLD.id ORDER BY id FOR UPDATE;
    PERFORM 1 FROM automation_workflows WHERE event_id = OLD.id ORDER BY id FOR UPDATE;
    INSERT INTO occurrences (kind, rehearsal, event_id, automation_id, subject, lane, data, occurred_at)
    SELECT 'event_deleted', a.rehearsal, OLD.id, a.id, 'automation/' || a.id, 1,
           jsonb_build_object('workflow', a.temporal_workflow_id), coalesce(OLD.clock_now, now())
    FROM automation_workflows a WHERE a.event_id = OLD.id AND a.status IN ('pending', 'active', 'paused') ORDER BY a.id;
    -- and its watch
    INSERT INTO occurrences (kind, rehearsal, event_id, subject, occurred_at)
    VALUES ('event_deleted', OLD.rehearsal_of IS NOT NULL, OLD.id, 'event/' || OLD.id, coalesce(OLD.clock_now, now()));
    RETURN OLD;
END $$;
CREATE TRIGGER event_deleted BEFORE DELETE ON events FOR EACH ROW EXECUTE FUNCTION eventos_event_deleted();

-- what an event's organizer has been told
CREATE INDEX idx_notifications_event ON notifications(event_id);
