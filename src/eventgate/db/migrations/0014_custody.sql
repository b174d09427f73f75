-- Custody: where each event went. One row tells of a whole stretch of the journal, never of an event.

-- A stretch that a lane of a sink finished: after one place, up to and including another. ``places`` says compactly which
-- events were handed over there, so that the others are known to have been left out; ``windows`` is
-- [{at, events, refused, told}], what the receiver said of so many of them, one after the other.
-- No key: what was delivered twice stands here twice, which is the truth.
CREATE TABLE deliveries (
    sink            text COLLATE "C" NOT NULL REFERENCES sinks (name) ON DELETE CASCADE,
    generation      bigint      NOT NULL,
    lane            text COLLATE "C" NOT NULL CHECK (lane IN ('live', 'replay')),
    after_position  bigint      NOT NULL,
    after_index     integer     NOT NULL,
    until_position  bigint      NOT NULL,
    until_index     integer     NOT NULL,
    noted_at        timestamptz NOT NULL,
    places          bytea       NOT NULL,
    windows         jsonb       NOT NULL
);
CREATE INDEX deliveries_until ON deliveries (sink, generation, lane, until_position, until_index);
-- Rows lie in the order of their time: what is too old is found without an index that every row would pay for.
CREATE INDEX deliveries_noted ON deliveries USING brin (noted_at) WITH (pages_per_range = 16, autosummarize = on);

-- Every filter that a sink ever had, and since when: an event that was left out can be told by which condition.
CREATE TABLE sink_filters (
    sink    text COLLATE "C" NOT NULL REFERENCES sinks (name) ON DELETE CASCADE,
    since   timestamptz NOT NULL,
    filter  text[] NOT NULL,
    PRIMARY KEY (sink, since)
);
INSERT INTO sink_filters (sink, since, filter) SELECT name, created_at, filter FROM sinks;

CREATE FUNCTION note_filter() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO sink_filters (sink, since, filter) VALUES (NEW.name, clock_timestamp(), NEW.filter);
    RETURN NULL;
END $$;
CREATE TRIGGER sinks_filter_made AFTER INSERT ON sinks FOR EACH ROW EXECUTE FUNCTION note_filter();
CREATE TRIGGER sinks_filter_changed AFTER UPDATE ON sinks FOR EACH ROW
    WHEN (OLD.filter IS DISTINCT FROM NEW.filter) EXECUTE FUNCTION note_filter();

-- Dead letters are listed by event and forgotten by age.
CREATE INDEX dead_letters_event ON dead_letters (sink, event);
CREATE INDEX dead_letters_died ON dead_letters (died_at);

-- A preview names its event as a redrive names its letters.
ALTER TABLE sink_requests
    DROP CONSTRAINT sink_requests_verb_check,
    ADD CONSTRAINT sink_requests_verb_check
        CHECK (verb IN ('pause', 'resume', 'rewind', 'redrive', 'test', 'preview'));
