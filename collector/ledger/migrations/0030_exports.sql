-- Exports are few among many records: what was given away, and from where a later pack must continue (collector/evidence).
CREATE INDEX IF NOT EXISTS record_export ON record (app, seq) WHERE event_type = 'export.recorded';
