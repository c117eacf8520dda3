// Lets the browser answer a passkey's challenge, and sends the answer with the form that the button stands in.

const CALLS = {
  get: (options) => navigator.credentials.get({ publicKey: options }),
  create: (options) => navigator.credentials.create({ publicKey: options }),
};

function bytesOf(text) {
  const base64 = text.replaceAll("-", "+").replaceAll("_", "/");
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

function textOf(buffer) {
  const letters = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
  return btoa(letters).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

// What PublicKeyCredential.parseCreationOptionsFromJSON and parseRequestOptionsFromJSON do, for browsers without them.
function optionsOf(json) {
  const options = JSON.parse(json);
  const listed = (credentials) => credentials?.map((each) => ({ ...each, id: bytesOf(each.id) }));
  return {
    ...options,
    challenge: bytesOf(options.challenge),
    allowCredentials: listed(options.allowCredentials),
    excludeCredentials: listed(options.excludeCredentials),
    ...(options.user && { user: { ...options.user, id: bytesOf(options.user.id) } }),
  };
}

// What PublicKeyCredential.toJSON does, as far as the server reads it.
function answerOf({ id, rawId, type, response }) {
  const parts = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
  const sent = parts.filter((part) => response[part]).map((part) => [part, textOf(response[part])]);
  const transports = response.getTransports?.();
  return { id, rawId: textOf(rawId), type, response: { ...Object.fromEntries(sent), ...(transports && { transports }) } };
}

async function answer(button) {
  const failed = button.form.querySelector("[data-passkey-failed]");
  failed.hidden = true;
  button.setAttribute("aria-busy", "true");
  try {
    const credential = await CALLS[button.dataset.passkey](optionsOf(button.dataset.options));
    button.form.elements.credential.value = JSON.stringify(answerOf(credential));
    button.form.submit();
  } catch {
    failed.hidden = false;
    button.removeAttribute("aria-busy");
  }
}

export function passkeyButtons(root) {
  for (const button of root.querySelectorAll("[data-passkey]")) {
    button.addEventListener("click", (event) => {
      event.preventDefault();
      if (button.getAttribute("aria-busy") !== "true") answer(button);
    });
  }
}
