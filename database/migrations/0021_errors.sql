-- Why an automation needs a person, derived from what stands against it at the moment; and failures, counted piece by piece.

ALTER TABLE automation_workflows
    -- what the event lacks, so that nothing can be planned; the player writes it when it rests
    ADD COLUMN problem TEXT,
    -- how often each piece of the current step has failed: pieces that are done side by side have their own retries
    ADD COLUMN failures JSONB NOT NULL DEFAULT '{}';

ALTER TABLE approvals
    -- what the automation says of a rejection
    ADD COLUMN said TEXT;
UPDATE approvals p SET said = a.last_error FROM automation_workflows a
WHERE a.id = p.automation_id AND p.status = 'rejected' AND p.content_id IS NULL;

-- The present problem, else what holds a step or has a provider refuse it, else why the words were rejected.
CREATE FUNCTION eventos_last_error(automation UUID, present_problem TEXT) RETURNS TEXT LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN a.status = 'failed' THEN a.last_error ELSE coalesce(
        present_problem,
        (SELECT l.error_message FROM workflow_execution_logs l
         WHERE l.workflow_id = a.id AND l.status = 'running' AND l.error_message IS NOT NULL
           -- a round that a moved date has begun stands for those before it
           AND NOT EXISTS (SELECT 1 FROM workflow_execution_logs later
                           WHERE later.workflow_id = a.id AND later.slot = l.slot AND later.round > l.round)
         ORDER BY l.open > 0, l.started_at DESC LIMIT 1),
        (SELECT p.said FROM approvals p
         WHERE p.automation_id = a.id AND p.content_id IS NULL AND p.status = 'rejected'
           AND a.status IN ('pending', 'active', 'paused')))
    END
    FROM automation_workflows a WHERE a.id = automation
$$;
