-- Sinks: what is configured, what state each is in, what people want of it, and the events nobody would take.
-- A sink's cursor and totals live in the table cursors, under the reader's name 'sink:' || name.

CREATE TABLE sinks (
    name         text COLLATE "C" PRIMARY KEY,
    company      uuid,                                   -- null: the operator's, sees every company
    filter       text[] NOT NULL,
    format       text COLLATE "C" NOT NULL,
    transport    text COLLATE "C" NOT NULL,
    guarantee    text COLLATE "C" NOT NULL,
    configured   boolean NOT NULL DEFAULT true,          -- false: it is gone from the configuration, its past is not
    paused       boolean NOT NULL DEFAULT false,         -- desired
    state        text COLLATE "C" NOT NULL DEFAULT 'starting'
                 CHECK (state IN ('starting', 'running', 'retrying', 'paused', 'cursor-lost', 'stopped')),
    state_since  timestamptz NOT NULL DEFAULT now(),
    last_error   text,
    failed_at    timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now()
);

-- Each time an operator moves a cursor, a generation begins. Its row is written before the cursor moves and counts
-- only once the cursor's own generation has come so far.
CREATE TABLE sink_generations (
    sink          text COLLATE "C" NOT NULL REFERENCES sinks (name) ON DELETE CASCADE,
    generation    bigint NOT NULL,
    before        bigint NOT NULL,   -- events stored before the place it begins at: the ledger's first line
    replay_until  bigint NOT NULL,   -- up to this position events are delivered once more, and say so
    asked_by      uuid,
    began_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (sink, generation)
);

-- What API or console want of a delivery loop, and its answer. NOTIFY eventgate_sinks says "look".
CREATE TABLE sink_requests (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sink         text COLLATE "C" NOT NULL REFERENCES sinks (name) ON DELETE CASCADE,
    verb         text COLLATE "C" NOT NULL CHECK (verb IN ('pause', 'resume', 'rewind', 'test')),
    position     bigint CHECK ((verb = 'rewind') = (position IS NOT NULL)),
    asked_by     uuid,
    asked_at     timestamptz NOT NULL DEFAULT now(),
    answered_at  timestamptz,
    done         boolean,
    answer       text
);
CREATE INDEX sink_requests_open ON sink_requests (id) WHERE answered_at IS NULL;

-- Events that a receiver will never take. Written before the cursor passes them; the ledger counts them only then, so
-- that one written twice, or never passed, does no harm.
CREATE TABLE dead_letters (
    sink        text COLLATE "C" NOT NULL REFERENCES sinks (name) ON DELETE CASCADE,
    generation  bigint  NOT NULL,
    position    bigint  NOT NULL,
    index       integer NOT NULL,
    company     uuid    NOT NULL,
    event       uuid    NOT NULL,
    reason      text    NOT NULL,    -- in the receiver's words
    died_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (sink, generation, position, index)
);
