-- Whoever deletes an event waits for those who settle its messages, and takes what is to be deleted in their order: messages, then
-- automations.

CREATE OR REPLACE FUNCTION eventos_event_deleted() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
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
