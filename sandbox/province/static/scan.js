// Follows the phone: asks how the scan stands and sends the form once it is confirmed. The button does it without this.
const INTERVAL_MS = 1000;
const SENTENCES = {
  waiting: "手机确认后，本页自动继续",
  scanned: "已扫码，请在手机上确认",
  confirmed: "已确认，正在登录",
  refused: "手机上取消了登录，请换一个二维码",
  expired: "二维码已失效，请换一个二维码",
};

const form = document.getElementById("scan");
const shown = document.getElementById("scan-state");

async function ask() {
  let state = "waiting";
  try {
    const answer = await fetch(form.dataset.state);
    if (answer.ok) ({ state } = await answer.json());
  } catch {
    // The stand-in plays dead; the next turn may find it again.
  }
  if (SENTENCES[state] && shown.textContent !== SENTENCES[state]) shown.textContent = SENTENCES[state];
  if (state === "confirmed") form.requestSubmit();
  else if (state === "waiting" || state === "scanned") setTimeout(ask, INTERVAL_MS);
}

setTimeout(ask, INTERVAL_MS);
