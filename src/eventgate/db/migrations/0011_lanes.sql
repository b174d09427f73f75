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
