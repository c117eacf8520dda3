// A FAPI 2.0 client: private_key_jwt, PAR, PKCE, DPoP with nonces, `iss`; and the API that is sent its token.
import * as oauth from "oauth4webapi";
import { answered, callOf, local, nonces, privateKey, provider } from "./client.mjs";
import { done, given, visit } from "./user.mjs";

const client = { client_id: given.client_id };
const auth = oauth.PrivateKeyJwt(await privateKey(given.key));
const DPoP = oauth.DPoP(client, await oauth.generateKeyPair(given.dpop_alg));
const options = { ...local, DPoP };

// --- Authorization, with a pushed request (RFC 9126) and rich details (RFC 9396)
const verifier = oauth.generateRandomCodeVerifier();
const state = oauth.generateRandomState();
const nonce = oauth.generateRandomNonce();
const asked = {
  response_type: "code",
  redirect_uri: given.redirect_uri,
  scope: "openid profile",
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  state,
  nonce,
  resource: given.resource,
  authorization_details: JSON.stringify([
    { type: "unit_delegation", identifier: given.unit, actions: ["rec.position"], representation_required: true },
  ]),
};
const pushed = await answered(
  () => oauth.pushedAuthorizationRequest(provider, client, auth, asked, options),
  (response) => oauth.processPushedAuthorizationResponse(provider, client, response),
);
const address = new URL(provider.authorization_endpoint);
address.search = new URLSearchParams({ client_id: client.client_id, request_uri: pushed.request_uri });
const callback = oauth.validateAuthResponse(provider, client, await visit(address), state); // RFC 9207: checks `iss`

// --- Tokens
const tokens = await answered(
  () => oauth.authorizationCodeGrantRequest(provider, client, auth, callback, given.redirect_uri, verifier, options),
  (response) => oauth.processAuthorizationCodeResponse(provider, client, response, {
    expectedNonce: nonce, requireIdToken: true,
  }),
);
const claims = oauth.getValidatedIdTokenClaims(tokens);
const refreshed = await answered(
  () => oauth.refreshTokenGrantRequest(provider, client, auth, tokens.refresh_token, options),
  async (response) => {
    const refreshedTokens = await oauth.processRefreshTokenResponse(provider, client, response);
    await oauth.validateApplicationLevelSignature(provider, response, local);
    return refreshedTokens;
  },
);

// --- Who, and what an API sees (RFC 9068)
const userinfo = await answered(
  () => oauth.userInfoRequest(provider, client, tokens.access_token, options),
  (response) => oauth.processUserInfoResponse(provider, client, claims.sub, response),
);
const call = await callOf(tokens.access_token, given.resource, DPoP);
const seen = await oauth.validateJwtAccessToken(provider, call, given.resource, { ...local, requireDPoP: true });

// --- Introspection (RFC 7662), revocation (RFC 7009)
const introspected = async () => oauth.processIntrospectionResponse(provider, client, await oauth.introspectionRequest(
  provider, client, auth, refreshed.access_token, local,
));
const before = await introspected();
await oauth.processRevocationResponse(
  await oauth.revocationRequest(provider, client, auth, refreshed.refresh_token ?? tokens.refresh_token, local),
);
const after = await introspected();

done({ tokens, claims, refreshed, userinfo, seen, before, after, nonces: nonces.asked });
