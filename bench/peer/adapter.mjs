// Storage of the peer on PostgreSQL: one row an artefact, one prepared statement an operation.

import pg from 'pg';

const SCHEMA = `
CREATE TABLE artefact (
  kind text NOT NULL, id text NOT NULL, content jsonb NOT NULL,
  grant_id text, uid text, user_code text, expires_at timestamptz, PRIMARY KEY (kind, id));
CREATE INDEX artefact_grant ON artefact (grant_id) WHERE grant_id IS NOT NULL;
CREATE INDEX artefact_uid ON artefact (uid) WHERE uid IS NOT NULL;
CREATE INDEX artefact_user_code ON artefact (user_code) WHERE user_code IS NOT NULL;
CREATE TABLE account (login text PRIMARY KEY, password_hash text NOT NULL, name text NOT NULL);
`;

const LIVING = '(expires_at IS NULL OR expires_at > now())';

const STATEMENTS = {
  upsert: `INSERT INTO artefact (kind, id, content, grant_id, uid, user_code, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, now() + $7 * interval '1 second')
    ON CONFLICT (kind, id) DO UPDATE SET content = excluded.content, grant_id = excluded.grant_id,
    uid = excluded.uid, user_code = excluded.user_code, expires_at = excluded.expires_at`,
  find: `SELECT content FROM artefact WHERE kind = $1 AND id = $2 AND ${LIVING}`,
  findByUid: `SELECT content FROM artefact WHERE kind = $1 AND uid = $2 AND ${LIVING}`,
  findByUserCode: `SELECT content FROM artefact WHERE kind = $1 AND user_code = $2 AND ${LIVING}`,
  consume: `UPDATE artefact SET content = jsonb_set(content, '{consumed}', to_jsonb(extract(epoch FROM now())::bigint))
    WHERE kind = $1 AND id = $2`,
  destroy: 'DELETE FROM artefact WHERE kind = $1 AND id = $2',
  revokeByGrantId: 'DELETE FROM artefact WHERE grant_id = $1',
  account: 'SELECT login, password_hash, name FROM account WHERE login = $1',
  addAccount: 'INSERT INTO account (login, password_hash, name) VALUES ($1, $2, $3)',
};

let pool;

export function open(host, database) {
  pool = new pg.Pool({ host, database, user: 'jingban', max: 10 });
}

export async function createTables() {
  await pool.query(SCHEMA);
}

export async function query(name, values) {
  const { rows } = await pool.query({ name, text: STATEMENTS[name], values });
  return rows;
}

export class PostgresAdapter {
  constructor(kind) {
    this.kind = kind;
  }

  async upsert(id, content, expiresIn) {
    const { grantId, uid, userCode } = content;
    await query('upsert', [this.kind, id, content, grantId, uid, userCode, expiresIn ?? null]);
  }

  async #content(name, key) {
    const [row] = await query(name, [this.kind, key]);
    return row?.content;
  }

  find(id) {
    return this.#content('find', id);
  }

  findByUid(uid) {
    return this.#content('findByUid', uid);
  }

  findByUserCode(userCode) {
    return this.#content('findByUserCode', userCode);
  }

  consume(id) {
    return query('consume', [this.kind, id]);
  }

  destroy(id) {
    return query('destroy', [this.kind, id]);
  }

  revokeByGrantId(grantId) {
    return query('revokeByGrantId', [grantId]);
  }
}
