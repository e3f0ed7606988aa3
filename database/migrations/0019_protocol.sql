-- A provider is asked about messages that no webhook has mentioned. When it is kept with the batch, not with each message: an index
-- on messages over what webhooks fill in would be written again with every delivery.
ALTER TABLE batches
    -- real time: when the provider is asked about what is still unmentioned; NULL: not any more
    ADD COLUMN ask_at TIMESTAMPTZ,
    -- rounds of asking that are over
    ADD COLUMN asked SMALLINT NOT NULL DEFAULT 0;
-- rounds in which the provider was asked about this message
ALTER TABLE messages ADD COLUMN asked SMALLINT NOT NULL DEFAULT 0;
CREATE INDEX idx_batches_ask ON batches(channel, ask_at) WHERE ask_at IS NOT NULL;
