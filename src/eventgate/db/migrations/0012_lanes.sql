-- Lanes: a rewind delivers the past again beside what is new, instead of moving the cursor back.

-- The replay lane's place and totals stand in the row of the live lane's: both are one atom. Null: there is no replay lane.
-- ``since`` is the generation that set the live cursor; null: written by a version that set it in every generation.
ALTER TABLE cursors
    ADD COLUMN since                  bigint,
    ADD COLUMN replay_position        bigint,
    ADD COLUMN replay_index           integer,
    ADD COLUMN replay_until_position  bigint,
    ADD COLUMN replay_until_index     integer,
    ADD COLUMN replay_delivered       bigint,
    ADD COLUMN replay_filtered        bigint,
    ADD COLUMN replay_dead            bigint,
    ADD COLUMN replay_expired         bigint;

-- A generation of kind 'moved' set the live cursor (every one of the version before did); 'replay' delivers a range of the
-- journal again, 'redrive' dead letters. ``events`` is how many are in its range; what became of them is noted here when
-- the next generation begins, and stands in the cursor's row until then.
ALTER TABLE sink_generations
    ADD COLUMN kind            text COLLATE "C" NOT NULL DEFAULT 'moved' CHECK (kind IN ('moved', 'replay', 'redrive')),
    ADD COLUMN from_position   bigint,
    ADD COLUMN until_position  bigint,
    ADD COLUMN events          bigint,
    ADD COLUMN delivered       bigint,
    ADD COLUMN filtered        bigint,
    ADD COLUMN dead            bigint,
    ADD COLUMN expired         bigint,
    ADD COLUMN ended_at        timestamptz;

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
