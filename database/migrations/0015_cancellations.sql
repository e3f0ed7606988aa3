-- Whoever cancels waits for no message: who settles one holds its row and then asks for the automation's, which the cancellation
-- has, and PostgreSQL would refuse one of the two. Only what lies for later is sent to the gates, where it dies; what is due, or in
-- somebody's hands at this moment, comes by them anyway.

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
        UPDATE messages m SET release_at = eventos_now(m.event_id)
        WHERE m.id IN (
            SELECT later.id FROM ended JOIN workflow_execution_logs l ON l.workflow_id = ended.id
            JOIN messages later ON later.log_id = l.id
            WHERE later.status = 'queued' AND later.release_at > eventos_now(later.event_id)
            FOR NO KEY UPDATE OF later SKIP LOCKED)
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

CREATE OR REPLACE FUNCTION eventos_registrations_deleted() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    WITH ended AS (
        UPDATE automation_workflows a
        SET status = 'cancelled', cancelled_because = 'the registration was deleted', updated_at = now()
        FROM gone g
        WHERE a.workflow_type = 'attendee_nurture' AND a.subject_id = g.id AND a.status IN ('pending', 'active', 'paused')
        RETURNING a.id, a.event_id, a.rehearsal
    ), dropped AS (
        UPDATE messages m SET release_at = eventos_now(m.event_id)
        WHERE m.id IN (
            SELECT later.id FROM ended JOIN workflow_execution_logs l ON l.workflow_id = ended.id
            JOIN messages later ON later.log_id = l.id
            WHERE later.status = 'queued' AND later.release_at > eventos_now(later.event_id)
            FOR NO KEY UPDATE OF later SKIP LOCKED)
    )
    INSERT INTO occurrences (kind, rehearsal, event_id, automation_id, subject, lane, data, occurred_at)
    SELECT 'cancelled', ended.rehearsal, e.id, ended.id, 'automation/' || ended.id, 1,
           jsonb_build_object('why', 'the registration was deleted'), coalesce(e.clock_now, now())
    FROM ended JOIN events e ON e.id = ended.event_id ORDER BY ended.id;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION eventos_deliverables_deleted() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    WITH changed AS (
        UPDATE automation_workflows a SET status = 'cancelled', updated_at = now()
        FROM gone g
        WHERE a.workflow_type = 'deliverable_tracking' AND a.subject_id = g.id AND a.status IN ('pending', 'active', 'paused')
        RETURNING a.id, a.event_id, a.rehearsal
    ), dropped AS (
        UPDATE messages m SET release_at = eventos_now(m.event_id)
        WHERE m.id IN (
            SELECT later.id FROM changed JOIN workflow_execution_logs l ON l.workflow_id = changed.id
            JOIN messages later ON later.log_id = l.id
            WHERE later.status = 'queued' AND later.release_at > eventos_now(later.event_id)
            FOR NO KEY UPDATE OF later SKIP LOCKED)
    )
    INSERT INTO occurrences (kind, rehearsal, event_id, automation_id, subject, lane, data, occurred_at)
    SELECT 'cancelled', c.rehearsal, c.event_id, c.id, 'automation/' || c.id, 1,
           jsonb_build_object('why', 'the deliverable was deleted'), coalesce(e.clock_now, now())
    FROM changed c JOIN events e ON e.id = c.event_id ORDER BY c.id;
    RETURN NULL;
END $$;
