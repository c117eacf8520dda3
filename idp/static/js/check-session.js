// Answers portals that ask whether the sign-in is still the same (OpenID Connect Session Management 1.0 §3.2, §3.3).
// A portal's page posts "client_id session_state" and is answered "unchanged", "changed", or "error" for what is no question.

const name = `${document.documentElement.dataset.cookie}=`;

// Nothing where nobody is signed in, and where the browser keeps cookies from frames of other sites.
const browserState = () =>
  document.cookie
    .split("; ")
    .find((each) => each.startsWith(name))
    ?.slice(name.length) ?? "";

async function hashOf(text) {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function statusOf(question, origin) {
  const [, clientId, hash, salt] = /^(.+) ([0-9a-f]{64})\.([^ .]+)$/.exec(question) ?? [];
  if (!clientId || !crypto.subtle) {
    return "error";
  }
  const now = await hashOf(`${clientId} ${origin} ${browserState()} ${salt}`);
  return now === hash ? "unchanged" : "changed";
}

addEventListener("message", async (event) => {
  if (event.source && event.origin !== "null") {
    event.source.postMessage(await statusOf(event.data, event.origin), event.origin);
  }
});
