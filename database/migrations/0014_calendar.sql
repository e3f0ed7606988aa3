-- Time rules whose `moment` recurs, such as 'every monday at 09:00'.

-- What came due and was written down, in the transaction that wrote its occurrence.
CREATE TABLE calendar_told (
    event_id UUID NOT NULL REFERENCES events(id) ON DELETE CASCADE,
    rule_id UUID NOT NULL REFERENCES automation_rules(id) ON DELETE CASCADE,
    at TIMESTAMPTZ NOT NULL,
    -- the wall time that the rule names: what was told on one zone's clock is not told again on another's
    wall TIMESTAMP NOT NULL,
    PRIMARY KEY (event_id, rule_id, at)
);

-- Since when, in each watched event's own time, a time rule says what it does: nothing before is made up for.
CREATE TABLE rules_timed (
    event_id UUID NOT NULL REFERENCES event_watches(event_id) ON DELETE CASCADE,
    rule_id UUID NOT NULL REFERENCES automation_rules(id) ON DELETE CASCADE,
    since TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (event_id, rule_id)
);

CREATE FUNCTION eventos_rule_timed() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM rules_timed WHERE rule_id = NEW.id;
    INSERT INTO rules_timed (event_id, rule_id, since)
    SELECT e.id, NEW.id, coalesce(e.clock_now, now())
    FROM event_watches w JOIN events e ON e.id = w.event_id LEFT JOIN organizers o ON o.id = e.organizer_id
    WHERE NEW.moment IS NOT NULL AND NEW.enabled
      AND (NEW.organizer_id IS NULL OR NEW.organizer_id = coalesce(o.rehearsal_of, o.id))
    ORDER BY e.id FOR KEY SHARE OF w; -- a watch that is just ending is left out
    RETURN NULL;
END $$;
CREATE TRIGGER rule_written AFTER INSERT ON automation_rules
    FOR EACH ROW WHEN (NEW.moment IS NOT NULL) EXECUTE FUNCTION eventos_rule_timed();
CREATE TRIGGER rule_timed AFTER UPDATE ON automation_rules
    FOR EACH ROW WHEN ((OLD.moment, OLD.enabled, OLD.organizer_id) IS DISTINCT FROM (NEW.moment, NEW.enabled, NEW.organizer_id))
    EXECUTE FUNCTION eventos_rule_timed();
