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
