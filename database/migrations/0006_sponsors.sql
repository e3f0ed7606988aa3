-- Sponsors to be won: what is known of them, what an event offers, the proposals made to them and what becomes of these.

ALTER TABLE sponsors
    ADD COLUMN IF NOT EXISTS industry TEXT NOT NULL DEFAULT '',
    -- whom or what they want to be near, in the words of topics and interests
    ADD COLUMN IF NOT EXISTS audience TEXT[] NOT NULL DEFAULT '{}',
    -- for one sponsorship; NULL is not known
    ADD COLUMN IF NOT EXISTS budget NUMERIC(12, 2) CHECK (budget >= 0),
    -- events of others that they have sponsored, by name
    ADD COLUMN IF NOT EXISTS past_sponsorships TEXT[] NOT NULL DEFAULT '{}',
    ADD COLUMN IF NOT EXISTS status TEXT NOT NULL DEFAULT 'new'
        CHECK (status IN ('new', 'warm', 'hot', 'declined', 'accepted'));

CREATE TABLE sponsor_tiers (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    -- NULL: what an event offers that has no tiers of its own
    event_id UUID REFERENCES events(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    -- NULL is to be agreed
    price NUMERIC(12, 2) CHECK (price >= 0),
    benefits TEXT[] NOT NULL DEFAULT '{}',
    -- 1 is the highest
    rank INTEGER NOT NULL,
    UNIQUE NULLS NOT DISTINCT (event_id, name)
);

-- What a sponsor of a tier owes the event, and how many days before it.
CREATE TABLE tier_deliverables (
    tier_id UUID NOT NULL REFERENCES sponsor_tiers(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    description TEXT NOT NULL DEFAULT '',
    deliverable_type TEXT NOT NULL CHECK (deliverable_type IN (
        'logo', 'banner', 'video', 'speaker_bio', 'booth_materials',
        'promotional_items', 'content_approval', 'payment', 'contract', 'other'
    )),
    days_before INTEGER NOT NULL CHECK (days_before >= 0),
    requires_approval BOOLEAN NOT NULL DEFAULT TRUE,
    PRIMARY KEY (tier_id, name)
);

INSERT INTO sponsor_tiers (name, rank, benefits) VALUES
    ('Gold', 1, '{"a booth in the main hall", "a talk or workshop in the programme", "the logo on stage and on every page"}'),
    ('Silver', 2, '{"a booth in the exhibition", "the logo on the website and on signs"}'),
    ('Bronze', 3, '{"the logo on the website", "a mention at the opening"}');
INSERT INTO tier_deliverables (tier_id, name, deliverable_type, days_before, requires_approval)
SELECT t.id, d.name, d.type, d.days, d.approval FROM sponsor_tiers t JOIN (VALUES
    (3, 'Signed contract', 'contract', 45, TRUE),
    (3, 'Company logo', 'logo', 30, TRUE),
    (3, 'Payment', 'payment', 30, FALSE),
    (2, 'Booth materials', 'booth_materials', 14, FALSE),
    (1, 'Speaker biography', 'speaker_bio', 30, TRUE),
    (1, 'Stage banner', 'banner', 21, TRUE)
) AS d(lowest, name, type, days, approval) ON t.rank <= d.lowest WHERE t.event_id IS NULL;

CREATE TABLE proposals (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    event_id UUID NOT NULL REFERENCES events(id) ON DELETE CASCADE,
    sponsor_id UUID NOT NULL REFERENCES sponsors(id) ON DELETE CASCADE,
    -- the outreach that found the sponsor, and the sequence that follows the proposal up
    outreach_id UUID REFERENCES automation_workflows(id) ON DELETE SET NULL,
    sequence_id UUID REFERENCES automation_workflows(id) ON DELETE SET NULL,
    -- 1 is the best match
    rank INTEGER NOT NULL,
    score INTEGER NOT NULL CHECK (score BETWEEN 0 AND 100),
    -- [{part, points, of, why}]: they add up to the score
    score_parts JSONB NOT NULL,
    rationale TEXT,
    tier_id UUID REFERENCES sponsor_tiers(id) ON DELETE SET NULL,
    -- as the model wrote it; NULL until then
    slots JSONB,
    -- what rationale and words have cost, each
    usage JSONB NOT NULL DEFAULT '{}'::JSONB,
    status TEXT NOT NULL DEFAULT 'matched' CHECK (status IN (
        'matched', 'written', 'active', 'responded', 'declined', 'accepted', 'signed')),
    -- real time: when the organizer approved these very words
    approved_at TIMESTAMPTZ,
    -- what came of it when it was signed
    sponsorship_id UUID REFERENCES sponsorships(id) ON DELETE SET NULL,
    opened_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    UNIQUE (event_id, sponsor_id)
);
CREATE INDEX idx_proposals_sponsor ON proposals(sponsor_id);
CREATE INDEX idx_proposals_outreach ON proposals(outreach_id, rank);
CREATE INDEX idx_proposals_sequence ON proposals(sequence_id);

-- What the organizer or the EventOS application writes is news for the sequence. What the sequence writes itself is none.
CREATE FUNCTION eventos_proposals_changed() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('eventos.by_sequence', TRUE) = 'on' THEN
        RETURN NULL;
    END IF;
    INSERT INTO occurrences (kind, rehearsal, event_id, automation_id, subject, data, occurred_at)
    SELECT 'sponsor_' || n.status, e.rehearsal_of IS NOT NULL, e.id, n.sequence_id, 'proposal/' || n.id,
           jsonb_build_object('proposal', n.id), coalesce(e.clock_now, now())
    FROM after n JOIN before o ON o.id = n.id JOIN events e ON e.id = n.event_id
    WHERE n.status IS DISTINCT FROM o.status AND n.status IN ('responded', 'declined', 'accepted', 'signed')
      AND n.sequence_id IS NOT NULL
    ORDER BY n.id;
    RETURN NULL;
END $$;
CREATE TRIGGER proposals_changed AFTER UPDATE ON proposals REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION eventos_proposals_changed();

-- Words that were approved and are changed have to be approved anew.
CREATE FUNCTION eventos_proposal_words() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    NEW.approved_at := NULL;
    RETURN NEW;
END $$;
CREATE TRIGGER proposal_words BEFORE UPDATE ON proposals FOR EACH ROW
    WHEN (NEW.slots IS DISTINCT FROM OLD.slots) EXECUTE FUNCTION eventos_proposal_words();

-- An event is created once it is whole: it has dates, and says which sponsors it wants.
CREATE FUNCTION eventos_is_whole(event events) RETURNS BOOLEAN LANGUAGE sql IMMUTABLE AS $$
    SELECT event.starts_at IS NOT NULL AND event.ends_at IS NOT NULL AND cardinality(event.sponsor_categories) > 0
$$;
CREATE FUNCTION eventos_event_created() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO occurrences (kind, rehearsal, event_id, subject, data, occurred_at)
    VALUES ('event_created', NEW.rehearsal_of IS NOT NULL, NEW.id, 'event/' || NEW.id, jsonb_build_object('status', NEW.status),
            coalesce(NEW.clock_now, now()));
    RETURN NULL;
END $$;
CREATE TRIGGER event_created AFTER INSERT ON events
    FOR EACH ROW WHEN (eventos_is_whole(NEW)) EXECUTE FUNCTION eventos_event_created();
CREATE TRIGGER event_completed AFTER UPDATE ON events
    FOR EACH ROW WHEN (eventos_is_whole(NEW) AND NOT eventos_is_whole(OLD)) EXECUTE FUNCTION eventos_event_created();

INSERT INTO automation_rules (name, kind, occurrence, workflow_type, parameters)
VALUES ('Sponsor Outreach', 'event', 'event_created', 'sponsor_outreach', '{"approval": "required"}');
