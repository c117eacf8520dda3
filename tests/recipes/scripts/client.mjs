// What the scripts share: oauth4webapi on a provider of this machine, and keys that the test made.
import * as oauth from "oauth4webapi";
import { given } from "./user.mjs";

export const local = { [oauth.allowInsecureRequests]: true };
export const issuer = new URL(given.issuer);
export const provider = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, local));

const imports = {
  ES256: { name: "ECDSA", namedCurve: "P-256" },
  PS256: { name: "RSA-PSS", hash: "SHA-256" },
  RS256: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
  Ed25519: { name: "Ed25519" },
};

/** Return a private key of the test's. */
export async function privateKey({ alg, jwk }) {
  return { key: await crypto.subtle.importKey("jwk", jwk, imports[alg], false, ["sign"]), kid: jwk.kid };
}

/** Count how often the server asked for a nonce (RFC 9449 §8). */
export const nonces = { asked: 0 };

/** Send a request and process its answer; send it once more if a nonce is asked for. */
export async function answered(send, process) {
  try {
    return await process(await send());
  } catch (error) {
    if (!oauth.isDPoPNonceError(error)) throw error;
    nonces.asked += 1;
    return process(await send());
  }
}

/** Return the request that a client would send to an API, without sending it. */
export async function callOf(token, address, DPoP) {
  let sent;
  const keep = async (url, init) => {
    sent = new Request(url, init);
    return new Response("{}");
  };
  await oauth.protectedResourceRequest(token, "GET", new URL(address), undefined, undefined, {
    DPoP, ...local, [oauth.customFetch]: keep,
  });
  return sent;
}
