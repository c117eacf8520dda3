// Software that registers itself (RFC 7591), signs its requests (RFC 9101) and gets a signed UserInfo.
import * as oauth from "oauth4webapi";
import { local, privateKey, provider } from "./client.mjs";
import { done, given, visit } from "./user.mjs";

const metadata = {
  client_name: "我的门户",
  redirect_uris: [given.redirect_uri],
  token_endpoint_auth_method: "private_key_jwt",
  jwks: { keys: [given.public_jwk] },
  userinfo_signed_response_alg: "ES256",
  id_token_signed_response_alg: "ES256",
  require_signed_request_object: true,
};
const client = await oauth.processDynamicClientRegistrationResponse(
  await oauth.dynamicClientRegistrationRequest(provider, metadata, {
    ...local, initialAccessToken: given.initial_access_token,
  }));
const key = await privateKey(given.key);
const auth = oauth.PrivateKeyJwt(key);

const verifier = oauth.generateRandomCodeVerifier();
const asked = {
  response_type: "code",
  redirect_uri: given.redirect_uri,
  scope: "openid profile",
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
};
const request = await oauth.issueRequestObject(provider, client, asked, key);
const address = new URL(provider.authorization_endpoint);
address.search = new URLSearchParams({ client_id: client.client_id, request });
const callback = oauth.validateAuthResponse(provider, client, await visit(address), oauth.expectNoState);

const response = await oauth.authorizationCodeGrantRequest(
  provider, client, auth, callback, given.redirect_uri, verifier, local);
const tokens = await oauth.processAuthorizationCodeResponse(provider, client, response);
const claims = oauth.getValidatedIdTokenClaims(tokens);
const answer = await oauth.userInfoRequest(provider, client, tokens.access_token, local);
const userinfo = await oauth.processUserInfoResponse(provider, client, claims.sub, answer);
await oauth.validateApplicationLevelSignature(provider, answer, local);

done({ client, claims, userinfo });
