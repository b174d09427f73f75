-- Who may do what: companies, their users, their API keys and verify keys.
-- Identifiers are UUIDs made by the program. Strings that are compared or sorted are COLLATE "C".

CREATE TABLE companies (
    id          uuid PRIMARY KEY,
    name        text COLLATE "C" NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
    -- Keys the hash that gives events without an id of their own their identity; never leaves the database and its readers.
    id_secret   bytea NOT NULL CHECK (octet_length(id_secret) = 32),
    created_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE users (
    id             uuid PRIMARY KEY,
    company        uuid NOT NULL REFERENCES companies (id),
    -- What the user signs in with; unique over all companies, since signing in names no company.
    login          text COLLATE "C" NOT NULL CHECK (char_length(login) BETWEEN 1 AND 320),
    role           text COLLATE "C" NOT NULL CHECK (role IN ('admin', 'operator', 'analyst', 'sensor')),
    password_hash  text,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    deleted_at     timestamptz
);

CREATE UNIQUE INDEX users_login ON users (lower(login)) WHERE deleted_at IS NULL;
CREATE INDEX users_company ON users (company, id);

CREATE TABLE api_keys (
    id               uuid PRIMARY KEY,
    company          uuid NOT NULL REFERENCES companies (id),
    user_id          uuid NOT NULL REFERENCES users (id),
    -- The auth key itself is not kept: its public id finds the row, its SHA-256 proves the rest.
    public_id        text COLLATE "C" NOT NULL UNIQUE,
    hash             bytea NOT NULL CHECK (octet_length(hash) = 32),
    description      text CHECK (char_length(description) BETWEEN 1 AND 200),
    scopes           text[] NOT NULL,
    -- The sensor this key writes for; null: any sensor of the company.
    edge             uuid,
    registers_edges  boolean NOT NULL DEFAULT false,
    whitelisted_ips  text[] CHECK (cardinality(whitelisted_ips) > 0),
    rate_limit       integer CHECK (rate_limit > 0),  -- writes a second
    api_version      date NOT NULL,
    api_version_updated_at                  timestamptz,
    api_version_downgrade_not_allowed_after timestamptz,
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    expires_at       timestamptz,
    last_used_at     timestamptz,
    deleted_at       timestamptz
);

CREATE INDEX api_keys_company ON api_keys (company, id);
CREATE INDEX api_keys_user ON api_keys (user_id, id);

CREATE TABLE verify_keys (
    id          uuid PRIMARY KEY,
    key         uuid NOT NULL REFERENCES api_keys (id),
    spki        bytea NOT NULL,  -- DER of SubjectPublicKeyInfo (RFC 5480)
    created_at  timestamptz NOT NULL DEFAULT now(),
    deleted_at  timestamptz
);

CREATE INDEX verify_keys_key ON verify_keys (key);

-- Every process keeps who may do what in memory; a change tells them all to look again.
CREATE FUNCTION access_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('eventgate_access', '');
    RETURN NULL;
END $$;

CREATE TRIGGER companies_changed AFTER UPDATE OR DELETE ON companies
    FOR EACH STATEMENT EXECUTE FUNCTION access_changed();
CREATE TRIGGER users_changed AFTER UPDATE OF role, deleted_at OR DELETE ON users
    FOR EACH STATEMENT EXECUTE FUNCTION access_changed();
CREATE TRIGGER api_keys_changed
    AFTER INSERT OR DELETE
       OR UPDATE OF hash, scopes, edge, registers_edges, whitelisted_ips, rate_limit, expires_at, deleted_at ON api_keys
    FOR EACH STATEMENT EXECUTE FUNCTION access_changed();
CREATE TRIGGER verify_keys_changed AFTER INSERT OR UPDATE OR DELETE ON verify_keys
    FOR EACH STATEMENT EXECUTE FUNCTION access_changed();
