-- Approval: whether somebody reads generated words before they go out, and exactly which words were approved.

CREATE TABLE approval_settings (
    organizer_id UUID NOT NULL REFERENCES organizers(id) ON DELETE CASCADE,
    workflow_type TEXT NOT NULL,
    approval TEXT NOT NULL CHECK (approval IN ('auto', 'required')),
    PRIMARY KEY (organizer_id, workflow_type)
);

ALTER TABLE automation_workflows
    -- what it was begun with, and keeps
    ADD COLUMN approval TEXT NOT NULL DEFAULT 'auto' CHECK (approval IN ('auto', 'required'));
UPDATE automation_workflows SET approval = 'required'
WHERE workflow_type = 'sponsor_outreach' AND status IN ('pending', 'active', 'paused');

-- Proposals are reviewed by default, which an organizer may change; only an organizer's or somebody's own rule overrules that.
UPDATE automation_rules SET parameters = parameters - 'approval' WHERE name = 'Sponsor Outreach' AND organizer_id IS NULL;

CREATE TABLE approvals (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    automation_id UUID NOT NULL REFERENCES automation_workflows(id) ON DELETE CASCADE,
    -- the step, and its round, that it stands before
    step TEXT NOT NULL,
    round INTEGER NOT NULL,
    -- the one row of words that was decided about by itself; NULL is everything that the automation has to send
    content_id UUID,
    content_hash TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'approved', 'rejected', 'superseded')),
    -- business instants
    asked_at TIMESTAMPTZ NOT NULL,
    overdue_at TIMESTAMPTZ,
    decided_at TIMESTAMPTZ,
    last_reminded_at TIMESTAMPTZ,
    asked_of UUID REFERENCES organizers(id) ON DELETE SET NULL,
    decided_by TEXT,
    note TEXT,
    reminders_sent INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX one_open_approval ON approvals(automation_id)
    WHERE content_id IS NULL AND status IN ('pending', 'rejected');
CREATE INDEX idx_approvals_automation ON approvals(automation_id, asked_at);

ALTER TABLE email_templates ADD COLUMN approved_hash TEXT;
ALTER TABLE whatsapp_campaigns ADD COLUMN approved_hash TEXT;
ALTER TABLE social_posts ADD COLUMN approved_hash TEXT;
ALTER TABLE proposals
    ADD COLUMN revision INTEGER NOT NULL DEFAULT 1,
    ADD COLUMN content_hash TEXT,
    ADD COLUMN approved_hash TEXT,
    DROP CONSTRAINT proposals_status_check,
    -- rejected: an organizer has read it and leaves this sponsor out
    ADD CONSTRAINT proposals_status_check CHECK (status IN (
        'matched', 'written', 'rejected', 'active', 'responded', 'declined', 'accepted', 'signed'));
DROP TRIGGER proposal_words ON proposals;
DROP FUNCTION eventos_proposal_words();

CREATE FUNCTION eventos_hash(words TEXT) RETURNS TEXT LANGUAGE sql STABLE AS $$
    SELECT encode(sha256(convert_to(words, 'UTF8')), 'hex')
$$;
UPDATE email_templates SET content_hash = eventos_hash(slots::text), approved_hash = eventos_hash(slots::text);
UPDATE whatsapp_campaigns SET content_hash = eventos_hash(slots::text), approved_hash = eventos_hash(slots::text);
UPDATE social_posts SET content_hash = eventos_hash(variant || coalesce((slots -> variant)::text, '')),
                        approved_hash = eventos_hash(variant || coalesce((slots -> variant)::text, ''));
-- Two sponsors may be sent the same words, and are decided about one by one.
UPDATE proposals SET content_hash = eventos_hash(sponsor_id || slots::text),
                     approved_hash = CASE WHEN approved_at IS NOT NULL THEN eventos_hash(sponsor_id || slots::text) END;
ALTER TABLE proposals DROP COLUMN approved_at;

-- Whoever changes words, they are a new revision with a hash of its own.
CREATE FUNCTION eventos_words() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'proposals' THEN
        NEW.content_hash := eventos_hash(NEW.sponsor_id || NEW.slots::text);
        NEW.status := CASE WHEN NEW.status = 'rejected' THEN 'written' ELSE NEW.status END;
    ELSIF TG_TABLE_NAME = 'social_posts' THEN
        NEW.content_hash := eventos_hash(NEW.variant || coalesce((NEW.slots -> NEW.variant)::text, ''));
    ELSE
        NEW.content_hash := eventos_hash(NEW.slots::text);
    END IF;
    IF TG_TABLE_NAME = 'email_templates' THEN
        NEW.subject := coalesce(NEW.slots ->> 'subject', NEW.subject);
    END IF;
    IF TG_OP = 'UPDATE' THEN
        NEW.revision := OLD.revision + 1;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER words_new BEFORE INSERT ON email_templates FOR EACH ROW EXECUTE FUNCTION eventos_words();
CREATE TRIGGER words_new BEFORE INSERT ON whatsapp_campaigns FOR EACH ROW EXECUTE FUNCTION eventos_words();
CREATE TRIGGER words_new BEFORE INSERT ON social_posts FOR EACH ROW EXECUTE FUNCTION eventos_words();
CREATE TRIGGER words_revised BEFORE UPDATE ON email_templates FOR EACH ROW
    WHEN (NEW.slots IS DISTINCT FROM OLD.slots) EXECUTE FUNCTION eventos_words();
