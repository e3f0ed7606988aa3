-- The watch over an event, who belongs to one, and who sends when two automations cover one topic.

ALTER TABLE automation_rules
    -- when a time rule's `occurrence` happens, in the words that timelines use
    ADD COLUMN moment TEXT,
    ADD CONSTRAINT only_time_has_a_moment CHECK (moment IS NULL OR kind = 'time'),
    ADD CONSTRAINT condition_says_which CHECK (kind <> 'condition' OR match <> '');
INSERT INTO automation_rules (name, kind, occurrence, match, workflow_type)
VALUES ('Post-Event Follow-up Automation', 'event', 'event_ended', 'status != ''cancelled''', 'post_event_followup');

-- One row per event that is watched, as long as it is.
CREATE TABLE event_watches (
    event_id UUID PRIMARY KEY REFERENCES events(id) ON DELETE CASCADE,
    temporal_workflow_id TEXT NOT NULL UNIQUE,
    -- business instant; what had passed by then is not made up for
    begun_at TIMESTAMPTZ NOT NULL,
    -- as in automation_workflows
    rest_until TIMESTAMPTZ
);

-- What came due and was written down: `event_ended` or the id of a time rule, once per revision of the event's dates.
CREATE TABLE moments_told (
    event_id UUID NOT NULL REFERENCES events(id) ON DELETE CASCADE,
    rule TEXT NOT NULL,
    date_revision INTEGER NOT NULL,
    PRIMARY KEY (event_id, rule, date_revision)
);

-- Condition rules that held when last looked at: only one that is not in here yet begins anything.
CREATE TABLE conditions_met (
    event_id UUID NOT NULL REFERENCES events(id) ON DELETE CASCADE,
    rule_id UUID NOT NULL REFERENCES automation_rules(id) ON DELETE CASCADE,
    PRIMARY KEY (event_id, rule_id)
);

CREATE FUNCTION eventos_rules_changed() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO occurrences (kind, rehearsal, event_id, subject, lane, occurred_at)
    SELECT 'rules_changed', e.rehearsal_of IS NOT NULL, e.id, 'watch/' || e.id, 1, coalesce(e.clock_now, now())
    FROM event_watches w JOIN events e ON e.id = w.event_id ORDER BY e.id;
    RETURN NULL;
END $$;
CREATE TRIGGER rules_changed AFTER INSERT OR UPDATE OR DELETE ON automation_rules
    FOR EACH STATEMENT EXECUTE FUNCTION eventos_rules_changed();

-- Events that were published before there was a watch get theirs.
INSERT INTO occurrences (kind, event_id, subject, lane, occurred_at)
SELECT 'rules_changed', id, 'watch/' || id, 1, now() FROM events
WHERE status NOT IN ('draft', 'cancelled') AND rehearsal_of IS NULL AND ends_at > now() - interval '90 days';

-- Which people a sponsor's staff spoke with.
CREATE TABLE IF NOT EXISTS sponsor_leads (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    sponsorship_id UUID NOT NULL REFERENCES sponsorships(id) ON DELETE CASCADE,
    contact_id UUID NOT NULL REFERENCES contacts(id) ON DELETE CASCADE,
    captured_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    UNIQUE (sponsorship_id, contact_id)
);
CREATE INDEX IF NOT EXISTS idx_registrations_present ON registrations(event_id) WHERE checked_in_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS idx_sponsorships_event ON sponsorships(event_id);
CREATE INDEX IF NOT EXISTS idx_speakers_event ON speakers(event_id);

-- Who belongs to an event, in which segment. Whoever is in several is addressed by the first, the one of the least `place`.
-- Where nobody was checked in at all, nobody stood at the door with the list, and everybody registered counts as present.
CREATE VIEW event_people AS
SELECT s.event_id, c.id AS person_id, c.email, c.phone, 'speakers' AS segment, 1 AS place, TRUE AS present
FROM speakers s JOIN contacts c ON c.id = s.contact_id
UNION ALL
SELECT p.event_id, s.id, s.contact_email, nullif(s.contact_phone, ''), 'sponsors', 2, TRUE
FROM sponsorships p JOIN sponsors s ON s.id = p.sponsor_id
UNION ALL
SELECT r.event_id, c.id, c.email, c.phone, CASE WHEN c.vip THEN 'vip' ELSE 'attendees' END, CASE WHEN c.vip THEN 3 ELSE 4 END,
       r.checked_in_at IS NOT NULL
       OR NOT EXISTS (SELECT 1 FROM registrations x WHERE x.event_id = r.event_id AND x.checked_in_at IS NOT NULL)
FROM registrations r JOIN contacts c ON c.id = r.contact_id
WHERE r.status = 'confirmed';

ALTER TABLE organizers
    -- what happens when two automations cover one topic: the one that has precedence sends, or both do
    ADD COLUMN overlap TEXT NOT NULL DEFAULT 'precedence' CHECK (overlap IN ('precedence', 'all'));

-- The step that sends on a message's topic in its place, or NULL. An automation has precedence only if it is there for this
-- event, neither cancelled nor failed, still has such a step, and writes to this person.
CREATE FUNCTION eventos_covered(message messages) RETURNS TEXT LANGUAGE plpgsql STABLE AS $$
DECLARE
    winner TEXT := CASE
        WHEN message.topic = 'final' AND message.channel = 'email' THEN 'attendee_nurture'
        WHEN message.topic IN ('thank_you', 'recordings', 'next_event') THEN 'post_event_followup' END;
    subject UUID := message.event_id;
    rival automation_workflows;
    step JSONB;
    decided workflow_execution_logs;
BEGIN
    IF winner IS NULL
       OR EXISTS (SELECT 1 FROM automation_workflows a WHERE a.id = message.automation_id AND a.workflow_type = winner)
       OR EXISTS (SELECT 1 FROM organizers o WHERE o.id = message.organizer_id AND o.overlap = 'all') THEN
        RETURN NULL;
    END IF;
    IF winner = 'attendee_nurture' THEN
        SELECT r.id INTO subject FROM registrations r
        WHERE r.event_id = message.event_id AND r.contact_id = message.person_id AND r.status = 'confirmed';
    END IF;
    SELECT * INTO rival FROM automation_workflows a
    WHERE a.workflow_type = winner AND a.subject_id = subject AND a.status NOT IN ('cancelled', 'failed')
    ORDER BY a.generation DESC LIMIT 1;
    SELECT s INTO step FROM jsonb_array_elements(rival.definition -> 'steps') s
    WHERE s ->> 'topic' = message.topic AND position(message.channel IN s ->> 'type') > 0 LIMIT 1;
    IF step IS NULL THEN
        RETURN NULL;
    END IF;
    SELECT * INTO decided FROM workflow_execution_logs l
    WHERE l.workflow_id = rival.id AND l.step_id = step ->> 'id' ORDER BY l.round DESC LIMIT 1;
    IF decided.status IN ('skipped', 'failed') THEN
        RETURN NULL;
    END IF;
    IF decided.result ? 'queued' THEN
        IF NOT EXISTS (SELECT 1 FROM messages m WHERE m.log_id = decided.id AND m.channel = message.channel
                       AND m.address = message.address) THEN
            RETURN NULL;
        END IF;
    ELSIF winner = 'post_event_followup'
          AND NOT EXISTS (SELECT 1 FROM event_people p WHERE p.event_id = message.event_id AND p.person_id = message.person_id
                          AND (p.present OR message.topic <> 'thank_you')) THEN
        RETURN NULL;
    END IF;
    RETURN step ->> 'id';
END $$;
