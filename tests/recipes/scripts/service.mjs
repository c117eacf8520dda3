// A service without a user: client credentials with client_secret_jwt; an API that checks and introspects its token.
import * as oauth from "oauth4webapi";
import { callOf, local, provider } from "./client.mjs";
import { done, given } from "./user.mjs";

const client = { client_id: given.client_id };
const auth = oauth.ClientSecretJwt(given.client_secret);

const tokens = await oauth.processClientCredentialsResponse(provider, client,
  await oauth.clientCredentialsGrantRequest(provider, client, auth, { scope: "rec.position" }, local));
const call = await callOf(tokens.access_token, given.resource);
const seen = await oauth.validateJwtAccessToken(provider, call, given.resource, local);
const refused = await oauth.validateJwtAccessToken(provider, call, "https://another.example/", local)
  .catch((error) => error.code);

const introspected = async () => oauth.processIntrospectionResponse(provider, client,
  await oauth.introspectionRequest(provider, client, auth, tokens.access_token, local));
// UserInfo is not for services, and says so in a challenge that a library can read (RFC 6750 §3).
const challenged = await oauth.processUserInfoResponse(provider, client, oauth.skipSubjectCheck,
  await oauth.userInfoRequest(provider, client, tokens.access_token, local))
  .catch((error) => error.cause[0]);

const before = await introspected();
await oauth.processRevocationResponse(
  await oauth.revocationRequest(provider, client, auth, tokens.access_token, local));

done({ tokens, seen, refused, challenged, before, after: await introspected() });
