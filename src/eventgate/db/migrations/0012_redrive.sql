-- Dead letters can be delivered again, a rewind has a rate, and a sink says when it tries its receiver again.

-- A redrive names the letters it means; ``facts`` are what an answer tells beside its sentence.
ALTER TABLE sink_requests
    DROP CONSTRAINT sink_requests_verb_check,
    ADD CONSTRAINT sink_requests_verb_check CHECK (verb IN ('pause', 'resume', 'rewind', 'redrive', 'test')),
    ADD COLUMN replace_running  boolean NOT NULL DEFAULT false,
    ADD COLUMN selection        jsonb,
    ADD COLUMN facts            jsonb;

-- The generation that last delivered a letter's event again, whatever became of it.
ALTER TABLE dead_letters ADD COLUMN redriven_in bigint;
CREATE INDEX dead_letters_redriven ON dead_letters (sink, redriven_in, position, index) WHERE redriven_in IS NOT NULL;

ALTER TABLE sinks
    ADD COLUMN next_attempt_at           timestamptz,
    ADD COLUMN replay_events_per_second  integer NOT NULL DEFAULT 5000;
