-- Changes of running timelines, and the pauses by which their steps were moved.

ALTER TABLE automation_workflows
    -- the number of the newest row of automation_revisions; a player that does not know it yet decides nothing
    ADD COLUMN revision INTEGER NOT NULL DEFAULT 0,
    -- [{at, by}]: pauses by whose length (ISO 8601) what counts from the start, or from the end of a step, was moved
    ADD COLUMN shifts JSONB NOT NULL DEFAULT '[]';

CREATE TABLE automation_revisions (
    automation_id UUID NOT NULL REFERENCES automation_workflows(id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    -- the id of the update that asked for it: asked twice, it is done once
    request TEXT NOT NULL,
    author TEXT NOT NULL,
    reason TEXT NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    before JSONB NOT NULL,
    after JSONB NOT NULL,
    PRIMARY KEY (automation_id, number),
    UNIQUE (automation_id, request)
);
