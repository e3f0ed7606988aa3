-- The tracker of a deliverable that is deleted says why its remaining steps were not taken.

CREATE OR REPLACE FUNCTION eventos_deliverables_deleted() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    WITH changed AS (
        UPDATE automation_workflows a
        SET status = 'cancelled', cancelled_because = 'the deliverable was deleted', updated_at = now()
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
