"""The portal's own tables, beside those of its sessions."""

TABLES = """
CREATE TABLE IF NOT EXISTS company (   -- 基本信息 of a unit (R2)
    unit TEXT PRIMARY KEY,
    uscc TEXT,
    name TEXT NOT NULL,
    verified INTEGER NOT NULL,
    status TEXT NOT NULL,
    nature TEXT NOT NULL,
    industry TEXT NOT NULL,
    size TEXT NOT NULL,
    region TEXT NOT NULL,
    address TEXT NOT NULL,
    contact_name TEXT NOT NULL,
    contact_phone TEXT NOT NULL,
    email TEXT NOT NULL,
    introduction TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT NOT NULL           -- the person
) STRICT;

CREATE TABLE IF NOT EXISTS draft (     -- a change of 基本信息 that waits while its author proves who they are
    id TEXT PRIMARY KEY,
    unit TEXT NOT NULL REFERENCES company (unit),
    person TEXT NOT NULL,
    data BLOB NOT NULL,                -- sealed
    kept_at INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS draft_author ON draft (unit, person);

CREATE TABLE IF NOT EXISTS position (  -- a job (R4)
    id TEXT PRIMARY KEY,
    unit TEXT NOT NULL REFERENCES company (unit),
    state TEXT NOT NULL CHECK (state IN ('draft', 'published', 'taken_down')),
    version INTEGER NOT NULL DEFAULT 1,
    title TEXT NOT NULL,
    category TEXT NOT NULL,
    kind TEXT NOT NULL,
    headcount INTEGER NOT NULL,
    salary_min INTEGER,                -- yuan a month; neither bound: 面议
    salary_max INTEGER,
    region TEXT NOT NULL,
    address TEXT NOT NULL,
    education TEXT NOT NULL,
    experience TEXT NOT NULL,
    description TEXT NOT NULL,
    contact_name TEXT NOT NULL,
    contact_phone TEXT NOT NULL,
    valid_until TEXT NOT NULL,         -- its last day in China, 2026-12-31
    published_at INTEGER,
    taken_down_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT NOT NULL,          -- the person
    CHECK ((salary_min IS NULL) = (salary_max IS NULL))
) STRICT;
CREATE INDEX IF NOT EXISTS position_unit ON position (unit, state);
CREATE INDEX IF NOT EXISTS position_published ON position (published_at) WHERE state = 'published';
"""
