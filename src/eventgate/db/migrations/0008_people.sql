-- People: how they are told of, whether they may come in, the links by which they set a password.

ALTER TABLE users
    -- Where links are sent; null: they are shown to whoever asks for them.
    ADD COLUMN email           text COLLATE "C" CHECK (char_length(email) BETWEEN 3 AND 254),
    ADD COLUMN name            text COLLATE "C" CHECK (char_length(name) BETWEEN 1 AND 200),
    -- Kept out until further notice. Who has no password and is not kept out is invited.
    ADD COLUMN deactivated_at  timestamptz,
    -- Whether signing in asks for more than the password.
    ADD COLUMN second_factor   boolean NOT NULL DEFAULT false,
    ADD COLUMN last_login_at   timestamptz;

-- One link a user: a new one takes the place of the old, and one that was used is gone. The token itself is not kept.
CREATE TABLE password_links (
    user_id     uuid PRIMARY KEY REFERENCES users (id),
    purpose     text COLLATE "C" NOT NULL CHECK (purpose IN ('invitation', 'reset')),
    hash        bytea NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
    created_at  timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz NOT NULL
);

-- How often links were asked for without a credential. Worth nothing after a crash, hence unlogged.
CREATE UNLOGGED TABLE password_link_requests (
    subject  bytea PRIMARY KEY,        -- SHA-256 of a login or of an address
    since    timestamptz NOT NULL,     -- when its window began
    asked    integer NOT NULL
);
CREATE INDEX password_link_requests_since ON password_link_requests (since);

DROP TRIGGER users_changed ON users;
CREATE TRIGGER users_changed AFTER UPDATE OF login, role, deactivated_at, deleted_at OR DELETE ON users
    FOR EACH STATEMENT EXECUTE FUNCTION access_changed();
