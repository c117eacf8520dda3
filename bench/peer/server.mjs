// oidc-provider as a careful operator would run it: PostgreSQL, rotation, PKCE, JWT access tokens for APIs, a sign-in
// page with Argon2id. Reads one JSON object from the environment variable PEER: see `bench/peer.py`.

import cluster from 'node:cluster';
import { createServer } from 'node:http';

import argon2 from 'argon2';
import Provider from 'oidc-provider';

import { PostgresAdapter, createTables, open, query } from './adapter.mjs';

const asked = JSON.parse(process.env.PEER);
const issuer = `http://localhost:${asked.port}`;
const CALL = /^\/interaction\/[\w-]+$/;

const configuration = {
  adapter: PostgresAdapter,
  clients: asked.clients,
  jwks: { keys: asked.keys },
  cookies: { keys: [asked.cookieKey] },
  claims: { openid: ['sub'], profile: ['name', 'preferred_username'] },
  pkce: { required: () => true },
  rotateRefreshToken: true,
  issueRefreshToken: (ctx, client) => client.grantTypeAllowed('refresh_token'),
  enabledJWA: { idTokenSigningAlgValues: ['RS256', 'ES256', 'EdDSA'] },
  ttl: { AccessToken: 300, AuthorizationCode: 60, ClientCredentials: 300, IdToken: 3600, RefreshToken: 2592000,
    Interaction: 1800, Session: 43200, Grant: 2592000 },
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  findAccount,
  loadExistingGrant,
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: { enabled: true, defaultResource: () => undefined, getResourceServerInfo },
  },
};

async function findAccount(ctx, login) {
  const [account] = await query('account', [login]);
  if (!account) return undefined;
  return { accountId: login, claims: () => ({ sub: login, name: account.name, preferred_username: login }) };
}

// Clients of the house need no consent page; the grant is made at the first sign-in and found by the session later.
async function loadExistingGrant(ctx) {
  const { client, session, provider } = ctx.oidc;
  const known = session.grantIdFor(client.clientId);
  if (known) return provider.Grant.find(known);
  const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  grant.addOIDCScope('openid profile');
  await grant.save();
  return grant;
}

function getResourceServerInfo(ctx, resource) {
  const format = asked.resources[resource];
  if (format === 'opaque') return { scope: 'api', audience: resource, accessTokenFormat: 'opaque' };
  return { scope: 'api', audience: resource, accessTokenFormat: 'jwt', jwt: { sign: { alg: format } } };
}

async function signIn(provider, request, response) {
  if (request.method === 'GET') {
    await provider.interactionDetails(request, response);
    const page = '<!doctype html><title>Sign in</title><form method="post"><input name="username">'
      + '<input name="password" type="password"><button>Sign in</button></form>';
    response.writeHead(200, { 'content-type': 'text/html', 'content-length': page.length }).end(page);
    return;
  }
  let body = '';
  for await (const part of request) body += part;
  const form = new URLSearchParams(body);
  const [account] = await query('account', [form.get('username')]);
  if (!account || !(await argon2.verify(account.password_hash, form.get('password')))) {
    response.writeHead(401, { 'content-length': 0 }).end();
    return;
  }
  await provider.interactionFinished(request, response, { login: { accountId: account.login } });
}

function serve() {
  const provider = new Provider(issuer, configuration);
  const protocol = provider.callback();
  createServer((request, response) => {
    if (!CALL.test(request.url)) {
      protocol(request, response);
      return;
    }
    signIn(provider, request, response).catch((error) => {
      console.error(error);
      response.writeHead(500, { 'content-length': 0 }).end();
    });
  }).listen(asked.port, '127.0.0.1');
}

open(asked.databaseHost, asked.database);
if (cluster.isPrimary) {
  await createTables();
  const { names, password, argon2: cost } = asked.accounts;
  for (const [login, name] of Object.entries(names)) {
    await query('addAccount', [login, await argon2.hash(password, cost), name]);
  }
  if (asked.workers > 1) for (let started = 0; started < asked.workers; started += 1) cluster.fork();
}
if (asked.workers === 1 || cluster.isWorker) serve();
