// Counts down, on the button that sends an SMS code, the seconds until the server sends another one.

const SECOND = 1000;

function countDown(button, seconds) {
  const label = button.textContent;
  const until = Date.now() + seconds * SECOND;
  const tick = () => {
    const left = Math.ceil((until - Date.now()) / SECOND);
    if (left <= 0) {
      button.textContent = label;
      button.removeAttribute("aria-disabled");
      clearInterval(timer);
      return;
    }
    button.textContent = button.dataset.waiting.replace("{seconds}", left);
  };
  button.setAttribute("aria-disabled", "true");
  const timer = setInterval(tick, SECOND);
  tick();
}

export function codeCountdown(root) {
  for (const button of root.querySelectorAll("[data-wait]")) {
    button.addEventListener("click", (event) => {
      if (button.getAttribute("aria-disabled") === "true") event.preventDefault();
    });
    const wait = Number(button.dataset.wait);
    if (wait > 0) countDown(button, wait);
  }
}