CREATE TRIGGER words_revised BEFORE UPDATE ON whatsapp_campaigns FOR EACH ROW
    WHEN (NEW.slots IS DISTINCT FROM OLD.slots) EXECUTE FUNCTION eventos_words();
CREATE TRIGGER words_revised BEFORE UPDATE ON social_posts FOR EACH ROW
    WHEN ((NEW.slots, NEW.variant) IS DISTINCT FROM (OLD.slots, OLD.variant)) EXECUTE FUNCTION eventos_words();
CREATE TRIGGER words_revised BEFORE UPDATE ON proposals FOR EACH ROW
    WHEN (NEW.slots IS DISTINCT FROM OLD.slots) EXECUTE FUNCTION eventos_words();

-- A proposal that is revised while its letter has not left is revised there too.
CREATE FUNCTION eventos_proposal_revised() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    UPDATE email_templates t SET slots = NEW.slots FROM marketing_campaigns c
    WHERE c.automation_id = NEW.sequence_id AND t.campaign_id = c.id AND t.name = 'proposal_email' AND NEW.slots IS NOT NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER proposal_revised AFTER UPDATE ON proposals FOR EACH ROW
    WHEN (NEW.slots IS DISTINCT FROM OLD.slots AND NEW.sequence_id IS NOT NULL AND NEW.sequence_id = OLD.sequence_id)
    EXECUTE FUNCTION eventos_proposal_revised();

-- Everything that waits for approval, or had it, by automation.
CREATE VIEW approvable AS
SELECT c.automation_id, 'email' AS kind, t.name, t.id, t.slots, t.revision, t.content_hash, t.approved_hash
FROM email_templates t JOIN marketing_campaigns c ON c.id = t.campaign_id
UNION ALL
SELECT c.automation_id, 'whatsapp', t.name, t.id, t.slots, t.revision, t.content_hash, t.approved_hash
FROM whatsapp_campaigns t JOIN marketing_campaigns c ON c.id = t.campaign_id
UNION ALL
SELECT c.automation_id, 'social', t.step || '/' || t.platform, t.id, jsonb_build_object(t.variant, t.slots -> t.variant),
       t.revision, t.content_hash, t.approved_hash
FROM social_posts t JOIN marketing_campaigns c ON c.id = t.campaign_id
UNION ALL
SELECT p.outreach_id, 'proposal', s.name, p.id, p.slots, p.revision, p.content_hash, p.approved_hash
FROM proposals p JOIN sponsors s ON s.id = p.sponsor_id WHERE p.status = 'written';

-- One hash for all of it: other words, more or fewer of them, are another.
CREATE FUNCTION eventos_content_hash(automation UUID) RETURNS TEXT LANGUAGE sql STABLE AS $$
    SELECT eventos_hash(coalesce(string_agg(kind || ' ' || name || ' ' || content_hash, E'\n' ORDER BY kind, name, id), ''))
    FROM approvable WHERE automation_id = automation
$$;

-- Whether a message carries words that have to be approved and are not.
CREATE FUNCTION eventos_unapproved(automation UUID, content UUID) RETURNS BOOLEAN LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM approvable w WHERE w.automation_id = automation AND w.id = content
                   AND w.approved_hash IS DISTINCT FROM w.content_hash)
$$;

-- What was approved, or was about to be, is other words by now: the gates hold it, and the automation is told.
CREATE FUNCTION eventos_content_changed() RETURNS TRIGGER LANGUAGE plpgsql AS $$
DECLARE
    changed UUID[];
BEGIN
    IF TG_TABLE_NAME = 'proposals' THEN
        SELECT array_agg(DISTINCT n.outreach_id) INTO changed FROM after n JOIN before o ON o.id = n.id
        WHERE n.content_hash IS DISTINCT FROM o.content_hash;
    ELSE
        SELECT array_agg(DISTINCT c.automation_id) INTO changed
        FROM after n JOIN before o ON o.id = n.id JOIN marketing_campaigns c ON c.id = n.campaign_id
        WHERE n.content_hash <> o.content_hash;
    END IF;
    WITH superseded AS (
        UPDATE approvals SET status = 'superseded'
        WHERE automation_id = ANY(changed) AND content_id IS NULL AND status <> 'superseded' RETURNING automation_id
    )
    INSERT INTO occurrences (kind, rehearsal, event_id, automation_id, subject, occurred_at)
    SELECT 'content_changed', a.rehearsal, a.event_id, a.id, 'automation/' || a.id, eventos_now(a.event_id)
    FROM automation_workflows a WHERE a.id IN (SELECT automation_id FROM superseded) ORDER BY a.id;
    RETURN NULL;
END $$;
CREATE TRIGGER content_changed AFTER UPDATE ON email_templates REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION eventos_content_changed();
CREATE TRIGGER content_changed AFTER UPDATE ON whatsapp_campaigns REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION eventos_content_changed();
CREATE TRIGGER content_changed AFTER UPDATE ON social_posts REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION eventos_content_changed();
CREATE TRIGGER content_changed AFTER UPDATE ON proposals REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION eventos_content_changed();

-- What an organizer is mailed: the facts beside the text.
ALTER TABLE notifications
    -- [[label, value], ...]
    ADD COLUMN rows JSONB NOT NULL DEFAULT '[]'::JSONB;
