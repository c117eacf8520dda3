// A QR code on this page: follows what happens on the phone, shows it, and goes on by itself once it was confirmed there.

const EVERY = 2_000; // milliseconds

export function followScan(root) {
  const panel = root.querySelector("[data-scan]");
  if (!panel) return;
  const { scan: address, scanState: shown } = panel.dataset;
  const proceed = () => panel.querySelector("form").requestSubmit();
  const look = async () => {
    const answer = await fetch(address, { cache: "no-store" }).catch(() => null);
    const state = answer?.ok ? (await answer.json()).state : shown;
    if (state === "confirmed") proceed();
    else if (state !== shown) location.replace(location.pathname + location.search); // without #main: that would only scroll
    else setTimeout(look, EVERY);
  };
  setTimeout(shown === "confirmed" ? proceed : look, EVERY / 2);
}
