CREATE TABLE programmes (
    id VARCHAR(39) NOT NULL,
    toml TEXT NOT NULL,
    files TEXT NOT NULL,
    digest VARCHAR(64) NOT NULL,
    created_at TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    PRIMARY KEY (id)
);
CREATE TABLE schema_version (
    version INTEGER NOT NULL,
    PRIMARY KEY (version)
);
CREATE TABLE active_models (
    programme_id VARCHAR(39) NOT NULL,
    version VARCHAR(64) NOT NULL,
    previous VARCHAR(64),
    since TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    PRIMARY KEY (programme_id),
    FOREIGN KEY(programme_id) REFERENCES programmes (id) ON DELETE CASCADE
);
CREATE TABLE apart (
    programme_id VARCHAR(39) NOT NULL,
    member_id VARCHAR(64) NOT NULL,
    other_id VARCHAR(64) NOT NULL,
    kind VARCHAR(16) NOT NULL,
    takes INTEGER NOT NULL,
    PRIMARY KEY (programme_id, member_id, other_id, kind),
    FOREIGN KEY(programme_id) REFERENCES programmes (id) ON DELETE CASCADE
);
CREATE TABLE api_keys (
    id VARCHAR(16) NOT NULL,
    programme_id VARCHAR(39) NOT NULL,
    digest VARCHAR(64) NOT NULL,
    scopes TEXT NOT NULL,
    created_at TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITHOUT TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(programme_id) REFERENCES programmes (id) ON DELETE CASCADE
);
CREATE INDEX ix_api_keys_programme_id ON api_keys (programme_id);
CREATE TABLE feedback (
    id SERIAL NOT NULL,
    programme_id VARCHAR(39) NOT NULL,
    seeker VARCHAR(64) NOT NULL,
    candidate VARCHAR(64) NOT NULL,
    event VARCHAR(16) NOT NULL,
    record TEXT NOT NULL,
    digest VARCHAR(64) NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(programme_id) REFERENCES programmes (id) ON DELETE CASCADE
);
CREATE INDEX feedback_candidate ON feedback (programme_id, candidate);
CREATE UNIQUE INDEX feedback_digest ON feedback (programme_id, digest);
CREATE INDEX feedback_seeker ON feedback (programme_id, seeker);
CREATE TABLE gone (
    programme_id VARCHAR(39) NOT NULL,
    number INTEGER NOT NULL,
    live_id INTEGER NOT NULL,
    PRIMARY KEY (programme_id, number),
    FOREIGN KEY(programme_id) REFERENCES programmes (id) ON DELETE CASCADE
);
CREATE TABLE groups (
    id SERIAL NOT NULL,
    programme_id VARCHAR(39) NOT NULL,
    group_id VARCHAR(64) NOT NULL,
    record TEXT NOT NULL,
    revision INTEGER NOT NULL,
    number INTEGER NOT NULL,
    week INTEGER NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(programme_id) REFERENCES programmes (id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX groups_group ON groups (programme_id, group_id);
CREATE TABLE holds (
    id VARCHAR(32) NOT NULL,
    programme_id VARCHAR(39) NOT NULL,
    member_id VARCHAR(64) NOT NULL,
    kind VARCHAR(16) NOT NULL,
    until BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(programme_id) REFERENCES programmes (id) ON DELETE CASCADE
);
CREATE INDEX holds_member ON holds (programme_id, member_id);
CREATE TABLE lists (
    id SERIAL NOT NULL,
    programme_id VARCHAR(39) NOT NULL,
    match_id VARCHAR(32) NOT NULL,
    seeker_id INTEGER NOT NULL,
    kind VARCHAR(8) NOT NULL,
    epoch INTEGER NOT NULL,
    made_at BIGINT NOT NULL,
    returned_at BIGINT NOT NULL,
    number INTEGER NOT NULL,
    profile VARCHAR(32) NOT NULL,
    revision INTEGER NOT NULL,
    good_until BIGINT NOT NULL,
    digest VARCHAR(64) NOT NULL,
    model_version VARCHAR(64) NOT NULL,
    outcome VARCHAR(16) NOT NULL,
    reason VARCHAR(32),
    cut INTEGER NOT NULL,
    entries BYTEA NOT NULL,
    shown BYTEA NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(programme_id) REFERENCES programmes (id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX lists_match ON lists (programme_id, match_id);
CREATE INDEX lists_seeker ON lists (programme_id, seeker_id, kind, made_at);
CREATE TABLE live (
    id SERIAL NOT NULL,
    programme_id VARCHAR(39) NOT NULL,
    member_id VARCHAR(64) NOT NULL,
    revision INTEGER NOT NULL,
    number INTEGER NOT NULL,
    accepted INTEGER NOT NULL,
    shown INTEGER NOT NULL,
    edge BIGINT NOT NULL,
    held_until BIGINT NOT NULL,
    capacity INTEGER NOT NULL,
    free INTEGER NOT NULL,
    visible_from INTEGER NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(programme_id) REFERENCES programmes (id) ON DELETE CASCADE
);
CREATE INDEX live_edge ON live (programme_id, edge);
CREATE INDEX live_held_until ON live (programme_id, held_until);
CREATE UNIQUE INDEX live_member ON live (programme_id, member_id);
CREATE INDEX live_number ON live (programme_id, number);
CREATE TABLE members (
    programme_id VARCHAR(39) NOT NULL,
    member_id VARCHAR(64) NOT NULL,
    record TEXT NOT NULL,
    created_at TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    PRIMARY KEY (programme_id, member_id),
    FOREIGN KEY(programme_id) REFERENCES programmes (id) ON DELETE CASCADE
);
CREATE TABLE models (
    programme_id VARCHAR(39) NOT NULL,
    version VARCHAR(64) NOT NULL,
    created_at TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    verdict TEXT NOT NULL,
    PRIMARY KEY (programme_id, version),
    FOREIGN KEY(programme_id) REFERENCES programmes (id) ON DELETE CASCADE
);
CREATE TABLE pools (
    programme_id VARCHAR(39) NOT NULL,
    number INTEGER NOT NULL,
    additions INTEGER NOT NULL,
    PRIMARY KEY (programme_id),
    FOREIGN KEY(programme_id) REFERENCES programmes (id) ON DELETE CASCADE
);
CREATE TABLE group_people (
    programme_id VARCHAR(39) NOT NULL,
    group_number INTEGER NOT NULL,
    member_id VARCHAR(64) NOT NULL,
    role VARCHAR(16) NOT NULL,
    PRIMARY KEY (programme_id, group_number, member_id),
    FOREIGN KEY(programme_id) REFERENCES programmes (id) ON DELETE CASCADE,
    FOREIGN KEY(group_number) REFERENCES groups (id) ON DELETE CASCADE
);
CREATE INDEX group_people_member ON group_people (programme_id, member_id);
CREATE TABLE group_weeks (
    programme_id VARCHAR(39) NOT NULL,
    group_number INTEGER NOT NULL,
    member_id VARCHAR(64) NOT NULL,
    PRIMARY KEY (programme_id, group_number, member_id),
    FOREIGN KEY(programme_id) REFERENCES programmes (id) ON DELETE CASCADE,
    FOREIGN KEY(group_number) REFERENCES groups (id) ON DELETE CASCADE
);
CREATE INDEX group_weeks_member ON group_weeks (programme_id, member_id);
CREATE TABLE idempotency (
    key_id VARCHAR(16) NOT NULL,
    key VARCHAR(64) NOT NULL,
    programme_id VARCHAR(39) NOT NULL,
    fingerprint VARCHAR(64) NOT NULL,
    started_at BIGINT NOT NULL,
    status INTEGER,
    headers TEXT,
    reply TEXT,
    about TEXT NOT NULL,
    PRIMARY KEY (key_id, key),
    FOREIGN KEY(key_id) REFERENCES api_keys (id) ON DELETE CASCADE,
    FOREIGN KEY(programme_id) REFERENCES programmes (id) ON DELETE CASCADE
);
CREATE INDEX idempotency_started ON idempotency (started_at);
CREATE INDEX ix_idempotency_programme_id ON idempotency (programme_id);
