// Goes on to the application that asked for the sign-out (OpenID Connect Front-Channel Logout 1.0). The page has loaded
// when every frame has: each application was told. One that does not answer is not waited for.

const PATIENCE = 4000; // milliseconds

const onwards = document.querySelector("a[data-onwards]");

if (onwards) {
  const go = () => location.replace(onwards.href);
  if (document.readyState === "complete") {
    go();
  } else {
    addEventListener("load", go);
    setTimeout(go, PATIENCE);
  }
}
