-- Signing in: sessions, the second factor, and what slows down whoever guesses.

CREATE TABLE sessions (
    id            uuid PRIMARY KEY,                      -- UUIDv7 of the moment
    user_id       uuid NOT NULL REFERENCES users (id),
    -- The cookie itself is not kept; its SHA-256 finds the row.
    hash          bytea NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
    remote        text COLLATE "C" NOT NULL,             -- from where it was begun, and with what
    user_agent    text COLLATE "C" NOT NULL CHECK (char_length(user_agent) <= 200),
    created_at    timestamptz NOT NULL,
    last_used_at  timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL                   -- however much it is used
);
CREATE INDEX sessions_user ON sessions (user_id, id);

-- A session that ends is deleted; every process forgets it. The statement that finds none is no change.
CREATE FUNCTION sessions_ended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM ended) THEN
        PERFORM pg_notify('eventgate_access', '');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER sessions_ended AFTER DELETE ON sessions REFERENCING OLD TABLE AS ended
    FOR EACH STATEMENT EXECUTE FUNCTION sessions_ended();

-- Secrets are sealed with a key that lies outside the database.
CREATE TABLE second_factors (
    user_id       uuid PRIMARY KEY REFERENCES users (id),
    secret        bytea,                                 -- null until the first enrolment is confirmed
    confirmed_at  timestamptz,
    last_counter  bigint NOT NULL DEFAULT 0,             -- a code is taken once: only later ones count
    pending       bytea,                                 -- being enrolled
    pending_at    timestamptz,
    CHECK ((secret IS NULL) = (confirmed_at IS NULL)),
    CHECK ((pending IS NULL) = (pending_at IS NULL))
);

CREATE TABLE recovery_codes (
    user_id  uuid NOT NULL REFERENCES second_factors (user_id) ON DELETE CASCADE,
    hash     bytea NOT NULL CHECK (octet_length(hash) = 32),
    PRIMARY KEY (user_id, hash)                          -- a used one is deleted
);

-- From where, and on which devices, somebody has signed in before: strangers who guess do not lock these out.
CREATE TABLE known_places (
    user_id      uuid NOT NULL REFERENCES users (id),
    place        bytea NOT NULL CHECK (octet_length(place) = 32),
    last_at      timestamptz NOT NULL,
    PRIMARY KEY (user_id, place)
);

-- Attempts at a secret, counted by what is tried and from where; the slot is a hash, for people type passwords as logins.
CREATE TABLE throttle (
    slot       bytea PRIMARY KEY CHECK (octet_length(slot) = 32),
    attempts   integer NOT NULL,
    free_at    timestamptz NOT NULL,                     -- until then attempts are refused unjudged
    forget_at  timestamptz NOT NULL
);
CREATE INDEX throttle_forget ON throttle (forget_at);
