-- What the automations keep beside the specification's columns: the journal's keys, the outbox, the occurrences.

-- Business time in SQL: a rehearsal's stepped clock, else the real one. Nothing else reads a clock for a business decision.
CREATE FUNCTION eventos_now(event UUID) RETURNS TIMESTAMPTZ LANGUAGE sql STABLE AS $$
    SELECT coalesce((SELECT clock_now FROM events WHERE id = event), now())
$$;

ALTER TABLE automation_workflows
    ADD COLUMN organizer_id UUID REFERENCES organizers(id) ON DELETE CASCADE,
    ADD COLUMN subject_id UUID NOT NULL,
    ADD COLUMN generation INTEGER NOT NULL DEFAULT 1,
    ADD COLUMN rehearsal BOOLEAN NOT NULL DEFAULT FALSE,
    ADD COLUMN temporal_workflow_id TEXT NOT NULL,
    ADD COLUMN rules INTEGER NOT NULL,
    -- the date_revision whose instants the player has adopted
    ADD COLUMN date_revision INTEGER NOT NULL DEFAULT 0,
    -- NULL while busy; an instant while it waits for one; infinity while it waits for facts, messages or people
    ADD COLUMN rest_until TIMESTAMPTZ,
    ADD COLUMN paused_at TIMESTAMPTZ,
    ADD CONSTRAINT automation_once UNIQUE (workflow_type, subject_id, generation),
    ADD CONSTRAINT automation_temporal_id UNIQUE (temporal_workflow_id);

ALTER TABLE workflow_execution_logs
    ADD COLUMN slot TEXT NOT NULL,
    ADD COLUMN round INTEGER NOT NULL DEFAULT 0,
    -- business instants: when the step was due, and when it ended
    ADD COLUMN due_at TIMESTAMPTZ,
    ADD COLUMN ended_at TIMESTAMPTZ,
    -- messages of this row that are neither settled nor held for later; zero ends the step
    ADD COLUMN open INTEGER NOT NULL DEFAULT 0 CHECK (open >= 0),
    -- whether the player waits for the end of this step
    ADD COLUMN tell BOOLEAN NOT NULL DEFAULT FALSE,
    ADD CONSTRAINT decided_once UNIQUE (workflow_id, slot, round);

