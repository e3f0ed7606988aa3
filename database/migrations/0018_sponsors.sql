-- Sponsors: who agreed to WhatsApp, and who signed without their sequence.

ALTER TABLE sponsors
    ADD COLUMN IF NOT EXISTS whatsapp_opt_in BOOLEAN NOT NULL DEFAULT FALSE;

-- Who has become a sponsor of an event by any program has signed: their sequence hears of it, and ends.
CREATE FUNCTION eventos_sponsorships_added() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('eventos.by_sequence', TRUE) = 'on' THEN
        RETURN NULL;
    END IF;
    INSERT INTO occurrences (kind, rehearsal, event_id, automation_id, subject, data, occurred_at)
    SELECT 'sponsor_signed', e.rehearsal_of IS NOT NULL, e.id, p.sequence_id, 'proposal/' || p.id,
           jsonb_build_object('proposal', p.id), coalesce(e.clock_now, now())
    FROM proposals p JOIN events e ON e.id = p.event_id
    WHERE p.sequence_id IS NOT NULL AND p.status <> 'signed'
      AND EXISTS (SELECT 1 FROM added n WHERE n.event_id = p.event_id AND n.sponsor_id = p.sponsor_id)
    ORDER BY p.id;
    RETURN NULL;
END $$;
CREATE TRIGGER sponsorships_added AFTER INSERT ON sponsorships REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION eventos_sponsorships_added();