CREATE TABLE marketing_campaigns (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    event_id UUID NOT NULL REFERENCES events(id) ON DELETE CASCADE,
    automation_id UUID NOT NULL UNIQUE REFERENCES automation_workflows(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    -- {landing_page, emails, social_posts, whatsapp_messages}, filled in as each is generated
    content JSONB NOT NULL DEFAULT '{}'::JSONB,
    channels TEXT[] NOT NULL DEFAULT '{}',
    status TEXT NOT NULL DEFAULT 'draft' CHECK (status IN ('draft', 'scheduled', 'active', 'completed', 'cancelled')),
    emails_sent INTEGER NOT NULL DEFAULT 0,
    whatsapp_messages_sent INTEGER NOT NULL DEFAULT 0,
    social_posts_published INTEGER NOT NULL DEFAULT 0,
    -- tokens and calls the content has cost, per kind
    usage JSONB NOT NULL DEFAULT '{}'::JSONB,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    updated_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE TABLE email_templates (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    campaign_id UUID NOT NULL REFERENCES marketing_campaigns(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    subject TEXT NOT NULL,
    slots JSONB NOT NULL,
    revision INTEGER NOT NULL DEFAULT 1,
    content_hash TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    UNIQUE (campaign_id, name)
);

CREATE TABLE whatsapp_campaigns (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    campaign_id UUID NOT NULL REFERENCES marketing_campaigns(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    slots JSONB NOT NULL,
    revision INTEGER NOT NULL DEFAULT 1,
    content_hash TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    UNIQUE (campaign_id, name)
);

CREATE TABLE social_posts (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    campaign_id UUID NOT NULL REFERENCES marketing_campaigns(id) ON DELETE CASCADE,
    -- the step that publishes it: one post per step and platform
    step TEXT NOT NULL,
    platform TEXT NOT NULL CHECK (platform IN ('linkedin', 'twitter', 'facebook')),
    -- which of the generated posts in `slots` it is: linkedin, twitter, facebook, linkedin_push or twitter_push
    variant TEXT NOT NULL,
    slots JSONB NOT NULL,
    revision INTEGER NOT NULL DEFAULT 1,
    content_hash TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    UNIQUE (campaign_id, step, platform)
);

CREATE TABLE batches (
    -- also the provider's idempotency key
    id UUID PRIMARY KEY,
    rehearsal BOOLEAN NOT NULL,
    channel TEXT NOT NULL,
    -- whoever holds the token may settle; taking a batch over changes it
    claim_token UUID NOT NULL,
    -- real time: nobody else may touch the batch before; after it, recovery takes it over
    lease_until TIMESTAMPTZ NOT NULL,
    message_ids UUID[] NOT NULL,
    -- claimed: nothing has been posted; posted: a request may have been made; unknown: looked up at the provider from time to time
    status TEXT NOT NULL DEFAULT 'claimed' CHECK (status IN ('claimed', 'posted', 'unknown', 'settled', 'refused')),
    -- the exact bytes of the request (zstd), kept until the outcome is known
    payload BYTEA,
    first_posted_at TIMESTAMPTZ,
    -- requests made, then look-ups made
    attempts INTEGER NOT NULL DEFAULT 0,
    lookups INTEGER NOT NULL DEFAULT 0,
    last_error TEXT
);
ALTER TABLE batches ALTER COLUMN payload SET STORAGE EXTERNAL;
CREATE INDEX idx_batches_recovery ON batches(rehearsal, channel, lease_until) WHERE status IN ('claimed', 'posted', 'unknown');

CREATE TABLE messages (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    key TEXT NOT NULL UNIQUE,
    rehearsal BOOLEAN NOT NULL,
    organizer_id UUID NOT NULL,
    event_id UUID NOT NULL,
    automation_id UUID NOT NULL,
    -- the one reference that is checked: the journal row hangs on the automation, and that on the event
    log_id UUID NOT NULL REFERENCES workflow_execution_logs(id) ON DELETE CASCADE,
    step TEXT NOT NULL,
    round INTEGER NOT NULL DEFAULT 0,
    person_id UUID,
    channel TEXT NOT NULL CHECK (channel IN ('email', 'whatsapp', 'linkedin', 'twitter', 'facebook')),
    address TEXT NOT NULL,
    template TEXT NOT NULL,
    -- the row of email_templates, whatsapp_campaigns or social_posts whose words it carries
    content_id UUID,
    content_revision INTEGER NOT NULL DEFAULT 1,
    priority SMALLINT NOT NULL DEFAULT 3 CHECK (priority BETWEEN 1 AND 3),
    topic TEXT,
    -- business instants
    release_at TIMESTAMPTZ NOT NULL,
    valid_until TIMESTAMPTZ,
    -- the revision of the event's dates its words speak of; NULL for words without a date
    date_revision INTEGER,
    status TEXT NOT NULL DEFAULT 'queued'
        CHECK (status IN ('queued', 'sending', 'sent', 'failed', 'skipped', 'cancelled', 'unknown')),
    -- why it was skipped, failed, is held or unknown, in plain words
    reason TEXT,
    -- whether it counts in its journal row's `open`; never again once it was held for later
    counted BOOLEAN NOT NULL DEFAULT TRUE,
    -- real time: not before this, after a provider asked for patience
    not_before TIMESTAMPTZ,
    batch_id UUID,
    -- real time: WhatsApp and social only, just before the request
    attempted_at TIMESTAMPTZ,
    attempts INTEGER NOT NULL DEFAULT 0,
    provider_id TEXT,
    -- business instant of acceptance by the provider
    sent_at TIMESTAMPTZ,
    delivered_at TIMESTAMPTZ,
    opened_at TIMESTAMPTZ,
    clicked_at TIMESTAMPTZ,
    bounced_at TIMESTAMPTZ,
    complained_at TIMESTAMPTZ,
    replied_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);
-- the claim: most urgent first, then each organizer's oldest
CREATE INDEX idx_messages_due ON messages(rehearsal, channel, priority, organizer_id, release_at) WHERE status = 'queued';
-- what is held for later, for the sweep
CREATE INDEX idx_messages_held ON messages(automation_id) WHERE status = 'queued' AND NOT counted;
CREATE INDEX idx_messages_log ON messages(log_id);
-- the frequency cap
CREATE INDEX idx_messages_address ON messages(organizer_id, channel, address, sent_at) WHERE status IN ('sending', 'sent');
CREATE UNIQUE INDEX idx_messages_topic ON messages(event_id, round, topic, channel, address)
    WHERE topic IS NOT NULL AND status IN ('sending', 'sent', 'unknown');

-- The end of the quiet hours that `at` lies in, or NULL outside them: wall times of the first zone that PostgreSQL knows.
CREATE FUNCTION eventos_quiet_end(at TIMESTAMPTZ, quiet_from TIME, quiet_until TIME, VARIADIC zones TEXT[])
RETURNS TIMESTAMPTZ LANGUAGE plpgsql STABLE AS $$
DECLARE
    candidate TEXT;
    wall TIMESTAMP;
BEGIN
    FOREACH candidate IN ARRAY zones || 'UTC'::TEXT LOOP
        CONTINUE WHEN candidate IS NULL;
        BEGIN
            wall := at AT TIME ZONE candidate;
        EXCEPTION WHEN invalid_parameter_value THEN
            CONTINUE;
        END;
        IF (wall::TIME >= quiet_from AND wall::TIME < quiet_until)
           OR (quiet_from > quiet_until AND (wall::TIME >= quiet_from OR wall::TIME < quiet_until)) THEN
            RETURN (wall::DATE + quiet_until + CASE WHEN wall::TIME < quiet_until THEN interval '0' ELSE interval '1 day' END)
                   AT TIME ZONE candidate;
        END IF;
        RETURN NULL;
    END LOOP;
END $$;

CREATE TABLE suppressions (
    organizer_id UUID NOT NULL REFERENCES organizers(id) ON DELETE CASCADE,
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    reason TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    PRIMARY KEY (organizer_id, channel, address)
);

CREATE TABLE notifications (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    organizer_id UUID REFERENCES organizers(id) ON DELETE CASCADE,
    event_id UUID REFERENCES events(id) ON DELETE CASCADE,
    automation_id UUID REFERENCES automation_workflows(id) ON DELETE CASCADE,
    -- one notification per matter: telling it again changes nothing
    key TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    read_at TIMESTAMPTZ
);

CREATE TABLE occurrences (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind TEXT NOT NULL,
    rehearsal BOOLEAN NOT NULL DEFAULT FALSE,
    event_id UUID,
    automation_id UUID,
    -- order is kept among the occurrences of one subject only
    subject TEXT NOT NULL,
    -- 0 facts, 1 fan-out: webhooks are never stuck behind 5,000 re-timings
    lane SMALLINT NOT NULL DEFAULT 0,
    data JSONB NOT NULL DEFAULT '{}'::JSONB,
    -- business instant
    occurred_at TIMESTAMPTZ NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    not_before TIMESTAMPTZ NOT NULL DEFAULT now(),
    processed_at TIMESTAMPTZ,
    -- what came of it, in plain words
    outcome TEXT,
    held_at TIMESTAMPTZ,
    last_error TEXT,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);
CREATE INDEX idx_occurrences_open ON occurrences(lane, id) WHERE processed_at IS NULL AND held_at IS NULL;
CREATE INDEX idx_occurrences_subject ON occurrences(subject, id) WHERE processed_at IS NULL AND held_at IS NULL;
CREATE INDEX idx_occurrences_event ON occurrences(event_id, id);

CREATE TABLE automation_rules (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    name TEXT NOT NULL UNIQUE,
    organizer_id UUID REFERENCES organizers(id) ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('event', 'time', 'condition', 'external')),
    -- the occurrence (event, external) it answers to
    occurrence TEXT NOT NULL,
    -- a condition over the occurrence's data
    match TEXT NOT NULL DEFAULT '',
    workflow_type TEXT NOT NULL,
    parameters JSONB NOT NULL DEFAULT '{}'::JSONB,
    enabled BOOLEAN NOT NULL DEFAULT TRUE,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);
INSERT INTO automation_rules (name, kind, occurrence, match, workflow_type)
VALUES ('Event Launch Marketing Sequence', 'event', 'event_status_change', 'status == ''published''', 'event_launch');

-- One payload-free wake per statement; a slow poll is the net beneath.
CREATE FUNCTION eventos_wake() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify(TG_ARGV[0], '');
    RETURN NULL;
END $$;
CREATE TRIGGER wake_intake AFTER INSERT ON occurrences
    FOR EACH STATEMENT EXECUTE FUNCTION eventos_wake('eventos_occurrences');
CREATE TRIGGER wake_dispatch AFTER INSERT ON messages
    FOR EACH STATEMENT EXECUTE FUNCTION eventos_wake('eventos_messages');

-- A change of dates or zone by any program is a new revision: messages that speak of the old one die at the gate.
CREATE FUNCTION eventos_event_revision() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.starts_at, NEW.ends_at, NEW.timezone) IS DISTINCT FROM (OLD.starts_at, OLD.ends_at, OLD.timezone) THEN
        NEW.date_revision := OLD.date_revision + 1;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER event_revision BEFORE UPDATE ON events FOR EACH ROW EXECUTE FUNCTION eventos_event_revision();

CREATE FUNCTION eventos_event_occurrences() RETURNS TRIGGER LANGUAGE plpgsql AS $$
DECLARE
    at TIMESTAMPTZ := coalesce(NEW.clock_now, now());
    was TEXT := CASE WHEN TG_OP = 'UPDATE' THEN OLD.status END;
BEGIN
    IF NEW.status IS DISTINCT FROM was AND (TG_OP = 'UPDATE' OR NEW.status <> 'draft') THEN
        INSERT INTO occurrences (kind, rehearsal, event_id, subject, data, occurred_at)
        VALUES ('event_status_change', NEW.rehearsal_of IS NOT NULL, NEW.id, 'event/' || NEW.id,
                jsonb_build_object('status', NEW.status, 'was', was), at);
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.date_revision IS DISTINCT FROM OLD.date_revision THEN
        INSERT INTO occurrences (kind, rehearsal, event_id, subject, data, occurred_at)
        VALUES ('event_rescheduled', NEW.rehearsal_of IS NOT NULL, NEW.id, 'event/' || NEW.id,
                jsonb_build_object('date_revision', NEW.date_revision), at);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER event_occurrences AFTER INSERT OR UPDATE ON events
    FOR EACH ROW EXECUTE FUNCTION eventos_event_occurrences();
